import type { PlainValue } from './syntax-problem.ts'

/** From the outermost value inwards: names of members and places in lists. */
export type Path = readonly (string | number)[]

/** Changes one format in place: what is not touched keeps every character. */
export interface Editor {
  /** A text without anything in it. */
  readonly empty: string
  /** @throws SyntaxProblem with line and column */
  parse(source: string): PlainValue
  /** Gives what `path` leads to this value, and makes what is missing on the way. @throws SyntaxProblem */
  set(source: string, path: Path, value: PlainValue): string
  /** Adds an item to the list at `path`. @throws SyntaxProblem */
  append(source: string, path: Path, value: PlainValue): string
}

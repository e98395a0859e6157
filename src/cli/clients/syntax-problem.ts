/** A value as JSON, YAML and TOML share it. */
export type PlainValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

/** A file that its own client could not read either, or that holds something else where entries go. */
export class SyntaxProblem extends Error {
  readonly line: number
  readonly column: number
  constructor(says: string, source: string, at: number) {
    super(says)
    this.name = 'SyntaxProblem'
    const before = source.slice(0, at).split('\n')
    this.line = before.length
    this.column = (before.at(-1) ?? '').length + 1
  }
}

/** Whether a value is an object with members. */
export function isTable(value: unknown): value is Readonly<Record<string, PlainValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

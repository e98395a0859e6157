/**
 * Which rules ask the same?
 * Stops: thousands of rules that ask one thing of thousands of places, each with a program of its own.
 * Trusts: the text of a condition in Cedar's JSON form, which says all of what it asks.
 * Fails: a condition of no known form is a Fault, as in `compileExpression`.
 */
import { allOf, compileExpression, type Evaluate } from './compile-expression.ts'
import { readsOf, type Read } from './reads.ts'

/** Conditions that all have to hold, compiled. */
export interface Tests {
  readonly test: Evaluate
  /** What `test` reads. */
  reads(): readonly Read[]
}

/** Compiles conditions; equal ones are one and the same. @throws Fault `policy.unreadable` */
export type ShareTests = (conditions: readonly unknown[]) => Tests

const longestShared = 10_000

/** Undefined for what is too long, or nested too deeply, to be looked for. */
function textOf(conditions: readonly unknown[]): string | undefined {
  try {
    const text = JSON.stringify(conditions)
    return text.length > longestShared ? undefined : text
  } catch {
    return undefined
  }
}

/** WHY: of what is shared, a decision finds more in the processor's own memory: several times as fast among many rules. */
export function createShareTests(): ShareTests {
  const tests = new Map<string, Tests>()
  const reads = new Map<string, Read>()

  function shareRead(read: Read): Read {
    const known = reads.get(read.id) ?? read
    reads.set(read.id, known)
    return known
  }

  return (conditions) => {
    const text = textOf(conditions)
    const known = text === undefined ? undefined : tests.get(text)
    if (known !== undefined) return known
    let read: readonly Read[] | undefined
    const made: Tests = {
      test: allOf(conditions.map(compileExpression)),
      reads: () => (read ??= conditions.flatMap(readsOf).map(shareRead)),
    }
    if (text !== undefined) tests.set(text, made)
    return made
  }
}

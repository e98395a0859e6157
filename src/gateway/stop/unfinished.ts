/**
 * How many requests are not at their end, answer and record?
 * Stops: a ledger that closes before the last end is on record.
 * Trusts: the promise of each request to settle when its end is on record.
 * Fails: a request that never settles is counted for ever; whoever waits has a time of their own.
 */

/** Requests whose answer or end on record is still to come. */
export interface Unfinished {
  count(): number
  /** Counts a request until it settles. @param broken told when it rejects */
  follow<Of>(answered: Promise<void>, of: Of, broken: (of: Of, thrown: unknown) => void): Promise<void>
  /** Resolves when there is none. */
  none(): Promise<void>
}

export function createUnfinished(): Unfinished {
  let count = 0
  let whenNone: (() => void) | undefined
  return {
    count: () => count,
    async follow(answered, of, broken) {
      count += 1
      try {
        await answered
      } catch (thrown) {
        broken(of, thrown)
      } finally {
        count -= 1
        if (count === 0) whenNone?.()
      }
    },
    none: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => (whenNone = resolve))),
  }
}

/**
 * Which answers are remembered, and for how long?
 * Stops: memory that grows with the names callers make up: it is bounded in entries, long names count as a hash.
 * Trusts: its owner to make a new one for each snapshot.
 * Fails: a forgotten answer is asked for again.
 */

/** A bounded map in two generations: what was not asked for during a whole generation is forgotten. */
export interface DecisionCache<Value> {
  get(key: string): Value | undefined
  set(key: string, value: Value): void
}

/** @param maxEntries of both generations together, at least 2 */
export function createDecisionCache<Value>(maxEntries: number): DecisionCache<Value> {
  const perGeneration = Math.max(1, Math.floor(maxEntries / 2))
  let young = new Map<string, Value>()
  let old = new Map<string, Value>()

  function set(key: string, value: Value): void {
    if (young.size >= perGeneration && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }

  return {
    set,
    get(key) {
      const found = young.get(key)
      if (found !== undefined) return found
      const aged = old.get(key)
      if (aged !== undefined) set(key, aged)
      return aged
    },
  }
}

/** WHY: databases take thousands of values in one statement, and not any number. */
const mostAtOnce = 500

interface Waiting<V> {
  readonly resolve: (value: V | undefined) => void
  readonly reject: (error: unknown) => void
}

/**
 * Reads what is asked for in one turn of the event loop with one statement. What is asked for is read after it was asked for.
 * @param loadMany the values that there are, by key; a failure is given to all who asked
 * @returns the function that asks for one; undefined where there is none
 */
export function loadTogether<V>(
  loadMany: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>,
): (key: string) => Promise<V | undefined> {
  let waiting = new Map<string, Waiting<V>[]>()

  function load(batch: readonly (readonly [string, readonly Waiting<V>[]])[]): void {
    loadMany(batch.map(([key]) => key)).then(
      (found) => {
        for (const [key, who] of batch) for (const { resolve } of who) resolve(found.get(key))
      },
      (error: unknown) => {
        for (const [, who] of batch) for (const { reject } of who) reject(error)
      },
    )
  }

  function flush(): void {
    const all = [...waiting]
    waiting = new Map()
    for (let at = 0; at < all.length; at += mostAtOnce) load(all.slice(at, at + mostAtOnce))
  }

  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.size === 0) setImmediate(flush)
      const who = waiting.get(key)
      if (who === undefined) waiting.set(key, [{ resolve, reject }])
      else who.push({ resolve, reject })
    })
}

/**
 * What does the database say of upstreams, as far as every request has to know?
 *
 * Stops: a query for each request, and a request that is judged by what was changed before it came.
 * Trusts: the number that moves with every commit.
 * Fails: what cannot be read again is a Fault of whoever asked; what was read before stays until it can.
 * @see docs/decisions/0004-caches-are-stamped-with-a-revision.md
 */
import type { Database } from '#platform/database'

/** Something read from the database as a whole, and kept in memory. */
export interface Kept<Value> {
  /** As of the last `refresh`. */
  readonly current: Value
  /** Reads again when anything was committed since; otherwise returns at once, without a promise. */
  refresh(): void | Promise<void>
}

/** @param parts `onChange` is called with what was known before, after a reading replaced it */
export function keepCurrent<Value>(
  database: Pick<Database, 'revision'>,
  parts: { empty: Value; load: () => Promise<Value>; onChange?: (before: Value, after: Value) => void },
): Kept<Value> {
  let current = parts.empty
  let revision: number | undefined
  let loading: Promise<void> | undefined

  function start(): Promise<void> {
    const startedAt = database.revision()
    loading = parts
      .load()
      .then((read) => {
        const before = current
        current = read
        revision = startedAt
        parts.onChange?.(before, read)
      })
      .finally(() => (loading = undefined))
    return loading
  }

  return {
    get current() {
      return current
    },
    refresh() {
      if (loading === undefined) return revision === database.revision() ? undefined : start()
      // WHY: the reading under way may have begun before the change this caller must see; one begun after it cannot.
      return loading.catch(() => undefined).then(() => loading ?? start())
    },
  }
}

import type { Database } from './database.ts'

/** Values derived from the database, kept for as long as nothing in it changed. */
export interface Remembered<K, V> {
  /** The value if it is known and still holds, undefined otherwise. Synchronous. */
  peek(key: K): V | undefined
  /** The value; loaded when it is not known. Simultaneous callers share one load. */
  get(key: K): Promise<V>
}

/**
 * @param load reads the value; a failure is given to the callers and not kept
 * @param limits when `maxEntries` are kept, the oldest makes room
 */
export function rememberByRevision<K, V>(
  database: Pick<Database, 'revision'>,
  load: (key: K) => Promise<V>,
  limits: { maxEntries: number },
): Remembered<K, V> {
  let known = new Map<K, V>()
  let loading = new Map<K, Promise<V>>()
  let revision = Number.NaN

  function refresh(): void {
    const current = database.revision()
    if (current === revision) return
    revision = current
    known = new Map()
    loading = new Map()
  }

  // INVARIANT: a value enters the maps that were current before it was read, so one that was read before a
  // change ends in maps that nobody looks at any more.
  async function loadInto(key: K, values: Map<K, V>, loads: Map<K, Promise<V>>): Promise<V> {
    try {
      const value = await load(key)
      if (values.size >= limits.maxEntries) {
        const oldest = values.keys().next()
        if (!oldest.done) values.delete(oldest.value)
      }
      values.set(key, value)
      return value
    } finally {
      loads.delete(key)
    }
  }

  return {
    peek(key) {
      refresh()
      return known.get(key)
    },
    async get(key) {
      refresh()
      const value = known.get(key)
      if (value !== undefined) return value
      let shared = loading.get(key)
      if (shared === undefined) {
        shared = loadInto(key, known, loading)
        loading.set(key, shared)
      }
      return shared
    },
  }
}

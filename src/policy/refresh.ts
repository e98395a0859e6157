/**
 * Is what this process remembers still what the database says?
 * Stops: answers from before a change; a hundred waiting requests that each load the same.
 * Trusts: the revision to move with every commit of every process.
 * Fails: a failed load is thrown to everyone who waited for it, and the next caller loads again.
 */

/**
 * Makes `refresh`: returns at once when the revision has not moved since the last load; otherwise a promise of a load
 * that began after the call. At most one load runs and one waits.
 */
export function createRefresh(revision: () => number, load: () => Promise<void>): () => void | Promise<void> {
  let seen: number | undefined
  let running: { readonly revision: number; readonly done: Promise<void> } | undefined
  let waiting: PromiseWithResolvers<void> | undefined

  async function run(now: number): Promise<void> {
    try {
      await load()
      seen = now
    } catch (cause) {
      seen = undefined
      throw cause
    } finally {
      running = undefined
      startWaiting()
    }
  }

  function start(now: number): Promise<void> {
    const begun = Promise.withResolvers<void>()
    running = { revision: now, done: begun.promise }
    run(now).then(begun.resolve, begun.reject)
    return begun.promise
  }

  function startWaiting(): void {
    const next = waiting
    waiting = undefined
    if (next === undefined) return
    try {
      start(revision()).then(next.resolve, next.reject)
    } catch (cause) {
      next.reject(cause)
    }
  }

  return function refresh() {
    const now = revision()
    if (seen === now) return undefined
    if (running === undefined) return start(now)
    if (running.revision === now) return running.done
    waiting ??= Promise.withResolvers<void>()
    return waiting.promise
  }
}

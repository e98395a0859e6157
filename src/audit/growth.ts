/**
 * Who waits for the next entry: the live tail, without asking the database over and over.
 * Stops: polling.
 * Trusts: the commits, to say how far the ledger has grown.
 * Fails: never: a wait ends at the latest when its time is up.
 */

export interface Growth {
  reach(size: number): void
  waitBeyond(seq: number, timeoutMs: number, signal?: AbortSignal): Promise<void>
  /** Ends all waits, present and later. */
  end(): void
}

interface Wait {
  readonly seq: number
  readonly end: () => void
}

export function createGrowth(sizeAtStart: number): Growth {
  const waits = new Set<Wait>()
  let size = sizeAtStart
  let isEnded = false
  return {
    reach(reached) {
      size = reached
      if (waits.size > 0) for (const wait of waits) if (wait.seq < size) wait.end()
    },
    waitBeyond(seq, timeoutMs, signal) {
      if (isEnded || size > seq || signal?.aborted === true) return Promise.resolve()
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', end)
          waits.delete(wait)
          resolve()
        }
        const wait = { seq, end }
        const timer = setTimeout(end, timeoutMs)
        signal?.addEventListener('abort', end)
        waits.add(wait)
      })
    },
    end() {
      isEnded = true
      for (const wait of waits) wait.end()
    },
  }
}

import type { Clock } from '#kernel'

/** A request beyond the allowance of its key. */
export interface Beyond {
  /** Whole seconds after which a request passes. */
  readonly retryAfterSeconds: number
  /** The first one in its window: the others are only counted. */
  readonly isFirst: boolean
}

/** So many requests for each subject in a window that begins with its first one. */
export interface Allowances<Subject> {
  /** Spends one request. @returns undefined while there was one left */
  spend(subject: Subject, limit: number): Beyond | undefined
  /** Windows in memory. */
  readonly size: number
  /** Tells the open counts, and stops. */
  close(): void
}

/** A window that ended with requests beyond the allowance. */
export interface Exceeded<Subject> {
  readonly key: string
  /** Who sent the first request beyond it. */
  readonly subject: Subject
  /** How many came after that one. */
  readonly more: number
}

export interface AllowanceOptions<Subject> {
  readonly clock: Clock
  readonly windowMs: number
  /** Windows kept; beyond, the one that began first is forgotten, so that strangers never lock each other out. */
  readonly maxKeys: number
  /** Subjects with one key share an allowance. */
  readonly keyOf: (subject: Subject) => string
  /** Told once for each window that was exceeded, when it has ended. */
  readonly onExceeded: (exceeded: Exceeded<Subject>) => void
}

interface Window<Subject> {
  readonly key: string
  readonly startedAt: number
  spent: number
  beyond: number
  firstBeyond: Subject | undefined
  /** The window that began after this one. */
  next: Window<Subject> | undefined
}

const sweepEveryMs = 1_000

/** The windows that are open, in the order in which they began: what has ended stands first. */
class OpenWindows<Subject> {
  readonly #options: AllowanceOptions<Subject>
  readonly #byKey = new Map<string, Window<Subject>>()
  #oldest: Window<Subject> | undefined
  #newest: Window<Subject> | undefined

  constructor(options: AllowanceOptions<Subject>) {
    this.#options = options
  }

  get size(): number {
    return this.#byKey.size
  }

  /** The open window of a key, begun if there is none. */
  of(key: string, now: number): Window<Subject> {
    return this.#byKey.get(key) ?? this.#begin(key, now)
  }

  endUntil(now: number): void {
    // WHY: a clock that was set back would otherwise keep windows open for as long as it was wrong.
    const isSetBack = this.#newest !== undefined && now < this.#newest.startedAt
    const { windowMs } = this.#options
    while (this.#oldest !== undefined && (isSetBack || now >= this.#oldest.startedAt + windowMs)) this.#endOldest()
  }

  #endOldest(): void {
    if (this.#oldest === undefined) return
    const { key, beyond, firstBeyond, next } = this.#oldest
    this.#byKey.delete(key)
    this.#oldest = next
    if (next === undefined) this.#newest = undefined
    if (firstBeyond !== undefined) this.#options.onExceeded({ key, subject: firstBeyond, more: beyond - 1 })
  }

  #begin(key: string, now: number): Window<Subject> {
    if (this.#byKey.size >= this.#options.maxKeys) this.#endOldest()
    const window: Window<Subject> = {
      key,
      startedAt: now,
      spent: 0,
      beyond: 0,
      firstBeyond: undefined,
      next: undefined,
    }
    this.#byKey.set(key, window)
    if (this.#newest === undefined) this.#oldest = window
    else this.#newest.next = window
    this.#newest = window
    return window
  }
}

/** Counts in this process only, in bounded memory, with one timer for all keys. */
export function createAllowances<Subject>(options: AllowanceOptions<Subject>): Allowances<Subject> {
  const { clock, windowMs, keyOf } = options
  const windows = new OpenWindows(options)
  const sweeper = setInterval(() => windows.endUntil(clock.now()), sweepEveryMs).unref()
  return {
    spend(subject, limit) {
      const now = clock.now()
      windows.endUntil(now)
      const window = windows.of(keyOf(subject), now)
      if (window.spent < limit) {
        window.spent += 1
        return undefined
      }
      window.beyond += 1
      window.firstBeyond ??= subject
      const leftMs = window.startedAt + windowMs - now
      return { retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1_000)), isFirst: window.beyond === 1 }
    },
    get size() {
      return windows.size
    },
    close() {
      clearInterval(sweeper)
      windows.endUntil(Number.POSITIVE_INFINITY)
    },
  }
}

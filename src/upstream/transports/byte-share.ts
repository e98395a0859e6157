/**
 * How much of one place's streams is read in a second?
 *
 * Stops: large events, which take the process its time to judge, from taking the time of other upstreams' callers.
 * Trusts: whoever asks, to read nothing for as long as it is told to hold back.
 * Fails: towards waiting: nothing is lost or cut for it, because the bytes may be those of another call.
 */

/** For each event a second that is allowed. */
const bytesPerEvent = 8 * 1024
const burstSeconds = 0.5

export class ByteShare {
  #left: number
  #countedAtMs: number

  constructor(eventsPerSecond: number, nowMs = performance.now()) {
    this.#left = eventsPerSecond * bytesPerEvent * burstSeconds
    this.#countedAtMs = nowMs
  }

  /** Counts bytes that were read. @returns milliseconds to read nothing; 0 while there is some left */
  take(bytes: number, eventsPerSecond: number, nowMs = performance.now()): number {
    const perSecond = eventsPerSecond * bytesPerEvent
    const gained = ((nowMs - this.#countedAtMs) / 1_000) * perSecond
    this.#countedAtMs = nowMs
    this.#left = Math.min(perSecond * burstSeconds, this.#left + gained) - bytes
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left / perSecond) * 1_000)
  }
}

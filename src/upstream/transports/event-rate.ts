/**
 * Does an upstream send more events than are taken?
 *
 * Stops: a flood of small events that costs the process its time, however few bytes they have.
 * Trusts: whoever asks, to read nothing for as long as it is told to hold back.
 * Fails: by holding the source back first; only a source that fills every pause is given up.
 */
const burstSeconds = 2
/** Pauses in all before a source is given up; forgotten once it has kept to the rate for a whole burst. */
const mostHeldMs = 10_000

/** What is to be done with a source after what it sent: so many of the events may pass `atOnce`, the others in `holdMs`. */
export type Pace = { readonly atOnce: number; readonly holdMs: number } | 'too-fast'

export class EventRate {
  #tokens: number
  #countedAtMs: number
  #heldMs = 0

  /** @param perSecond taken for ever; two seconds' worth may come at once */
  constructor(perSecond: number, nowMs = performance.now()) {
    this.#tokens = perSecond * burstSeconds
    this.#countedAtMs = nowMs
  }

  /** Counts events. Undefined while they keep to the rate. */
  count(events: number, perSecond: number, nowMs = performance.now()): Pace | undefined {
    const most = perSecond * burstSeconds
    const gained = ((nowMs - this.#countedAtMs) / 1_000) * perSecond
    this.#countedAtMs = nowMs
    const tokens = Math.min(most, this.#tokens + gained)
    const atOnce = Math.max(0, Math.floor(tokens))
    if (tokens === most) this.#heldMs = 0
    this.#tokens = tokens - events
    if (this.#tokens >= 0) return undefined
    if (this.#heldMs >= mostHeldMs) return 'too-fast'
    const holdMs = Math.ceil((-this.#tokens / perSecond) * 1_000)
    this.#heldMs += holdMs
    return { atOnce, holdMs }
  }
}

/**
 * When is a source of messages not read for a while?
 *
 * Stops: a source that sends more messages than are taken, or more than its reader has read.
 * Trusts: whoever made it to pause the source when it is told to.
 * Fails: a source that fills every pause is told of once, to be ended.
 */
import { EventRate } from './event-rate.ts'

export interface PaceNeeds {
  /** Messages a second beyond one for each that the source is sent. */
  readonly settings: { readonly current: { readonly eventsPerSecond: number } }
  pause(): void
  resume(): void
  onTooFast(): void
}

/** Bits of the reasons to hold the source back. */
const slowReader = 1
const fastSource = 2

export class Pace {
  readonly #needs: PaceNeeds
  readonly #rate: EventRate
  /** Messages that answer what the source was sent. */
  #expected = 0
  #holds = 0
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  constructor(needs: PaceNeeds) {
    this.#needs = needs
    this.#rate = new EventRate(needs.settings.current.eventsPerSecond)
  }

  /** The source was sent a message, so that one more of its own is no flood. */
  expect(): void {
    this.#expected += 1
  }

  /** Counts messages that were read. */
  count(messages: number): void {
    if (this.#isOver) return
    const answers = Math.min(this.#expected, messages)
    this.#expected -= answers
    const pace = this.#rate.count(messages - answers, this.#needs.settings.current.eventsPerSecond)
    if (pace === undefined) return
    if (pace === 'too-fast') return this.#needs.onTooFast()
    this.#hold(fastSource, true)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#hold(fastSource, false), pace.holdMs).unref()
  }

  /** Holds the source back while its reader is slow. */
  hold(isHeld: boolean): void {
    this.#hold(slowReader, isHeld)
  }

  /** The source is being ended: what it still says is read, or its end would not be seen. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#needs.resume()
  }

  #hold(reason: number, isHeld: boolean): void {
    this.#holds = isHeld ? this.#holds | reason : this.#holds & ~reason
    if (this.#isOver) return
    if (this.#holds === 0) this.#needs.resume()
    else this.#needs.pause()
  }
}

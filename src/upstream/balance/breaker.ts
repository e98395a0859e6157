/**
 * May this endpoint be asked, or has it failed too often?
 *
 * Stops: calls that wait for an endpoint that does not answer; a crowd of calls that find out together that it is back.
 * Trusts: whoever tells it what became of a call.
 * Fails: closed, so to speak: while it is open a call is refused at once, and a clock that jumps back opens it for no
 * longer than one period.
 */
import type { Clock } from '#kernel'

export interface BreakerNeeds {
  readonly clock: Clock
  readonly settings: { readonly current: { readonly breakerFailures: number; readonly breakerOpenMs: number } }
  readonly onOpened: () => void
  readonly onClosed: () => void
}

/** Closed: calls pass. Open: none does. Half open: one does, and what becomes of it decides. */
export class Breaker {
  readonly #needs: BreakerNeeds
  #failures = 0
  #isOpen = false
  #since = 0
  #isProbing = false

  constructor(needs: BreakerNeeds) {
    this.#needs = needs
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Until a probe may pass; 0 while calls pass. */
  get waitMs(): number {
    if (!this.#isOpen) return 0
    const now = this.#needs.clock.now()
    if (now < this.#since) this.#since = now
    return Math.max(0, this.#since + this.#needs.settings.current.breakerOpenMs - now)
  }

  /** Whether a call passes; one that passes while `isOpen` is the probe, see `beginProbe`. */
  get isPassable(): boolean {
    return !this.#isOpen || this.waitMs === 0
  }

  /** A call ended well. @param isProbe the one that tried an open breaker; others tell nothing of how it is since then */
  succeeded(isProbe: boolean): void {
    this.#failures = this.#isOpen ? this.#failures : 0
    if (!this.#isOpen || !isProbe) return
    this.#isOpen = false
    this.#isProbing = false
    this.#failures = 0
    this.#needs.onClosed()
  }

  failed(isProbe: boolean): void {
    if (this.#isOpen) {
      if (isProbe) this.#openAgain()
      return
    }
    this.#failures += 1
    if (this.#failures < this.#needs.settings.current.breakerFailures) return
    this.#isOpen = true
    this.#openAgain()
    this.#needs.onOpened()
  }

  /** INVARIANT: until it has ended, or a whole period has gone by, no other call passes. */
  beginProbe(): void {
    this.#isProbing = true
    this.#since = this.#needs.clock.now()
  }

  /** The probe told nothing: its caller left. The next call is one. */
  probeLeft(): void {
    if (!this.#isOpen || !this.#isProbing) return
    this.#isProbing = false
    this.#since = this.#needs.clock.now() - this.#needs.settings.current.breakerOpenMs
  }

  #openAgain(): void {
    this.#isProbing = false
    this.#since = this.#needs.clock.now()
  }
}

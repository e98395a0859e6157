/**
 * When is a translated request over, whichever side ends it?
 *
 * Stops: work for a request whose exchange, session or caller has gone.
 * Trusts: whoever made it to let go of it, so that nothing stays behind on longer-lived signals.
 * Fails: nothing here can fail.
 */
import type { EndSignal } from '../transports/transport.ts'

export interface Stop {
  readonly signal: EndSignal
  /** Whether the client itself withdrew the request. */
  readonly isWithdrawn: boolean
  /** The client withdraws the request. */
  withdraw(): void
  /** Ends it without a reason of the client's. */
  end(): void
  release(): void
}

/** Over as soon as one of the signals is. */
export function stopWith(signals: readonly EndSignal[]): Stop {
  const controller = new AbortController()
  const end = (): void => controller.abort()
  let isWithdrawn = false
  for (const signal of signals) {
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true })
  }
  return {
    signal: controller.signal,
    get isWithdrawn() {
      return isWithdrawn
    },
    withdraw() {
      isWithdrawn = true
      end()
    },
    end,
    release() {
      for (const signal of signals) signal.removeEventListener('abort', end)
    },
  }
}

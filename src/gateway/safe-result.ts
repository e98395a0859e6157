/**
 * The only thing that can be sent to a client: an answer whose every message was inspected.
 * Stops: an uninspected answer being sent; `respond` takes nothing else, and only this file makes it.
 * Trusts: the inspection it is made with.
 * Fails: a message that does not pass ends the answer with an error the client can read.
 */
import type { Frame } from '#protocol'
import type { UpstreamAnswer } from '#upstream'

declare const inspected: unique symbol

/** What the messages of an answer turned out to be; complete when the frames have ended. */
export interface Verdict {
  /** Undefined until the response to the request has passed. */
  outcome?: 'succeeded' | 'failed'
  /** For the ledger: error code, tool error, what was withheld. */
  readonly detail: Record<string, unknown>
}

export interface SafeResult {
  readonly [inspected]: true
  readonly status: number
  readonly kind: UpstreamAnswer['kind']
  /** The session id for the client, sealed; on the answer to `initialize` only. */
  readonly sessionId: string | undefined
  readonly frames: AsyncIterable<Frame>
  readonly verdict: Verdict
}

/** Marks an answer as inspected. For the guards `inspect-result` and `filter-listing`. */
export function asSafe(result: Omit<SafeResult, typeof inspected>): SafeResult {
  return result as SafeResult
}

/**
 * The only thing that can be sent to a client: an answer whose every message was inspected.
 * Stops: an uninspected answer being sent; `respond` takes nothing else, and only this file makes it.
 * Trusts: the inspection it is made with.
 * Fails: a message that does not pass ends the answer with an error the client can read.
 */
import type { Frame } from '#protocol'

declare const inspected: unique symbol

/** What the messages of an answer turned out to be; complete when the frames have ended. */
export interface Verdict {
  /** Undefined until the response to the request has passed. */
  outcome?: 'succeeded' | 'failed'
  /** For the ledger: error code, tool error, what was withheld. */
  readonly detail: Record<string, unknown>
}

interface AnySafeResult {
  readonly [inspected]: true
  readonly status: number
  /** The session id for the client, sealed; on the answer to `initialize` only. */
  readonly sessionId: string | undefined
  readonly verdict: Verdict
}

/** A stream's messages are inspected as they come; an answer that is whole was inspected as a whole. */
export type SafeResult = AnySafeResult &
  (
    | { readonly kind: 'stream'; readonly frames: AsyncIterable<Frame> }
    | { readonly kind: 'json' | 'empty'; /** Empty for `empty`. */ readonly body: string }
  )

type Uninspected<Result> = Result extends unknown ? Omit<Result, typeof inspected> : never

/** Marks an answer as inspected. For the guards `inspect-result` and `filter-listing`. */
export function asSafe(result: Uninspected<SafeResult>): SafeResult {
  return result as SafeResult
}

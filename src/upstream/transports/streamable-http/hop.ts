/**
 * Who wants to know what becomes of an exchange on its way to one place?
 *
 * Stops: nothing by itself; it is how a place is judged without another promise for each call.
 * Trusts: the response to tell each thing once, and its end last.
 * Fails: nothing here can fail.
 */
import type { Fault } from '#kernel'
import type { UpstreamAnswer, UpstreamRequest } from '../transport.ts'

/** An exchange that failed before anything of its answer came. */
export interface Failure {
  readonly request: UpstreamRequest
  readonly fault: Fault
  /** Whether a byte of the request may have left; if not, the upstream knows nothing of it. */
  readonly wasSent: boolean
  readonly elapsedMs: number
}

export interface Hop {
  begun(): void
  /** The answer is complete; a stream that waits for news is open. */
  answered(status: number): void
  /** @param fault whatever broke, the caller's own leaving included */
  failed(fault: Fault): void
  /** Nothing of the exchange is left; told once, after `answered` or `failed`. */
  ended(): void
  /** The same exchange at another place, when it is safe to repeat; undefined when it is not. */
  repeat(failure: Failure): Promise<UpstreamAnswer> | undefined
}

/**
 * May this exchange be sent once more?
 *
 * Stops: a call with an effect happening twice: what may have reached an upstream is repeated only when it is a read.
 * Trusts: the transport to know whether a byte of the request may have left.
 * Fails: towards not repeating.
 */
import type { Failure } from '../transports/streamable-http/hop.ts'

/** After the first one. */
export const mostRepeats = 2

/** Nothing happens at a server because of these. */
const reads: ReadonlySet<string> = new Set([
  'ping',
  'server/discover',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
])

/** Whether it is as if it had not been sent. Failures after the first byte of an answer are not asked about. */
export function isRepeatable({ request, fault, wasSent, elapsedMs }: Failure): boolean {
  if (fault.code !== 'upstream.unreachable') return false
  if (request.signal.aborted || elapsedMs >= request.deadlineMs) return false
  if (!wasSent) return true
  return request.httpMethod === 'POST' && request.message?.kind === 'request' && reads.has(request.message.method ?? '')
}

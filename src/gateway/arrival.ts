/**
 * What is known of a request before any guard has run?
 * Stops: a guard reading the socket by itself.
 * Trusts: the listener's framing and ceilings.
 * Fails: nothing here can fail.
 */
import type { IncomingHttpHeaders } from 'node:http'

/** The start of every list. */
export interface Arrival {
  /** The exchange's id: in the ledger and in `Castellan-Exchange`. */
  readonly exchangeId: string
  readonly httpMethod: string
  readonly headers: IncomingHttpHeaders
  /** The client's address as the socket saw it. */
  readonly address: string
  /** The name in `/servers/<name>/mcp`; the upstream may not exist. */
  readonly serverName: string
  /** The canonical resource URI of this path (RFC 8707): the audience a token must have. */
  readonly resource: string
  /** Reads the body once; the guard that reads it decides when. */
  readonly readBody: (maxBytes: number) => Promise<Buffer | 'too-large' | 'aborted'>
  /** Calls back when the client hangs up before its answer was sent; at once when it has. */
  readonly onHangUp: (left: () => void) => void
}

/** A header's single value; undefined when absent, the first when repeated. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/**
 * What is known of a request before any guard has run?
 * Stops: a guard reading the socket by itself.
 * Trusts: the listener's framing and ceilings.
 * Fails: nothing here can fail.
 */
import type { IncomingHttpHeaders } from 'node:http'

/** What is known of every request, whatever its path. */
export interface Knock {
  /** The exchange's id: in the ledger and in `Castellan-Exchange`. */
  readonly exchangeId: string
  readonly httpMethod: string
  readonly headers: IncomingHttpHeaders
  /** The client's address: the socket's peer, or what a trusted proxy says of it. */
  readonly address: string
}

/** A request to a server's path: the start of every list. */
export interface Arrival extends Knock {
  /** The name in `/servers/<name>/mcp`; the upstream may not exist. */
  readonly serverName: string
  /** The canonical resource URI of this path (RFC 8707): the audience a token must have. */
  readonly resource: string
  /** Reads the body once; the guard that reads it decides when. */
  readonly readBody: (maxBytes: number) => Promise<Buffer | 'too-large' | 'encoded' | 'aborted'>
  /** Calls back when the client hangs up before its answer was sent; at once when it has. */
  readonly onHangUp: (left: () => void) => void
}

/** A header's single value; undefined when absent, the first when repeated. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/**
 * What is known of a request before any guard has run?
 * Stops: a guard reading the socket by itself.
 * Trusts: the listener's framing and ceilings.
 * Fails: nothing here can fail.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Principal } from '#kernel'
import type { Message } from '#protocol'

/** What is known of every request, whatever its path. */
export interface Knock {
  /** The exchange's id: in the ledger and in `Castellan-Exchange`. */
  readonly exchangeId: string
  readonly httpMethod: string
  readonly headers: IncomingHttpHeaders
  /** The client's address: the socket's peer, or what a trusted proxy says of it. */
  readonly address: string
}

/** What an address where several servers answer adds to the exchange with one of them. */
export interface JointAddress {
  /** `/mcp`, or that of a bundle. */
  readonly address: string
  /** The text of a response of this server as it is told there; undefined where nothing differs. */
  readonly outward: (message: Message, result: Record<string, unknown>) => string | undefined
  /** One of several exchanges that answer one request together; what waits for news holds the request's own turn. */
  readonly isLeg: boolean
}

/** What differs on the two paths of the HTTP with SSE of 2024-11-05. */
export interface OldWire {
  /** The only method of this path. */
  readonly method: 'GET' | 'POST'
  /**
   * Takes up the event stream that a message was posted for.
   * @returns the id of its session, as the person would name it anywhere else; undefined when there is no such stream
   * of this person
   */
  bind(principal: Principal): { readonly sessionId: string | undefined } | undefined
  /** Told when a message has passed every guard. */
  accepted(): void
  /** Ends the event stream after the answers that are awaited on it; set when it is open. */
  finish?: () => void
}

/** A request to a path that is served: the start of every list. */
export interface Arrival extends Knock {
  /**
   * The name in `/servers/<name>/mcp`; the upstream may not exist. The path itself where several servers answer, which no
   * upstream has for a name.
   */
  readonly serverName: string
  /** Set for what goes to one server and came to an address of several. */
  readonly joint?: JointAddress | undefined
  /** The canonical resource URI of this path (RFC 8707): the audience a token must have. */
  readonly resource: string
  /** What follows the path in the address, without the question mark. */
  readonly query?: string | undefined
  /** Reads the body once; the guard that reads it decides when. */
  readonly readBody: (maxBytes: number) => Promise<Buffer | 'too-large' | 'encoded' | 'aborted'>
  /** Set on the paths of 2024-11-05 alone. */
  readonly oldWire?: OldWire | undefined
  /** Whether the body may be a batch of messages: not on the paths of 2024-11-05, and not inside of one. */
  readonly mayBatch?: boolean | undefined
  /** Calls back when the client hangs up before its answer was sent; at once when it has. */
  readonly onHangUp: (left: () => void) => void
}

/** A header's single value; undefined when absent, the first when repeated. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

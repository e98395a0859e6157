/**
 * Does this session belong to this person at this server?
 * Stops: stolen, guessed and foreign session ids, on POST, GET and DELETE alike.
 * Trusts: the sealer: an id is a sealed value that opens only for the person and server it was made for.
 * Fails: an id that does not open never existed: 404, as the protocol says for an ended session.
 * @see MCP 2025-11-25, session management; docs/decisions/0005-gateway-session-ids-are-sealed.md
 */
import { type Principal, refuse, type Sealer } from '#kernel'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Inbound } from './read-message.ts'

export interface Session {
  /** The upstream's own session id; undefined when the request carries none. */
  readonly upstreamSessionId: string | undefined
}

function place(principal: Principal, serverName: string): string {
  return `mcp-session/${serverName}/${principal.id}`
}

/** The session id that the client gets for an upstream's session: opens for this person and server only. */
export function sealSession(
  sealer: Sealer,
  known: Pick<Arrival, 'serverName'> & Authenticated,
  upstreamId: string,
): string {
  return sealer.seal(Buffer.from(upstreamId), place(known.principal, known.serverName))
}

export function bindSession(sealer: Sealer): Guard<Arrival & Authenticated & Inbound, Session> {
  return {
    name: 'bind-session',
    check({ headers, principal, serverName, era }) {
      const presented = headerOf(headers, 'mcp-session-id')
      // SPEC: 2026-07-28 has no sessions; the header is ignored there.
      if (presented === undefined || era === 'modern') return { upstreamSessionId: undefined }
      const opened = sealer.open(presented, place(principal, serverName))
      if (opened === undefined) return refuse(gatewayRefusals.sessionUnknown)
      return { upstreamSessionId: Buffer.from(opened).toString('utf8') }
    },
  }
}

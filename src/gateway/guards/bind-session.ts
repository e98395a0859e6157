/**
 * Do this session, and this position in a stream, belong to this person at this server?
 * Stops: stolen, guessed and foreign session and event ids, on POST, GET and DELETE alike.
 * Trusts: the sealer: an id is a sealed value that opens only for the person and server it was made for.
 * Fails: an id that does not open never existed: 404, as the protocol says for an ended session.
 * @see MCP 2025-11-25, session management; docs/decisions/0005-gateway-session-ids-are-sealed.md
 */
import { refuse, type Sealer } from '#kernel'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Inbound } from './read-message.ts'

export interface Session {
  /** The upstream's own session id; undefined when the request carries none. */
  readonly upstreamSessionId: string | undefined
  /** The upstream's own name for where the client's stream broke off; undefined when it resumes none. */
  readonly lastEventId: string | undefined
}

type Holder = Pick<Arrival, 'serverName'> & Authenticated

function placeOfSession({ principal, serverName }: Holder): string {
  return `mcp-session/${serverName}/${principal.id}`
}

function placeOfEvent({ principal, serverName }: Holder, upstreamSessionId: string | undefined): string {
  return `mcp-event/${serverName}/${principal.id}/${upstreamSessionId ?? ''}`
}

/** The session id that the client gets for an upstream's session: opens for this person and server only. */
export function sealSession(sealer: Sealer, holder: Holder, upstreamId: string): string {
  return sealer.seal(Buffer.from(upstreamId), placeOfSession(holder))
}

/** The event id that the client gets for an upstream's: opens for this person and server, in this session, only. */
export function sealEvent(
  sealer: Sealer,
  holder: Holder,
  event: { readonly upstreamSessionId: string | undefined; readonly upstreamId: string },
): string {
  return sealer.seal(Buffer.from(event.upstreamId), placeOfEvent(holder, event.upstreamSessionId))
}

/** Opens what the sealer has sealed, as text. */
export interface Opener {
  openText(sealed: string, place: string): string | undefined
}

export function bindSession(sealer: Opener): Guard<Arrival & Authenticated & Inbound, Session> {
  return {
    name: 'bind-session',
    check(known) {
      // SPEC: 2026-07-28 has neither sessions nor resumption; the headers are ignored there.
      if (known.era === 'modern') return { upstreamSessionId: undefined, lastEventId: undefined }
      const [session, event] = [headerOf(known.headers, 'mcp-session-id'), headerOf(known.headers, 'last-event-id')]
      const upstreamSessionId = session === undefined ? undefined : sealer.openText(session, placeOfSession(known))
      if (session !== undefined && upstreamSessionId === undefined) return refuse(gatewayRefusals.sessionUnknown)
      const lastEventId =
        event === undefined ? undefined : sealer.openText(event, placeOfEvent(known, upstreamSessionId))
      if (event !== undefined && lastEventId === undefined) return refuse(gatewayRefusals.eventUnknown)
      return { upstreamSessionId, lastEventId }
    },
  }
}

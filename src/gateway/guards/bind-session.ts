/**
 * Do this session, and this position in a stream, belong to this person at this server?
 * Stops: stolen, guessed and foreign session and event ids, on POST, GET and DELETE alike.
 * Trusts: the sealer: an id is a sealed value that opens only for the person and server it was made for.
 * Fails: an id that does not open never existed: 404, as the protocol says for an ended session.
 * @see MCP 2025-11-25, session management; docs/decisions/0005-gateway-session-ids-are-sealed.md
 */
import { isRefusal, refuse, type Refusal, type Sealer } from '#kernel'
import { errorCodes } from '#protocol'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals, messageRefusal } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Inbound } from './read-message.ts'

export interface Session {
  /** The upstream's own session id; undefined when the request carries none. */
  readonly upstreamSessionId: string | undefined
  /** The upstream's own name for where the client's stream broke off; undefined when it resumes none. */
  readonly lastEventId: string | undefined
  /** Whether the client said, when the session was opened, that it can send its person to an address. */
  readonly opensAddresses: boolean
}

/** An upstream's session, as it is sealed for its client. */
interface OpenedSession {
  readonly upstreamId: string
  readonly opensAddresses: boolean
}

/** WHY: no header can hold a line end, so no upstream's id ends with it. */
const addressMark = '\n+'

const nothingBound: Session = { upstreamSessionId: undefined, lastEventId: undefined, opensAddresses: false }
const wrongPlace = { status: 400, code: errorCodes.invalidRequest }

type Holder = Pick<Arrival, 'serverName'> & Authenticated

function placeOfSession({ principal, serverName }: Holder): string {
  return `mcp-session/${serverName}/${principal.id}`
}

function placeOfEvent({ principal, serverName }: Holder, upstreamSessionId: string | undefined): string {
  return `mcp-event/${serverName}/${principal.id}/${upstreamSessionId ?? ''}`
}

/** The session id that the client gets for an upstream's session: opens for this person and server only. */
export function sealSession(sealer: Sealer, holder: Holder, { upstreamId, opensAddresses }: OpenedSession): string {
  const text = opensAddresses ? upstreamId + addressMark : upstreamId
  return sealer.seal(Buffer.from(text), placeOfSession(holder))
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

/** What was sealed with `sealSession` for this person and server; undefined for anything else. */
export function openSession(sealer: Opener, holder: Holder, sealed: string): OpenedSession | undefined {
  const text = sealer.openText(sealed, placeOfSession(holder))
  if (text === undefined) return undefined
  const opensAddresses = text.endsWith(addressMark)
  return { upstreamId: opensAddresses ? text.slice(0, -addressMark.length) : text, opensAddresses }
}

type Bearings = { readonly session: string | undefined; readonly event: string | undefined }

/** The session and position that a request names: in its headers, or by the event stream that it was posted for. */
function bearingsOf({ headers, oldWire, principal }: Arrival & Authenticated): Bearings | Refusal {
  const event = headerOf(headers, 'last-event-id')
  if (oldWire === undefined) return { session: headerOf(headers, 'mcp-session-id'), event }
  const bound = oldWire.bind(principal)
  // INVARIANT: another person's event stream, another server's and none that ever was get the same answer.
  return bound === undefined ? refuse(gatewayRefusals.sessionUnknown) : { session: bound.sessionId, event }
}

function isOldAndModern({ era, oldWire }: Arrival & Inbound): boolean {
  return era === 'modern' && oldWire !== undefined
}

export function bindSession(sealer: Opener): Guard<Arrival & Authenticated & Inbound, Session> {
  return {
    name: 'bind-session',
    check(known) {
      // SPEC: 2026-07-28 has neither sessions nor resumption; the headers are ignored there.
      if (isOldAndModern(known)) return messageRefusal('this revision is not spoken here', wrongPlace)
      if (known.era === 'modern') return nothingBound
      const bearings = bearingsOf(known)
      if (isRefusal(bearings)) return bearings
      const { session, event } = bearings
      const opened = session === undefined ? undefined : openSession(sealer, known, session)
      const upstreamSessionId = opened?.upstreamId
      if (session !== undefined && opened === undefined) return refuse(gatewayRefusals.sessionUnknown)
      const lastEventId =
        event === undefined ? undefined : sealer.openText(event, placeOfEvent(known, upstreamSessionId))
      if (event !== undefined && lastEventId === undefined) return refuse(gatewayRefusals.eventUnknown)
      return { upstreamSessionId, lastEventId, opensAddresses: opened?.opensAddresses === true }
    },
  }
}

/**
 * May this answer be sent? Learns `safeResult`, the only thing the responder takes.
 * Stops: foreign and malformed messages, hop-local answers of the upstream, unsealed session ids.
 * Trusts: nothing the upstream sends; session ids it mints are sealed to the person before they leave.
 * Fails: what is not understood is withheld and noted in the ledger.
 */
import { isRefusal, refuse, type Refusal, type Sealer } from '#kernel'
import type { Policy } from '#policy'
import type { Arrival } from '../arrival.ts'
import { asPrivate } from '../as-private.ts'
import type { Guard } from '../checklist.ts'
import type { Definitions } from '../definitions.ts'
import type { InFlight } from '../in-flight.ts'
import { type ChangeResult, type Inspection, inspectFrames } from '../inspect-frames.ts'
import { gatewayRefusals } from '../refusals.ts'
import { asSafe, type SafeResult, type Verdict } from '../safe-result.ts'
import type { Authenticated } from './authenticate-caller.ts'
import { decideAim } from './authorize-call.ts'
import { sealEvent, sealSession, type Session } from './bind-session.ts'
import type { Forwarded } from './forward.ts'
import { type Pins, pinRefusal } from './match-pinned-tool.ts'
import type { Inbound } from './read-message.ts'
import { heldRefusal } from './refuse-held.ts'
import type { Aim } from './resolve-target.ts'

export interface Inspected {
  readonly safeResult: SafeResult
}

export type Answered = Arrival & Authenticated & Inbound & Session & Aim & Forwarded

/** Builds the safe result of an answer, each frame inspected as it is sent. */
export function inspectAnswer(
  known: Answered,
  rooms: { sealer: Sealer; definitions: Definitions },
  more: Pick<Inspection, 'change' | 'resumed'>,
): SafeResult | Refusal {
  const { answer } = known
  // WHY: other problems of the hop between us and the upstream mean nothing to the client; these two do.
  if (answer.hopProblem !== undefined && !['session-ended', 'cancelled'].includes(answer.hopProblem)) {
    known.release(false)
    const detail = { upstreamStatus: answer.status, hopProblem: answer.hopProblem }
    return refuse(gatewayRefusals.upstreamMisbehaved, { names: { server: known.upstream.name }, detail })
  }
  const isAwaiting = known.upstreamId !== undefined && answer.hopProblem === undefined
  if (isAwaiting && answer.kind === 'empty' && answer.status < 400) {
    known.release(false)
    const detail = { upstreamStatus: answer.status, cause: 'the answer ended without a response' }
    return refuse(gatewayRefusals.upstreamMisbehaved, { names: { server: known.upstream.name }, detail })
  }
  const verdict: Verdict = { detail: {} }
  const isInitialize = known.message?.method === 'initialize'
  const upstreamSessionId = known.upstreamSessionId ?? answer.sessionId
  const inspection = {
    inbound: known,
    forwarded: known,
    serverName: known.upstream.name,
    ...more,
    sealEventId: (upstreamId: string) => sealEvent(rooms.sealer, known, { upstreamSessionId, upstreamId }),
    noticed: (method: string) => {
      if (method === 'notifications/tools/list_changed') rooms.definitions.forget(known)
    },
  }
  return asSafe({
    status: answer.status,
    kind: answer.kind,
    sessionId:
      isInitialize && answer.sessionId !== undefined ? sealSession(rooms.sealer, known, answer.sessionId) : undefined,
    frames: inspectFrames(inspection, verdict),
    verdict,
  })
}

interface ResultRooms {
  readonly sealer: Sealer
  readonly definitions: Definitions
  readonly inFlight: Pick<InFlight, 'parked'>
  readonly policy: Pick<Policy, 'decide' | 'findHold'>
  readonly pins: Pins
}

/** The client's id of a request whose response comes on a stream it resumed; undefined unless it may still be called. */
function resumedId(known: Answered, rooms: ResultRooms, upstreamId: string | number): string | number | undefined {
  const parked = known.httpMethod === 'GET' ? rooms.inFlight.parked(known, upstreamId) : undefined
  if (parked === undefined) return undefined
  const { principal } = known
  if (isRefusal(decideAim(rooms.policy, principal, parked.aim))) return undefined
  if (heldRefusal(rooms.policy, { principal, target: parked.aim.target }) !== undefined) return undefined
  return pinRefusal(rooms.pins, parked.aim) === undefined ? parked.clientId : undefined
}

const keepPrivate: ChangeResult = async (message, result) =>
  Object.hasOwn(result, 'cacheScope') ? asPrivate(message.text) : undefined

export function inspectResult(rooms: ResultRooms): Guard<Answered, Inspected> {
  return {
    name: 'inspect-result',
    check(known) {
      const resumed = (upstreamId: string | number) => resumedId(known, rooms, upstreamId)
      const isCacheable = known.era === 'modern' && known.target.kind !== 'server'
      const safeResult = inspectAnswer(known, rooms, isCacheable ? { resumed, change: keepPrivate } : { resumed })
      return 'code' in safeResult ? safeResult : { safeResult }
    },
  }
}

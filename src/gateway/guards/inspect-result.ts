/**
 * May this answer be sent? Learns `safeResult`, the only thing the responder takes.
 * Stops: foreign and malformed messages, hop-local answers of the upstream, unsealed session ids.
 * Trusts: nothing the upstream sends; session ids it mints are sealed to the person before they leave.
 * Fails: what is not understood is withheld and noted in the ledger.
 */
import { refuse, type Refusal, type Sealer } from '#kernel'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { Definitions } from '../definitions.ts'
import { type ChangeResult, inspectFrames } from '../inspect-frames.ts'
import { gatewayRefusals } from '../refusals.ts'
import { asSafe, type SafeResult, type Verdict } from '../safe-result.ts'
import type { Authenticated } from './authenticate-caller.ts'
import { sealFor, type Session } from './bind-session.ts'
import type { Forwarded } from './forward.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

export interface Inspected {
  readonly safeResult: SafeResult
}

export type Answered = Arrival & Authenticated & Inbound & Session & Aim & Forwarded

/** Builds the safe result of an answer, each frame inspected as it is sent. */
export function inspectAnswer(
  known: Answered,
  rooms: { sealer: Sealer; definitions: Definitions },
  change?: ChangeResult,
): SafeResult | Refusal {
  const { answer } = known
  // WHY: other problems of the hop between us and the upstream mean nothing to the client; these two do.
  if (answer.hopProblem !== undefined && !['session-ended', 'cancelled'].includes(answer.hopProblem)) {
    known.release()
    const detail = { upstreamStatus: answer.status, hopProblem: answer.hopProblem }
    return refuse(gatewayRefusals.upstreamMisbehaved, { names: { server: known.upstream.name }, detail })
  }
  const isAwaiting = known.upstreamId !== undefined && answer.hopProblem === undefined
  if (isAwaiting && answer.kind === 'empty' && answer.status < 400) {
    known.release()
    const detail = { upstreamStatus: answer.status, cause: 'the answer ended without a response' }
    return refuse(gatewayRefusals.upstreamMisbehaved, { names: { server: known.upstream.name }, detail })
  }
  const verdict: Verdict = { detail: {} }
  const isInitialize = known.message?.method === 'initialize'
  const inspection = {
    inbound: known,
    forwarded: known,
    serverName: known.upstream.name,
    ...(change === undefined ? {} : { change }),
    sealEventId: (eventId: string) => sealFor(rooms.sealer, known, { what: 'mcp-event', upstreamId: eventId }),
    noticed: (method: string) => {
      if (method === 'notifications/tools/list_changed') rooms.definitions.forget(known)
    },
  }
  return asSafe({
    status: answer.status,
    kind: answer.kind,
    sessionId:
      isInitialize && answer.sessionId !== undefined
        ? sealFor(rooms.sealer, known, { what: 'mcp-session', upstreamId: answer.sessionId })
        : undefined,
    frames: inspectFrames(inspection, verdict),
    verdict,
  })
}

export function inspectResult(rooms: { sealer: Sealer; definitions: Definitions }): Guard<Answered, Inspected> {
  return {
    name: 'inspect-result',
    check(known) {
      const safeResult = inspectAnswer(known, rooms)
      return 'code' in safeResult ? safeResult : { safeResult }
    },
  }
}

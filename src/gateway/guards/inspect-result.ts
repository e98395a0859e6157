/**
 * May this answer be sent? Learns `safeResult`, the only thing the responder takes.
 * Stops: foreign and malformed messages, hop-local answers of the upstream, unsealed session ids.
 * Trusts: nothing the upstream sends; session ids it mints are sealed to the person before they leave.
 * Fails: what is not understood is withheld and noted in the ledger.
 */
import { refuse, type Refusal, type Sealer, type Target } from '#kernel'
import type { Policy } from '#policy'
import type { Frame } from '#protocol'
import type { Seals } from '../handles/seals.ts'
import type { Arrival } from '../arrival.ts'
import type { AtOnceOrLater, Guard } from '../checklist.ts'
import type { Definitions } from '../definitions.ts'
import { type InFlight, resumedRequest } from '../in-flight.ts'
import { type Inspection, inspectFrames } from '../inspect-frames.ts'
import { inspectWhole } from '../inspect-whole.ts'
import { gatewayRefusals } from '../refusals.ts'
import { asSafe, type SafeResult, type Verdict } from '../safe-result.ts'
import type { Tasked } from './bind-handles.ts'
import { createRenameTasks } from '../handles/rename-tasks.ts'
import { changeFor } from '../handles/change-answer.ts'
import type { TaskIds } from '../handles/task-ids.ts'
import { declaresAddresses } from '../remedies/tell-needs.ts'
import { screenBeside } from '../remedies/redact.ts'
import { hopFault, upstreamRefusal } from '../upstream-refusal.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Authorized } from './authorize-call.ts'
import { sealEvent, sealSession, type Session } from './bind-session.ts'
import type { Forwarded } from './forward.ts'
import type { Pins } from './match-pinned-tool.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

export interface Inspected {
  readonly safeResult: SafeResult
}

type AnswerRooms = Pick<ResultRooms, 'sealer' | 'definitions' | 'taskIds'> & { readonly policy: Pick<Policy, 'decide'> }

export type Answered = Arrival & Authenticated & Inbound & Session & Aim & Forwarded & Partial<Tasked & Authorized>

function inspectionOf(known: Answered, rooms: AnswerRooms, more: Pick<Inspection, 'change' | 'resumed'>): Inspection {
  const upstreamSessionId = known.upstreamSessionId ?? known.answer.sessionId
  return {
    inbound: known,
    forwarded: known,
    serverName: known.upstream.name,
    ...more,
    ...(known.decision?.redact === undefined ? {} : { screen: screenBeside }),
    renameTasks: createRenameTasks(known, rooms.taskIds),
    mayShareRoots: () => {
      const server: Target = { upstream: known.upstream.name, kind: 'server' }
      return rooms.policy.decide(known.principal, 'roots:share', server, known.circumstances).isAllowed
    },
    sealEventId: (upstreamId: string) => sealEvent(rooms.sealer, known, { upstreamSessionId, upstreamId }),
    noticed: (method: string) => {
      if (method === 'notifications/tools/list_changed') rooms.definitions.forget(known)
    },
  }
}

/** SPEC: a notification or response that was accepted is answered 202 and nothing else. */
const accepted = { status: 202, kind: 'empty' } as const

/** Whether an upstream answered with a message what has no answer. */
function isForNobody({ httpMethod, upstreamId, answer }: Answered): boolean {
  return httpMethod === 'POST' && upstreamId === undefined && answer.kind === 'json' && answer.status < 300
}

/** The session that the upstream opened with this answer, as the client gets it. */
function sessionIdOf(known: Answered, sealer: Sealer): string | undefined {
  const { sessionId } = known.answer
  const isOpened = sessionId !== undefined && known.message?.method === 'initialize'
  if (!isOpened) return undefined
  const opensAddresses = declaresAddresses(known.message?.params)
  return sealSession(sealer, known, { upstreamId: sessionId, opensAddresses })
}

/** With these Streamable HTTP refuses a request without a message; any other status means nothing to the client. */
const transportStatuses = new Set([400, 404, 405, 406, 413, 415])

/** Builds the safe result of an answer: a whole one inspected at once, each frame of a stream as it is sent. */
export function inspectAnswer(
  known: Answered,
  rooms: AnswerRooms,
  more: Pick<Inspection, 'change' | 'resumed'>,
): AtOnceOrLater<Inspected | Refusal> {
  const { answer } = known
  const broken = hopFault(answer)
  // WHY: other problems of the hop between us and the upstream mean nothing to the client; these two do.
  if (broken !== undefined && !['session-ended', 'cancelled'].includes(answer.hopProblem ?? '')) {
    known.release(false)
    return upstreamRefusal(broken, known.upstream.name)
  }
  const isAwaiting = known.upstreamId !== undefined && answer.hopProblem === undefined
  if (isAwaiting && answer.kind === 'empty' && !transportStatuses.has(answer.status)) {
    known.release(false)
    const detail = { upstreamStatus: answer.status, cause: 'the answer ended without a response' }
    return refuse(gatewayRefusals.upstreamMisbehaved, { names: { server: known.upstream.name }, detail })
  }
  const verdict: Verdict = { detail: {} }
  const inspection = inspectionOf(known, rooms, more)
  const { status, kind } = isForNobody(known) ? accepted : answer
  const sessionId = sessionIdOf(known, rooms.sealer)
  if (kind === 'stream') {
    return { safeResult: asSafe({ status, kind, sessionId, verdict, frames: inspectFrames(inspection, verdict) }) }
  }
  const learn = (passed: Frame | undefined): Inspected => {
    const body = kind === 'json' ? (passed?.body ?? '') : ''
    return { safeResult: asSafe({ status, kind, sessionId, verdict, body }) }
  }
  const passed = inspectWhole(answer.only, inspection, verdict)
  return passed instanceof Promise ? passed.then(learn) : learn(passed)
}

interface ResultRooms {
  readonly sealer: Sealer
  readonly definitions: Definitions
  readonly inFlight: Pick<InFlight, 'parked'>
  readonly policy: Pick<Policy, 'decide' | 'findHold'>
  readonly pins: Pins
  readonly taskIds: TaskIds
  readonly seals: Seals
}

export function inspectResult(rooms: ResultRooms): Guard<Answered, Inspected> {
  return {
    name: 'inspect-result',
    check(known) {
      const resumed = (upstreamId: string | number) => resumedRequest(known, rooms, upstreamId)
      const change = changeFor(known, rooms.seals)
      return inspectAnswer(known, rooms, change === undefined ? { resumed } : { resumed, change })
    },
  }
}

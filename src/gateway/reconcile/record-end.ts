/**
 * How is the end of an exchange put on record, answered or refused?
 * Stops: an end that names another intent, a denial that is told before it is on record.
 * Trusts: what the guards learned.
 * Fails: a refusal that cannot be recorded becomes the refusal that says so.
 */
import type { EntryFields, EventDefinition, Ledger } from '#audit'
import { type Clock, Fault, refuse, type Refusal } from '#kernel'
import type { Ending } from '../ending.ts'
import { callCompleted, callCut, callRefused } from '../events.ts'
import { isTallied } from '../limits/request-rate.ts'
import { traceDetail, type Trip } from '../measure/trip.ts'
import type { PipelineLists } from '../pipeline.ts'
import { gatewayRefusals, type WiredRefusal } from '../refusals.ts'
import type { Sent } from '../respond.ts'
import { upstreamRefusal } from '../upstream-refusal.ts'
import { decisionFacts, parametersOf } from './decision-facts.ts'

export interface RecordRooms {
  readonly ledger: Pick<Ledger, 'append' | 'appendSoon'>
  readonly clock: Clock
}

/** An exchange that has begun and not ended. */
export interface Begun {
  readonly startedAt: number
  readonly cut: Ending
  readonly trip: Trip
}

type OutcomeOf<Name extends 'straight' | 'exchanges' | 'listings'> = Awaited<ReturnType<PipelineLists[Name]['run']>>

/** What is known of an exchange that passed every guard. */
export type Passed = Extract<OutcomeOf<'exchanges' | 'listings'>, { isRefused: false }>['known']
/** What is known of an exchange that may go to its upstream. */
export type Entered = Extract<OutcomeOf<'straight'>, { isRefused: false }>['known']
/** How an exchange ended that had come as far as to be watched. */
export type RefusedLater = Extract<OutcomeOf<'exchanges' | 'listings'>, { isRefused: true }>
/** How an exchange ended that did not pass. */
export type Refused = Extract<OutcomeOf<'straight' | 'exchanges' | 'listings'>, { isRefused: true }>

export interface RecordedRefusal {
  /** What the caller is told. */
  readonly told: Refusal | WiredRefusal
  /** The entry's number, or that of the intent; undefined when there is none. */
  readonly entry: number | undefined
  /** It had reached the upstream, and what allowed it has ended. */
  readonly isCut: boolean
}

/** Guards that refuse by a decision of policy alone. */
const deciding: ReadonlySet<string> = new Set(['authorize-server', 'authorize-call'])

/** What a denial was made from: one that a change of the policy could undo. */
function factsOf({ known, guard }: Refused): Record<string, unknown> | undefined {
  const { principal, target, permission, alsoNeeded, wasCalled, circumstances, serverLabels, message } = known
  if (!deciding.has(guard) || principal === undefined || target === undefined || permission === undefined)
    return undefined
  if (alsoNeeded === undefined || circumstances === undefined) return undefined
  const { actors } = principal
  return {
    judged: decisionFacts({ principal, target, permission, alsoNeeded, wasCalled, circumstances, serverLabels }),
    parameters: parametersOf({ message }),
    ...(actors === undefined ? undefined : { actors }),
  }
}

async function record({ ledger }: RecordRooms, event: EventDefinition, fields: EntryFields): Promise<number | Refusal> {
  try {
    return (await ledger.append(event, fields)).seq
  } catch (thrown) {
    return thrown instanceof Fault ? upstreamRefusal(thrown, '') : refuse(gatewayRefusals.fault)
  }
}

export async function recordRefused(rooms: RecordRooms, begun: Begun, outcome: Refused): Promise<RecordedRefusal> {
  const { known, guard } = outcome
  const cutBy = begun.cut.refusal
  const refusal = cutBy ?? outcome.refusal
  const intent = 'intent' in known ? known.intent : undefined
  const event = intent === undefined ? callRefused : cutBy === undefined ? callCompleted : callCut
  const method = known.message?.method ?? known.httpMethod
  const recorded = isTallied(refusal)
    ? undefined
    : await record(rooms, event, {
        exchange: known.exchangeId,
        address: known.address,
        principal: known.principal,
        target: known.target,
        outcome: event === callCompleted ? 'failed' : 'refused',
        refusal: refusal.code,
        durationMs: rooms.clock.now() - begun.startedAt,
        details: {
          ...refusal.detail,
          ...('decision' in known && known.decision?.stepUp !== undefined ? { stepUp: known.decision.stepUp.id } : {}),
          guard,
          method,
          ...factsOf(outcome),
          ...traceDetail(begun.trip),
          ...(intent === undefined ? {} : { intent: intent.seq }),
        },
      })
  return {
    // INVARIANT: a refusal that is not on record is not told; the caller hears that recording failed.
    told: typeof recorded === 'object' ? recorded : refusal,
    entry: typeof recorded === 'number' ? (intent?.seq ?? recorded) : undefined,
    isCut: cutBy !== undefined && intent !== undefined,
  }
}

/** Records that an exchange was answered. Never rejects. */
export function recordAnswered(rooms: RecordRooms, begun: Begun, known: Passed, sent: Sent): Promise<unknown> {
  const { verdict } = known.safeResult
  const { exchangeId, address, principal, target, intent } = known
  const cutBy = begun.cut.refusal
  const recorded = rooms.ledger.appendSoon(cutBy === undefined ? callCompleted : callCut, {
    exchange: exchangeId,
    address,
    principal,
    target,
    outcome: cutBy === undefined ? (verdict.outcome ?? 'unknown') : 'refused',
    refusal: cutBy?.code,
    durationMs: rooms.clock.now() - begun.startedAt,
    bytes: sent.bytes,
    details: { ...verdict.detail, intent: intent.seq, isDelivered: sent.isDelivered, ...traceDetail(begun.trip) },
  })
  // WHY: the client has its answer; an end that is refused is recorded when the ledger can be written again.
  return recorded.catch(() => undefined)
}

/** The id under which a refusal is answered. */
export function messageIdOf({ known, refusal }: Pick<Refused, 'known'> & { refusal: Refusal | WiredRefusal }) {
  // WHY: the id of a posted response is the upstream's.
  if (known.message !== undefined) return known.message.kind === 'request' ? known.message.id : undefined
  return 'wire' in refusal ? refusal.wire.messageId : undefined
}

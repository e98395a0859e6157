/**
 * One request and its end: opened here, ended in the ledger exactly once, answered or refused.
 * Stops: an exchange without an end on record, a denial missing from the audit, an answer before its record.
 * Trusts: the lists of `pipeline.ts` for every decision.
 * Fails: when a refusal cannot be recorded, the answer is 503; nothing unrecorded is told.
 */
import type { ServerResponse } from 'node:http'
import type { EntryFields, EventDefinition, Ledger } from '#audit'
import { type Clock, Fault, refuse, type Refusal } from '#kernel'
import type { AtOnceOrLater } from './checklist.ts'
import { Ending } from './ending.ts'
import { callCompleted, callCut, callRefused } from './events.ts'
import { waitsForNews } from './guards/await-turn.ts'
import { isListing } from './guards/filter-listing.ts'
import { isTallied } from './limits/request-rate.ts'
import type { Measure } from './measure/measure.ts'
import { traceDetail, type Trip } from './measure/trip.ts'
import type { createPipeline, Start } from './pipeline.ts'
import { gatewayRefusals, type WiredRefusal } from './refusals.ts'
import { answerRefusal } from './refuse.ts'
import { respond, type Sent } from './respond.ts'
import { upstreamRefusal } from './upstream-refusal.ts'
import type { Watch } from './watch.ts'

export interface ExchangeRooms {
  readonly ledger: Pick<Ledger, 'append' | 'appendSoon'>
  readonly clock: Clock
  readonly watch: Watch
  readonly pipeline: ReturnType<typeof createPipeline>
  readonly metadataUrl: (serverName: string) => string
  readonly measure: Measure
}

type Lists = ExchangeRooms['pipeline']
type OutcomeOf<Name extends 'entrance' | 'exchanges' | 'listings'> = Awaited<ReturnType<Lists[Name]['run']>>
type Passed = Extract<OutcomeOf<'exchanges' | 'listings'>, { isRefused: false }>['known']
type Refused = Extract<OutcomeOf<'entrance' | 'exchanges' | 'listings'>, { isRefused: true }>

interface Open {
  readonly res: ServerResponse
  readonly startedAt: number
  readonly cut: Ending
  readonly trip: Trip
  /** The state of the database before anything was asked. */
  readonly asOf: number
}

type Entered = Extract<OutcomeOf<'entrance'>, { isRefused: false }>['known']

/** From here on the exchange can be cut. @returns what ends that */
function watchOver(rooms: ExchangeRooms, open: Open, known: Entered): () => void {
  const { principal, upstream, target, permission, alsoNeeded, message, httpMethod } = known
  const cut = (refusal: Refusal): void => open.cut.end(refusal)
  const isWaiting = waitsForNews(httpMethod, message)
  const watched = { principal, upstream, target, permission, alsoNeeded, cut, waitsForNews: isWaiting }
  return rooms.watch.open(watched, open.asOf)
}

async function record(rooms: ExchangeRooms, event: EventDefinition, fields: EntryFields): Promise<number | Refusal> {
  try {
    return (await rooms.ledger.append(event, fields)).seq
  } catch (thrown) {
    return thrown instanceof Fault ? upstreamRefusal(thrown, '') : refuse(gatewayRefusals.fault)
  }
}

function messageIdOf({ known, refusal }: { known: Refused['known']; refusal: Refusal | WiredRefusal }) {
  // WHY: the id of a posted response is the upstream's.
  if (known.message !== undefined) return known.message.kind === 'request' ? known.message.id : undefined
  return 'wire' in refusal ? refusal.wire.messageId : undefined
}

async function endRefused(rooms: ExchangeRooms, open: Open, outcome: Refused): Promise<void> {
  const { known, guard } = outcome
  const cutBy = open.cut.refusal
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
        durationMs: rooms.clock.now() - open.startedAt,
        details: {
          ...refusal.detail,
          guard,
          method,
          ...traceDetail(open.trip),
          ...(intent === undefined ? {} : { intent: intent.seq }),
        },
      })
  answerRefusal(open.res, {
    // INVARIANT: a refusal that is not on record is not told; the caller hears that recording failed.
    refusal: typeof recorded === 'object' ? recorded : refusal,
    exchangeId: known.exchangeId,
    entry: typeof recorded === 'number' ? (intent?.seq ?? recorded) : undefined,
    messageId: messageIdOf(outcome),
    metadataUrl: rooms.metadataUrl(known.serverName),
  })
  const told = typeof recorded === 'object' ? recorded : refusal
  rooms.measure.ended(open.trip, { known, refusal: told, guard, isCut: cutBy !== undefined && intent !== undefined })
}

/** Sends the answer. Never throws or rejects: what cannot be sent was not delivered. */
function send({ res, cut }: Open, known: Passed): AtOnceOrLater<Sent> {
  const { safeResult, intent, exchangeId, message, era, httpMethod } = known
  const fail = (thrown: unknown): Sent => {
    safeResult.verdict.detail['cause'] = String(thrown)
    res.destroy()
    return { bytes: 0, isDelivered: false }
  }
  try {
    const sent = respond({
      res,
      safeResult,
      exchangeId,
      entry: intent.seq,
      messageId: message?.kind === 'request' ? message.id : undefined,
      cut,
      readsToTheEnd: era === 'legacy' && httpMethod === 'POST',
    })
    return sent instanceof Promise ? sent.catch(fail) : sent
  } catch (thrown) {
    return fail(thrown)
  }
}

function endAnswered(rooms: ExchangeRooms, open: Open, known: Passed, release: () => void): Promise<unknown> {
  const { verdict } = known.safeResult
  const close = ({ bytes, isDelivered }: Sent): Promise<unknown> => {
    release()
    const cutBy = open.cut.refusal
    rooms.measure.ended(open.trip, { known, refusal: cutBy, verdict, isCut: cutBy !== undefined })
    const { exchangeId, address, principal, target, intent } = known
    const recorded = rooms.ledger.appendSoon(cutBy === undefined ? callCompleted : callCut, {
      exchange: exchangeId,
      address,
      principal,
      target,
      outcome: cutBy === undefined ? (verdict.outcome ?? 'unknown') : 'refused',
      refusal: cutBy?.code,
      durationMs: rooms.clock.now() - open.startedAt,
      bytes,
      details: { ...verdict.detail, intent: intent.seq, isDelivered, ...traceDetail(open.trip) },
    })
    // WHY: the client has its answer; an end that is refused is recorded when the ledger can be written again.
    return recorded.catch(() => undefined)
  }
  const sent = send(open, known)
  return sent instanceof Promise ? sent.then(close) : close(sent)
}

/** Makes the function that answers one request and resolves when its end is on record. Rejects only for a broken socket. */
export function createExchange(
  rooms: ExchangeRooms,
): (start: Omit<Start, 'cut' | 'trip'>, res: ServerResponse) => Promise<void> {
  const { entrance, exchanges, listings } = rooms.pipeline
  return async (start, res) => {
    const cut = new Ending()
    const trip = rooms.measure.begin()
    const open: Open = { res, startedAt: rooms.clock.now(), cut, trip, asOf: rooms.watch.asOf() }
    const entered = await entrance.run({ ...start, cut, trip })
    rooms.measure.follow(trip, entered.known)
    if (entered.isRefused) return endRefused(rooms, open, entered)
    const unwatch = watchOver(rooms, open, entered.known)
    const outcome = await (isListing(entered.known.message?.method) ? listings : exchanges).run(entered.known)
    const { turn } = outcome.known
    const release = (): void => {
      unwatch()
      turn?.end()
    }
    if (outcome.isRefused) await endRefused(rooms, open, outcome).finally(release)
    else await endAnswered(rooms, open, outcome.known, release)
  }
}

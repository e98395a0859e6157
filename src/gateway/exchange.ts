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
  readonly start: Omit<Start, 'cut' | 'trip'>
  readonly res: ServerResponse
  readonly startedAt: number
  readonly cut: Ending
  readonly trip: Trip
  /** The state of the database before anything was asked. */
  readonly asOf: number
}

/** Runs the shared start, then the list for what is asked. While the upstream is asked, the exchange can be cut. */
async function runLists(rooms: ExchangeRooms, open: Open): Promise<{ outcome: Refused | Passed; release: () => void }> {
  const { entrance, exchanges, listings } = rooms.pipeline
  const entered = await entrance.run({ ...open.start, cut: open.cut, trip: open.trip })
  rooms.measure.follow(open.trip, entered.known)
  if (entered.isRefused) return { outcome: entered, release: () => undefined }
  const { principal, upstream, target, permission, alsoNeeded, message, httpMethod } = entered.known
  const cut = (refusal: Refusal): void => open.cut.end(refusal)
  const judged = { principal, upstream, target, permission, alsoNeeded, cut }
  const unwatch = rooms.watch.open({ ...judged, waitsForNews: waitsForNews(httpMethod, message) }, open.asOf)
  const list = isListing(message?.method) ? listings : exchanges
  const outcome = await list.run(entered.known)
  const { turn } = outcome.known
  const release = (): void => {
    unwatch()
    turn?.end()
  }
  return { outcome: outcome.isRefused ? outcome : outcome.known, release }
}

function whoAndWhat({ exchangeId, address, principal, target }: Refused['known'] | Passed) {
  return { exchange: exchangeId, address, principal, target }
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
        ...whoAndWhat(known),
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
  const headers = { 'castellan-exchange': exchangeId, 'castellan-entry': String(intent.seq) }
  try {
    const sent = respond({
      res,
      safeResult,
      headers: safeResult.sessionId === undefined ? headers : { ...headers, 'mcp-session-id': safeResult.sessionId },
      messageId: message?.kind === 'request' ? message.id : undefined,
      cut,
      readsToTheEnd: era === 'legacy' && httpMethod === 'POST',
    })
    return sent instanceof Promise ? sent.catch(fail) : sent
  } catch (thrown) {
    return fail(thrown)
  }
}

async function endAnswered(rooms: ExchangeRooms, open: Open, known: Passed, release: () => void): Promise<void> {
  const { verdict } = known.safeResult
  const sent = await send(open, known)
  release()
  const cutBy = open.cut.refusal
  rooms.measure.ended(open.trip, { known, refusal: cutBy, verdict, isCut: cutBy !== undefined })
  const recorded = rooms.ledger.appendSoon(cutBy === undefined ? callCompleted : callCut, {
    ...whoAndWhat(known),
    outcome: cutBy === undefined ? (verdict.outcome ?? 'unknown') : 'refused',
    refusal: cutBy?.code,
    durationMs: rooms.clock.now() - open.startedAt,
    bytes: sent.bytes,
    details: { ...verdict.detail, intent: known.intent.seq, isDelivered: sent.isDelivered, ...traceDetail(open.trip) },
  })
  // WHY: the client has its answer; an end that is refused is recorded when the ledger can be written again.
  await recorded.catch(() => undefined)
}

/** Makes the function that answers one request and resolves when its end is on record. Rejects only for a broken socket. */
export function createExchange(
  rooms: ExchangeRooms,
): (start: Omit<Start, 'cut' | 'trip'>, res: ServerResponse) => Promise<void> {
  return async (start, res) => {
    const open: Open = {
      start,
      res,
      startedAt: rooms.clock.now(),
      cut: new Ending(),
      trip: rooms.measure.begin(),
      asOf: rooms.watch.asOf(),
    }
    const { outcome, release } = await runLists(rooms, open)
    if ('isRefused' in outcome) await endRefused(rooms, open, outcome).finally(release)
    else await endAnswered(rooms, open, outcome, release)
  }
}

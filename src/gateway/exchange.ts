/**
 * One request and its end: opened here, ended in the ledger exactly once, answered or refused.
 * Stops: an exchange without an end on record, a denial missing from the audit, an answer before its record.
 * Trusts: the lists of `pipeline.ts` for every decision.
 * Fails: when a refusal cannot be recorded, the answer is 503; nothing unrecorded is told.
 */
import { createId, type Refusal } from '#kernel'
import type { Arrival } from './arrival.ts'
import { answerBatch } from './batch/answer-batch.ts'
import type { AtOnceOrLater } from './checklist.ts'
import { Ending } from './ending.ts'
import { waitsForNews } from './guards/await-turn.ts'
import { isListing } from './guards/filter-listing.ts'
import { partsOf } from './guards/read-message.ts'
import type { StreamUse } from './limits/stream-life.ts'
import type { Measure } from './measure/measure.ts'
import type { PipelineLists, Start } from './pipeline.ts'
import {
  type Begun,
  type Entered,
  messageIdOf,
  type Passed,
  recordAnswered,
  recordRefused,
  type RecordRooms,
  type Refused,
  type RefusedLater,
} from './reconcile/record-end.ts'
import { gatewayRefusals } from './refusals.ts'
import type { Exit, Sent } from './respond.ts'
import type { Channels } from './sse/channels.ts'
import { openChannel } from './sse/open-channel.ts'
import type { Watch } from './watch.ts'

export interface ExchangeRooms extends RecordRooms {
  readonly watch: Watch
  readonly metadataUrl: (served: string) => string
  readonly measure: Measure
}

/** Which lists an arrival goes through: to what it is about, and from there to its result. */
export interface Way {
  enter(start: Start): AtOnceOrLater<Refused | { readonly isRefused: false; readonly known: Entered }>
  follow(known: Entered): AtOnceOrLater<RefusedLater | { readonly isRefused: false; readonly known: Passed }>
}

/** The way of a request to one server. */
export function straightWay({ straight, exchanges, listings }: PipelineLists): Way {
  return {
    enter: (start) => straight.run(start),
    follow: (known) => (isListing(known.message?.method) ? listings : exchanges).run(known),
  }
}

/** The way of a client that opens an event stream of 2024-11-05. */
export function oldStreamWay({ straight, oldStreams }: PipelineLists, channels: Channels): Way {
  return {
    enter: (start) => straight.run(start),
    async follow(known) {
      const outcome = await oldStreams.run(known)
      if (outcome.isRefused) return outcome
      return { isRefused: false, known: { ...outcome.known, ...openChannel(channels, outcome.known) } }
    },
  }
}

interface Open extends Begun {
  readonly exit: Exit
  /** The state of the database before anything was asked. */
  readonly asOf: number
  readonly use: StreamUse
}

/** What is counted of it is left out where it belongs to another exchange. */
type Watchable = Pick<Open, 'cut' | 'asOf'> & Partial<Pick<Open, 'use'>>

/** From here on the exchange can be cut. @returns what ends that */
export function watchOver(watch: Watch, opened: Watchable, known: Entered): () => void {
  const { cut, asOf, use } = opened
  const { principal, upstream, target, permission, alsoNeeded, wasCalled, circumstances, gathers } = known
  const { message, httpMethod, oldWire, brought, consented } = known
  const isWaiting = waitsForNews(httpMethod, message)
  const end = (refusal: Refusal): void => {
    // WHY: calls that a stop waits for are answered on this stream.
    if (refusal.code === gatewayRefusals.stopping.code && oldWire?.finish !== undefined) oldWire.finish()
    else cut.end(refusal)
  }
  const aim = { principal, upstream, target, permission, alsoNeeded, wasCalled, circumstances, gathers, brought }
  return watch.open({ ...aim, consented, cut: end, waitsForNews: isWaiting, use: isWaiting ? use : undefined }, asOf)
}

/** WHY: what is not on record as intended did not happen, and costs nothing. */
function settle(known: RefusedLater['known']): void {
  if (!('spending' in known)) return
  const { spending, intent, body } = known
  if (intent === undefined) spending?.giveBack()
  else spending?.answered(body?.length ?? 0)
}

async function endRefused(rooms: ExchangeRooms, open: Open, outcome: Refused): Promise<void> {
  const { known, guard } = outcome
  const { told, entry, isCut } = await recordRefused(rooms, open, outcome)
  open.exit.refuse({
    refusal: told,
    exchangeId: known.exchangeId,
    entry,
    messageId: messageIdOf(outcome),
    metadataUrl: rooms.metadataUrl(known.serverName),
  })
  rooms.measure.ended(open.trip, { known, refusal: told, guard, isCut })
}

/** Sends the answer. Never throws or rejects: what cannot be sent was not delivered. */
function send({ exit, cut, use }: Open, known: Passed): AtOnceOrLater<Sent> {
  const { safeResult, intent, exchangeId, message, era, httpMethod } = known
  const fail = (thrown: unknown): Sent => {
    safeResult.verdict.detail['cause'] = String(thrown)
    exit.destroy()
    return { bytes: 0, isDelivered: false }
  }
  try {
    const sent = exit.answer({
      safeResult,
      exchangeId,
      entry: intent.seq,
      messageId: message?.kind === 'request' ? message.id : undefined,
      cut,
      use,
      readsToTheEnd: era === 'legacy' && httpMethod === 'POST',
    })
    return sent instanceof Promise ? sent.catch(fail) : sent
  } catch (thrown) {
    return fail(thrown)
  }
}

function endAnswered(rooms: ExchangeRooms, open: Open, known: Passed, release: () => void): Promise<unknown> {
  const { verdict } = known.safeResult
  const close = (sent: Sent): Promise<unknown> => {
    release()
    if ('spending' in known) known.spending?.answered(sent.bytes + (known.body?.length ?? 0))
    const cutBy = open.cut.refusal
    rooms.measure.ended(open.trip, { known, refusal: cutBy, verdict, isCut: cutBy !== undefined })
    return recordAnswered(rooms, open, known, sent)
  }
  const sent = send(open, known)
  return sent instanceof Promise ? sent.then(close) : close(sent)
}

/** Makes the function that answers one request and resolves when its end is on record. Rejects only for a broken socket. */
export function createExchange(rooms: ExchangeRooms, way: Way): (start: Arrival, exit: Exit) => Promise<void> {
  const answerParts = (parts: readonly Buffer[], start: Arrival, exit: Exit): Promise<void> =>
    answerBatch(parts, { exit, exchangeId: start.exchangeId }, (part, partExit) => {
      const exchangeId = createId(rooms.clock.now())
      return answerOne({ ...start, exchangeId, mayBatch: false, readBody: () => Promise.resolve(part) }, partExit)
    })
  const answerOne = async (start: Arrival, exit: Exit): Promise<void> => {
    const cut = new Ending()
    const trip = rooms.measure.begin()
    const [asOf, use] = [rooms.watch.asOf(), { messages: 0 }]
    const open: Open = { exit, startedAt: rooms.clock.now(), cut, trip, asOf, use }
    const entered = await way.enter({ ...start, cut, trip })
    rooms.measure.follow(trip, entered.known)
    if (entered.isRefused) {
      const parts = partsOf(entered.refusal)
      return parts === undefined ? endRefused(rooms, open, entered) : answerParts(parts, start, exit)
    }
    const unwatch = watchOver(rooms.watch, open, entered.known)
    const outcome = await way.follow(entered.known)
    const { turn } = outcome.known
    const release = (): void => {
      unwatch()
      turn?.end()
    }
    if (outcome.isRefused) {
      settle(outcome.known)
      await endRefused(rooms, open, outcome).finally(release)
    } else await endAnswered(rooms, open, outcome.known, release)
  }
  return answerOne
}

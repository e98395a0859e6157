/**
 * One request and its end: opened here, ended in the ledger exactly once, answered or refused.
 * Stops: an exchange without an end on record, a denial missing from the audit, an answer before its record.
 * Trusts: the lists of `pipeline.ts` for every decision.
 * Fails: when a refusal cannot be recorded, the answer is 503; nothing unrecorded is told.
 */
import type { ServerResponse } from 'node:http'
import type { EntryFields, EventDefinition, Ledger } from '#audit'
import { type Clock, Fault, isRefusal, refuse, type Refusal } from '#kernel'
import { callCompleted, callCut, callRefused } from './events.ts'
import { isListing } from './guards/filter-listing.ts'
import type { createPipeline, Start } from './pipeline.ts'
import { gatewayRefusals, type WiredRefusal } from './refusals.ts'
import { answerRefusal } from './refuse.ts'
import { respond, type Sent } from './respond.ts'
import { upstreamRefusal } from './upstream-refusal.ts'
import type { Watch } from './watch.ts'

export interface ExchangeRooms {
  readonly ledger: Pick<Ledger, 'append'>
  readonly clock: Clock
  readonly watch: Watch
  readonly pipeline: ReturnType<typeof createPipeline>
  readonly metadataUrl: (serverName: string) => string
}

type Lists = ExchangeRooms['pipeline']
type OutcomeOf<Name extends keyof Lists> = Awaited<ReturnType<Lists[Name]['run']>>
type Passed = Extract<OutcomeOf<'exchanges' | 'listings'>, { isRefused: false }>['known']
type Refused = Extract<OutcomeOf<keyof Lists>, { isRefused: true }>

interface Open {
  readonly start: Omit<Start, 'cut'>
  readonly res: ServerResponse
  readonly startedAt: number
  readonly cut: AbortController
}

/** Runs the shared start, then the list for what is asked. While the upstream is asked, the exchange can be cut. */
async function runLists(rooms: ExchangeRooms, open: Open): Promise<{ outcome: Refused | Passed; release: () => void }> {
  const { entrance, exchanges, listings } = rooms.pipeline
  const entered = await entrance.run({ ...open.start, cut: open.cut.signal })
  if (entered.isRefused) return { outcome: entered, release: () => undefined }
  const { principal, upstream, target, permission, subscriptions, message } = entered.known
  const cut = (refusal: Refusal): void => open.cut.abort(refusal)
  const release = rooms.watch.open({ principal, upstream, target, permission, subscriptions, cut })
  const list = isListing(message?.method) ? listings : exchanges
  const outcome = await list.run(entered.known)
  return { outcome: outcome.isRefused ? outcome : outcome.known, release }
}

function whoAndWhat(known: Refused['known'] | Passed): EntryFields {
  return {
    exchange: known.exchangeId,
    address: known.address,
    outcome: 'refused',
    ...(known.principal === undefined ? {} : { principal: known.principal }),
    ...(known.target === undefined ? {} : { target: known.target }),
  }
}

async function record(rooms: ExchangeRooms, event: EventDefinition, fields: EntryFields): Promise<number | Refusal> {
  try {
    return (await rooms.ledger.append(event, fields)).seq
  } catch (thrown) {
    return thrown instanceof Fault ? upstreamRefusal(thrown, '') : refuse(gatewayRefusals.fault)
  }
}

function cutRefusal({ cut }: Open): Refusal | undefined {
  return cut.signal.aborted && isRefusal(cut.signal.reason) ? cut.signal.reason : undefined
}

function messageIdOf({ known, refusal }: { known: Refused['known']; refusal: Refusal | WiredRefusal }) {
  if (known.message !== undefined) return known.message.id
  return 'wire' in refusal ? refusal.wire.messageId : undefined
}

async function endRefused(rooms: ExchangeRooms, open: Open, outcome: Refused): Promise<void> {
  const { known, guard } = outcome
  const cutBy = cutRefusal(open)
  const refusal = cutBy ?? outcome.refusal
  const intent = 'intent' in known ? known.intent : undefined
  const event = intent === undefined ? callRefused : cutBy === undefined ? callCompleted : callCut
  const method = known.message?.method ?? known.httpMethod
  const recorded = await record(rooms, event, {
    ...whoAndWhat(known),
    outcome: event === callCompleted ? 'failed' : 'refused',
    refusal: refusal.code,
    durationMs: rooms.clock.now() - open.startedAt,
    details: { ...refusal.detail, guard, method, ...(intent === undefined ? {} : { intent: intent.seq }) },
  })
  answerRefusal(open.res, {
    // INVARIANT: a refusal that is not on record is not told; the caller hears that recording failed.
    refusal: typeof recorded === 'number' ? refusal : recorded,
    exchangeId: known.exchangeId,
    entry: typeof recorded === 'number' ? (intent?.seq ?? recorded) : undefined,
    messageId: messageIdOf(outcome),
    metadataUrl: rooms.metadataUrl(known.serverName),
  })
}

function send(open: Open, known: Passed): Promise<Sent> {
  const { safeResult, intent, exchangeId, message, era, httpMethod } = known
  return respond({
    res: open.res,
    safeResult,
    headers: {
      'castellan-exchange': exchangeId,
      'castellan-entry': String(intent.seq),
      ...(safeResult.sessionId === undefined ? {} : { 'mcp-session-id': safeResult.sessionId }),
    },
    messageId: message?.kind === 'request' ? message.id : undefined,
    cut: open.cut.signal,
    readsToTheEnd: era === 'legacy' && httpMethod === 'POST',
  })
}

async function endAnswered(rooms: ExchangeRooms, open: Open, known: Passed): Promise<void> {
  const { verdict } = known.safeResult
  const sent = await send(open, known).catch((thrown: unknown) => {
    verdict.detail['cause'] = String(thrown)
    open.res.destroy()
    return { bytes: 0, isDelivered: false }
  })
  const cutBy = cutRefusal(open)
  await record(rooms, cutBy === undefined ? callCompleted : callCut, {
    ...whoAndWhat(known),
    outcome: cutBy === undefined ? (verdict.outcome ?? 'unknown') : 'refused',
    ...(cutBy === undefined ? {} : { refusal: cutBy.code }),
    durationMs: rooms.clock.now() - open.startedAt,
    bytes: sent.bytes,
    details: { ...verdict.detail, intent: known.intent.seq, isDelivered: sent.isDelivered },
  })
}

/** Makes the function that answers one request and resolves when its end is on record. Rejects only for a broken socket. */
export function createExchange(
  rooms: ExchangeRooms,
): (start: Omit<Start, 'cut'>, res: ServerResponse) => Promise<void> {
  return async (start, res) => {
    const open: Open = { start, res, startedAt: rooms.clock.now(), cut: new AbortController() }
    const { outcome, release } = await runLists(rooms, open)
    try {
      if ('isRefused' in outcome) await endRefused(rooms, open, outcome)
      else await endAnswered(rooms, open, outcome)
    } finally {
      release()
    }
  }
}

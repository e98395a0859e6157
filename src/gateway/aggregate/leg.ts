/**
 * One of the exchanges that answer one request together: with one server, through the same lists as any other.
 * Stops: a second way to a server; a part of an answer that is not on record by itself.
 * Trusts: the lists of `pipeline.ts` for every decision.
 * Fails: alone: its refusal is an answer of its own, and the others go on.
 */
import type { Policy } from '#policy'
import { asKept, type Principal, type Refusal } from '#kernel'
import { type Frame, isObject, type Message, metaKeys, modernRevisions } from '#protocol'
import { emptyAnswer, type EndSignal, jsonAnswer, type UpstreamAnswer } from '#upstream'
import type { Arrival, JointAddress } from '../arrival.ts'
import { Ending } from '../ending.ts'
import { type ExchangeRooms, straightWay, watchOver } from '../exchange.ts'
import type { Caller } from './resolve-members.ts'
import type { PipelineLists } from '../pipeline.ts'
import { type Begun, type Passed, recordAnswered, recordRefused, type Refused } from '../reconcile/record-end.ts'
import { cutBody, orCut } from '../respond.ts'
import { gatewayRefusals, type WiredRefusal } from '../refusals.ts'
import { notThere } from './inward.ts'

export interface LegRooms extends Pick<ExchangeRooms, 'ledger' | 'clock' | 'watch' | 'measure'> {
  readonly policy: { readonly roles: Pick<Policy['roles'], 'keptOf'> }
  /** Made after this room, of which they are a part. */
  readonly lists: () => PipelineLists
}

/** What one server is asked, for whom. */
export interface Leg extends Pick<Arrival, 'headers'> {
  readonly caller: Caller
  readonly serverName: string
  readonly message: Message
  readonly body: Buffer
  readonly joint: JointAddress
  /** Ends it from the client's side. */
  readonly signal: EndSignal
  /** Ends it from ours, with the reason. */
  readonly cut?: Ending
}

/** A server's inspected answer, or why there is none. */
export type LegEnd = { readonly refusal: Refusal | WiredRefusal } | { readonly answer: UpstreamAnswer }

type KnownHere = Parameters<PipelineLists['aims']['run']>[0]

/** WHY: a legacy client's own revision is not what its servers are asked in. */
function versionOf({ params }: Message): string {
  const meta = params?.['_meta']
  const version = isObject(meta) ? meta[metaKeys.protocolVersion] : undefined
  return typeof version === 'string' ? version : String(modernRevisions[0])
}

function startOf(leg: Leg, begun: Begun, principal: Principal): KnownHere {
  const { caller, serverName, message, body, headers, joint, signal } = leg
  const { exchangeId, address, resource, readBody, labels, brought, consented } = caller
  return {
    exchangeId,
    address,
    resource,
    principal,
    readBody,
    labels,
    brought,
    consented,
    serverName,
    message,
    body,
    headers,
    joint,
    version: versionOf(message),
    httpMethod: 'POST',
    era: 'modern',
    upstreamSessionId: undefined,
    lastEventId: undefined,
    opensAddresses: false,
    cut: begun.cut,
    trip: begun.trip,
    onHangUp: (left) => (signal.aborted ? left() : signal.addEventListener('abort', left, { once: true })),
  }
}

async function endRefused(rooms: LegRooms, begun: Begun, outcome: Refused): Promise<LegEnd> {
  const { told, isCut } = await recordRefused(rooms, begun, outcome)
  rooms.measure.ended(begun.trip, { known: outcome.known, refusal: told, guard: outcome.guard, isCut })
  return { refusal: told }
}

interface Open {
  readonly begun: Begun
  readonly known: Passed
  /** Called once, with what was taken of the answer. */
  readonly finish: (sent: { bytes: number; isDelivered: boolean }) => void
}

/** The frames of a stream; its end is on record when they end, or nobody reads on. */
async function* followed({ begun, known, finish }: Open, frames: AsyncIterator<Frame>): AsyncGenerator<Frame> {
  let bytes = 0
  let isDelivered = false
  try {
    for (;;) {
      const next = await orCut(frames.next(), begun.cut)
      if (next === 'cut') {
        const body = cutBody({ cut: begun.cut, messageId: known.message?.id })
        if (body !== undefined) yield { body }
        return
      }
      if (next.done === true) break
      bytes += next.value.body.length
      yield next.value
    }
    isDelivered = true
  } finally {
    void Promise.resolve(frames.return?.()).catch(() => undefined)
    finish({ bytes, isDelivered })
  }
}

function answerOf(open: Open, signal: EndSignal): UpstreamAnswer {
  const { safeResult } = open.known
  const { status, kind } = safeResult
  if (kind !== 'stream') {
    const { body } = safeResult
    open.finish({ bytes: Buffer.byteLength(body), isDelivered: !signal.aborted })
    return kind === 'empty' ? emptyAnswer(status) : jsonAnswer(status, body)
  }
  return { status, kind, frames: followed(open, safeResult.frames[Symbol.asyncIterator]()) }
}

/** WHY: whether a server is there at all, is told to nobody who may not use it: as for a name that is none of a server. */
export function asNotThere(outcome: Refused, { message, joint }: Pick<Leg, 'message' | 'joint'>): Refused {
  if (joint.isLeg || outcome.refusal.code !== gatewayRefusals.serverUnknown.code) return outcome
  const { detail } = outcome.refusal
  return { ...outcome, refusal: { ...notThere(message, joint.address), detail } }
}

/** Makes the function that carries out one leg. It resolves when there is an answer; its end is on record by itself. */
export function createLegs(rooms: LegRooms): (leg: Leg) => Promise<LegEnd> {
  return async (leg) => {
    const trip = rooms.measure.begin()
    trip.part = 'leg'
    const begun = { startedAt: rooms.clock.now(), cut: leg.cut ?? new Ending(), trip, asOf: rooms.watch.asOf() }
    const lists = rooms.lists()
    const { principal } = leg.caller
    // WHY: a stream of news asks again long after it was opened; a role that was taken away since counts.
    const current = asKept(principal, await rooms.policy.roles.keptOf(principal.id))
    const entered = await lists.aims.run(startOf(leg, begun, current))
    rooms.measure.follow(trip, { ...entered.known, headers: leg.headers })
    if (entered.isRefused) return endRefused(rooms, begun, asNotThere(entered as Refused, leg))
    const unwatch = watchOver(rooms.watch, begun, entered.known)
    const outcome = await straightWay(lists).follow(entered.known)
    const { turn } = outcome.known
    const release = (): void => {
      unwatch()
      turn?.end()
    }
    if (outcome.isRefused) return endRefused(rooms, begun, outcome).finally(release)
    const { known } = outcome
    const { verdict } = known.safeResult
    const finish: Open['finish'] = (sent) => {
      release()
      const cutBy = begun.cut.refusal
      rooms.measure.ended(trip, { known, refusal: cutBy, verdict, isCut: cutBy !== undefined })
      void recordAnswered(rooms, begun, known, sent)
    }
    return { answer: answerOf({ begun, known, finish }, leg.signal) }
  }
}

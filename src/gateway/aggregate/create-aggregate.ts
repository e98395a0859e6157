/**
 * How do several servers answer at one address?
 * Stops: a call reaching a server by any way but the guards of that server.
 * Trusts: the lists of `pipeline.ts`; `resolve-members` for who may be asked.
 * Fails: as the guard that refuses; what concerns one server only never ends the others' part.
 * @see docs/decisions/0025-several-servers-at-one-address.md
 */
import { Fault, isRefusal, type Sealer } from '#kernel'
import { errorCodes, isProblem, jsonRpcError, readMessage } from '#protocol'
import { createLegacyFace, emptyAnswer, jsonAnswer, type UpstreamAnswer, type UpstreamRequest } from '#upstream'
import { straightWay, type Way } from '../exchange.ts'
import type { Authorized } from '../guards/authorize-call.ts'
import { callAt } from './resolve-member.ts'
import type { GatheringRecord } from './resolve-members.ts'
import type { Refused } from '../reconcile/record-end.ts'
import { wordRefusal } from '../refuse.ts'
import { RefusedFault } from '../upstream-refusal.ts'
import type { Gathering } from './ask-members.ts'
import { gatherDiscover } from './gather-discover.ts'
import { gatherList, isGatheredList, type ListRooms } from './gather-list.ts'
import { gatherNews, type NewsRooms } from './gather-news.ts'
import { routeCall, type Routed, type RoutingRooms } from './inward.ts'
import { asNotThere, createLegs, type LegRooms } from './leg.ts'
import { createSeals } from '../handles/seals.ts'

export type AggregateRooms = LegRooms &
  Omit<NewsRooms, 'runLeg' | 'upstreams'> & {
    readonly upstreams: NewsRooms['upstreams'] & Pick<RoutingRooms, 'pins'>
    readonly sealer: Sealer
    readonly node: string
    /** Of this program. */
    readonly version: string
  }

export interface Aggregate {
  /** Asks the servers that answer together. @param request its upstream is a `GatheringRecord` */
  exchange(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** The way of a request to an address of several servers. */
  readonly way: Way
  close(): Promise<void>
}

type Parts = AggregateRooms & ListRooms & RoutingRooms

/** What one refused call is answered with, where the answer is put together here. */
function refusedAnswer(request: Gathering, refusal: Parameters<typeof wordRefusal>[0]['refusal']): UpstreamAnswer {
  const { caller, message } = request
  const { wire, body } = wordRefusal({
    refusal,
    exchangeId: caller.exchangeId,
    entry: undefined,
    messageId: message.id,
    metadataUrl: '',
  })
  return jsonAnswer(wire.status, body)
}

async function callOne(parts: Parts, gathering: Gathering, routed: Routed): Promise<UpstreamAnswer> {
  const { caller, request } = gathering
  const end = await parts.runLeg({ ...routed, caller, signal: request.signal })
  if (!('refusal' in end)) return end.answer
  // WHY: an answer in band does not tell a client when to come back.
  if (end.refusal.retryAfterSeconds !== undefined) throw new RefusedFault(end.refusal)
  return refusedAnswer(gathering, end.refusal)
}

/** The answer of several servers to a request of 2026-07-28. */
async function answerTogether(parts: Parts, request: UpstreamRequest): Promise<UpstreamAnswer> {
  const { caller, members } = request.upstream as GatheringRecord
  const message = readMessage(request.body ?? '')
  if (isProblem(message)) throw new Fault('gateway.fault', message.problem)
  const gathering = { caller, members: members(), message, request }
  if (message.kind !== 'request') return emptyAnswer(202)
  const routed = routeCall(parts, callAt(parts.upstreams, caller, { message, headers: request.headers }))
  if (isRefusal(routed)) return refusedAnswer(gathering, routed)
  if (routed !== undefined) return callOne(parts, gathering, routed)
  if (message.method === 'subscriptions/listen') return gatherNews(parts, gathering)
  if (message.method === 'server/discover') return jsonAnswer(200, await gatherDiscover(parts, gathering))
  if (isGatheredList(message.method)) return jsonAnswer(200, await gatherList(parts, gathering))
  return jsonAnswer(404, jsonRpcError(message.id, errorCodes.methodNotFound, 'method not found'))
}

type EnteredWay = Awaited<ReturnType<Way['enter']>>

function createWay(parts: Parts): Way {
  return {
    async enter(start) {
      const { entrance, crossings, aims, meetings } = parts.lists()
      const arrived = await entrance.run(start)
      if (arrived.isRefused) return arrived as Refused
      const { known } = arrived
      const crossed = await crossings.run(known)
      if (crossed.isRefused) return crossed as Refused
      const { routed } = crossed.known
      const { message } = known
      if (routed === undefined || message === undefined) {
        start.trip.part = 'gathering'
        return (await meetings.run(known)) as EnteredWay
      }
      // WHY: a call of one thing is from here on like one that came to its server's own address.
      const entered = await aims.run({ ...known, ...routed })
      return entered.isRefused ? asNotThere(entered as Refused, { message, joint: routed.joint }) : entered
    },
    follow(known) {
      const lists = parts.lists()
      if (known.gathers === undefined) return straightWay(lists).follow(known)
      // WHY: `gathers` is learned by the guard that learns the decision, too.
      return lists.gatherings.run(known as typeof known & Authorized) as ReturnType<Way['follow']>
    },
  }
}

export function createAggregate(rooms: AggregateRooms): Aggregate {
  const parts: Parts = {
    ...rooms,
    seals: createSeals(rooms),
    runLeg: createLegs(rooms),
    pins: rooms.upstreams.pins,
    serverInfo: { name: 'castellan', version: rooms.version },
  }
  const exchange = (request: UpstreamRequest): Promise<UpstreamAnswer> => answerTogether(parts, request)
  const face = createLegacyFace({
    exchange,
    clock: rooms.clock,
    node: `${rooms.node}-shared`,
    translatesDefinitions: true,
  })
  return {
    exchange: (request) => (request.era === 'modern' ? exchange(request) : face.exchange(request)),
    way: createWay(parts),
    close: () => face.close(),
  }
}

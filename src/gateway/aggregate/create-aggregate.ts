/**
 * How do several servers answer at one address?
 * Stops: a call reaching a server by any way but the guards of that server.
 * Trusts: the lists of `pipeline.ts`; `resolve-members` for who may be asked.
 * Fails: as the guard that refuses; what concerns one server only never ends the others' part.
 * @see docs/decisions/0025-several-servers-at-one-address.md
 */
import { Fault, isRefusal, type Sealer } from '#kernel'
import { errorCodes, isProblem, jsonRpcError, type Message, readMessage } from '#protocol'
import { createLegacyFace, type UpstreamAnswer, type UpstreamRequest } from '#upstream'
import type { KnownOf } from '../checklist.ts'
import { straightWay, type Way } from '../exchange.ts'
import type { Authorized } from '../guards/authorize-call.ts'
import { type GatheringRecord, isServerAt } from '../guards/resolve-members.ts'
import type { PipelineLists } from '../pipeline.ts'
import type { Refused } from '../reconcile/record-end.ts'
import { wordRefusal } from '../refuse.ts'
import type { Gathering } from './ask-members.ts'
import { gatherDiscover } from './gather-discover.ts'
import { gatherList, isGatheredList, type ListRooms } from './gather-list.ts'
import { gatherNews, type NewsRooms } from './gather-news.ts'
import { type Call, routeCall, type Routed, type RoutingRooms } from './inward.ts'
import { asNotThere, createLegs, type LegRooms, wholeAnswer } from './leg.ts'
import { createSeals } from './seals.ts'

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
  return wholeAnswer(wire.status, body)
}

function callOf(parts: Parts, { caller, message, request }: Gathering): Call {
  const { serverName: address, principal } = caller
  const isMember = (upstream: string): boolean => isServerAt(parts.upstreams, address, upstream)
  return { principal, address, message, headers: request.headers, isLeg: false, isMember }
}

async function callOne(parts: Parts, gathering: Gathering, routed: Routed): Promise<UpstreamAnswer> {
  const { caller, request } = gathering
  const end = await parts.runLeg({ ...routed, caller, signal: request.signal })
  return 'refusal' in end ? refusedAnswer(gathering, end.refusal) : end.answer
}

/** The answer of several servers to a request of 2026-07-28. */
async function answerTogether(parts: Parts, request: UpstreamRequest): Promise<UpstreamAnswer> {
  const { caller, members } = request.upstream as GatheringRecord
  const message = readMessage(request.body ?? '')
  if (isProblem(message)) throw new Fault('gateway.fault', message.problem)
  const gathering = { caller, members: members(), message, request }
  const routed = routeCall(parts, callOf(parts, gathering))
  if (isRefusal(routed)) return refusedAnswer(gathering, routed)
  if (routed !== undefined) return callOne(parts, gathering, routed)
  if (message.method === 'subscriptions/listen') return gatherNews(parts, gathering)
  if (message.method === 'server/discover') return wholeAnswer(200, await gatherDiscover(parts, gathering))
  if (isGatheredList(message.method)) return wholeAnswer(200, await gatherList(parts, gathering))
  return wholeAnswer(404, jsonRpcError(message.id, errorCodes.methodNotFound, 'method not found'))
}

type Arrived = KnownOf<PipelineLists['entrance']>

/** A call of one thing goes straight to its server: renamed, and then like one that came to the server's own address. */
async function enterOne(parts: Parts, known: Arrived, message: Message): Promise<EnteredWay | undefined> {
  await Promise.all([parts.upstreams.catalog.refresh(), parts.upstreams.bundles.refresh()])
  const { serverName: address, principal, headers } = known
  const isMember = (upstream: string): boolean => isServerAt(parts.upstreams, address, upstream)
  const routed = routeCall(parts, { principal, address, message, headers, isLeg: false, isMember })
  if (routed === undefined) return undefined
  if (isRefusal(routed)) return { isRefused: true, refusal: routed, guard: 'resolve-members', known }
  const entered = await parts.lists().aims.run({ ...known, ...routed })
  return entered.isRefused ? asNotThere(entered as Refused, { message, joint: routed.joint }) : entered
}

type EnteredWay = Awaited<ReturnType<Way['enter']>>

function createWay(parts: Parts): Way {
  return {
    async enter(start) {
      const { entrance, meetings } = parts.lists()
      const arrived = await entrance.run(start)
      if (arrived.isRefused) return arrived as Refused
      const { known } = arrived
      const one =
        known.era === 'modern' && known.message !== undefined ? await enterOne(parts, known, known.message) : undefined
      if (one !== undefined) return one
      start.trip.part = 'gathering'
      return (await meetings.run(known)) as EnteredWay
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

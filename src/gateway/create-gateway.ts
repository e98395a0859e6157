/**
 * The gateway listener's handler: server paths to exchanges; past the doorway, well-known paths to metadata, the rest to
 * 404.
 * Stops: an unhandled failure taking the process down or answering with internals.
 * Trusts: the listener's framing and ceilings.
 * Fails: with 500, or 503 when a store is out of reach, and an exchange id when even the refusal could not be written.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, createId } from '#kernel'
import { clientAddressOf, readBody } from '#platform/http'
import type { UpstreamRequest } from '#upstream'
import { createAggregate } from './aggregate/create-aggregate.ts'
import type { Arrival, Knock } from './arrival.ts'
import { createDefinitions } from './definitions.ts'
import { createExchange, oldStreamWay, straightWay } from './exchange.ts'
import { createInFlight } from './in-flight.ts'
import { createMeasure } from './measure/measure.ts'
import { openExchanges, openStreams } from './measure/metrics.ts'
import { createRequestRates } from './limits/request-rate.ts'
import { createTurns } from './limits/turns.ts'
import { createOutside } from './outside/answer-outside.ts'
import { isShared, metadataUrlOf, resourceOf, servedAt } from './outside/metadata.ts'
import { createPipeline } from './pipeline.ts'
import { Reconciler } from './reconcile/reconcile.ts'
import { answerRefusal } from './refuse.ts'
import { httpExit } from './respond.ts'
import type { GatewayRooms } from './rooms.ts'
import { createChannels } from './sse/channels.ts'
import { createOldWire } from './sse/old-wire.ts'
import { createUnfinished } from './stop/unfinished.ts'
import { brokenRefusal } from './upstream-refusal.ts'
import { createWatch } from './watch.ts'

export interface Gateway {
  handler(req: IncomingMessage, res: ServerResponse): void
  /** Closes, in the background, the calls that processes before this one left without an end. */
  reconcile(): void
  /** Exchanges that are open right now, streams included. */
  openCount(): number
  /** Requests whose answer or end on record is still to come. */
  unfinishedCount(): number
  /** Ends streams that wait for news, open ones and those to come; they would hold up a stop. */
  drain(): void
  /** Ends whatever is open, in good order. */
  endAll(): void
  /** Resolves when no request is unfinished. */
  settled(): Promise<void>
  close(): void
}

function knockOf(req: IncomingMessage, { clock, settings }: GatewayRooms): Knock {
  return {
    exchangeId: createId(clock.now()),
    httpMethod: req.method ?? '',
    headers: req.headers,
    address: clientAddressOf(req, settings.current.trustedProxies),
  }
}

function queryOf(url = ''): string | undefined {
  const at = url.indexOf('?')
  return at === -1 ? undefined : url.slice(at + 1)
}

function arrivalOf(req: IncomingMessage, res: ServerResponse, rooms: GatewayRooms, serverName: string): Arrival {
  const { clock, settings } = rooms
  const { publicUrl, trustedProxies } = settings.current
  return {
    exchangeId: createId(clock.now()),
    httpMethod: req.method ?? '',
    headers: req.headers,
    address: clientAddressOf(req, trustedProxies),
    serverName,
    resource: resourceOf(publicUrl, serverName),
    query: queryOf(req.url),
    readBody: (maxBytes) => readBody(req, maxBytes),
    mayBatch: true,
    onHangUp: (left) => {
      if (res.closed) return left()
      res.once('close', () => {
        if (!res.writableFinished) left()
      })
    },
  }
}

function lastResort(res: ServerResponse, clock: Clock, thrown: unknown): void {
  if (res.headersSent) return void res.destroy()
  const exchangeId = createId(clock.now())
  answerRefusal(res, {
    refusal: brokenRefusal(thrown),
    exchangeId,
    entry: undefined,
    messageId: undefined,
    metadataUrl: '',
  })
}

export function createGateway(rooms: GatewayRooms): Gateway {
  const { settings, clock } = rooms
  const reconciler = new Reconciler({ ledger: rooms.ledger, clock, log: rooms.telemetry.log })
  const ledger = reconciler.calls
  const rates = createRequestRates(rooms)
  const turns = createTurns(settings)
  const watch = createWatch(rooms)
  const unfinished = createUnfinished()
  const definitions = createDefinitions(rooms)
  const channels = createChannels(rooms)
  const members = { exchange: (request: UpstreamRequest) => aggregate.exchange(request) }
  const inFlight = createInFlight(rooms.node)
  const pipeline = createPipeline({ ...rooms, ledger, definitions, inFlight, rates, turns, members })
  const metadataUrl = (serverName: string): string => metadataUrlOf(settings.current.publicUrl, serverName)
  const measure = createMeasure(rooms.telemetry, rooms.upstreams.pins)
  rooms.telemetry.meter.observe(openExchanges, () => [[{}, watch.openCount()]])
  rooms.telemetry.meter.observe(openStreams, () => [[{}, turns.streamCount()]])
  const answerOutside = createOutside({ settings, ledger, pipeline, measure, identity: rooms.identity })
  const exchangeRooms = { ...rooms, ledger, watch, metadataUrl, measure }
  const aggregate = createAggregate({ ...rooms, ...exchangeRooms, lists: () => pipeline })
  const straight = createExchange(exchangeRooms, straightWay(pipeline))
  const together = createExchange(exchangeRooms, aggregate.way)
  const exchange: typeof straight = (start, exit) => (isShared(start.serverName) ? together : straight)(start, exit)
  const answerOldWire = createOldWire({
    clock,
    channels,
    arrivalOf: (req, res, serverName) => arrivalOf(req, res, rooms, serverName),
    open: createExchange(exchangeRooms, oldStreamWay(pipeline, channels)),
    pass: exchange,
    follow: (answered) => void unfinished.follow(answered, undefined, () => undefined),
  })
  const fail = (res: ServerResponse, thrown: unknown): void => lastResort(res, rooms.clock, thrown)

  return {
    handler(req, res) {
      const path = (req.url ?? '').split('?', 1)[0] ?? ''
      const serverName = servedAt(path)
      const answered =
        serverName === undefined
          ? (answerOldWire(req, res) ?? answerOutside(req, res, knockOf(req, rooms)))
          : exchange(arrivalOf(req, res, rooms, serverName), httpExit(res))
      void unfinished.follow(answered, res, fail)
    },
    reconcile: () => void reconciler.begin(),
    openCount: watch.openCount,
    unfinishedCount: unfinished.count,
    drain: watch.drain,
    endAll: watch.endAll,
    settled: unfinished.none,
    close() {
      void aggregate.close()
      watch.close()
      reconciler.close()
      measure.close()
      turns.close()
      rates.byAddress.close()
      rates.byPrincipal.close()
    },
  }
}

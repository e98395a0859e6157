/**
 * The gateway listener's handler: server paths to exchanges; past the doorway, well-known paths to metadata, the rest to
 * 404.
 * Stops: an unhandled failure taking the process down or answering with internals.
 * Trusts: the listener's framing and ceilings.
 * Fails: with 500 and an exchange id when even the refusal could not be written.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, createId, refuse } from '#kernel'
import { clientAddressOf, readBody } from '#platform/http'
import type { Arrival, Knock } from './arrival.ts'
import { createDefinitions } from './definitions.ts'
import { createExchange } from './exchange.ts'
import { createInFlight } from './in-flight.ts'
import { createMeasure } from './measure/measure.ts'
import { openExchanges, openStreams } from './measure/metrics.ts'
import { createRequestRates } from './limits/request-rate.ts'
import { createTurns } from './limits/turns.ts'
import { createOutside } from './outside/answer-outside.ts'
import { metadataUrlOf, resourceOf, serverNameOf } from './outside/metadata.ts'
import { createPipeline } from './pipeline.ts'
import { Reconciler } from './reconcile/reconcile.ts'
import { gatewayRefusals } from './refusals.ts'
import { answerRefusal } from './refuse.ts'
import type { GatewayRooms } from './rooms.ts'
import { createUnfinished } from './stop/unfinished.ts'
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
    readBody: (maxBytes) => readBody(req, maxBytes),
    onHangUp: (left) => {
      if (res.closed) return left()
      res.once('close', () => {
        if (!res.writableFinished) left()
      })
    },
  }
}

function lastResort(res: ServerResponse, clock: Clock): void {
  if (res.headersSent) return void res.destroy()
  const exchangeId = createId(clock.now())
  const refusal = refuse(gatewayRefusals.fault)
  answerRefusal(res, { refusal, exchangeId, entry: undefined, messageId: undefined, metadataUrl: '' })
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
  const pipeline = createPipeline({ ...rooms, ledger, definitions, inFlight: createInFlight(rooms.node), rates, turns })
  const metadataUrl = (serverName: string): string => metadataUrlOf(settings.current.publicUrl, serverName)
  const measure = createMeasure(rooms.telemetry, rooms.upstreams.pins)
  rooms.telemetry.meter.observe(openExchanges, () => [[{}, watch.openCount()]])
  rooms.telemetry.meter.observe(openStreams, () => [[{}, turns.streamCount()]])
  const answerOutside = createOutside({ settings, ledger, pipeline, measure })
  const exchange = createExchange({ ...rooms, ledger, watch, pipeline, metadataUrl, measure })
  const fail = (res: ServerResponse): void => lastResort(res, rooms.clock)

  return {
    handler(req, res) {
      const path = (req.url ?? '').split('?', 1)[0] ?? ''
      const serverName = serverNameOf(path)
      const answered =
        serverName === undefined
          ? answerOutside(req, res, knockOf(req, rooms))
          : exchange(arrivalOf(req, res, rooms, serverName), res)
      void unfinished.follow(answered, res, fail)
    },
    reconcile: () => void reconciler.begin(),
    openCount: watch.openCount,
    unfinishedCount: unfinished.count,
    drain: watch.drain,
    endAll: watch.endAll,
    settled: unfinished.none,
    close() {
      watch.close()
      reconciler.close()
      measure.close()
      turns.close()
      rates.byAddress.close()
      rates.byPrincipal.close()
    },
  }
}

/**
 * The gateway listener's handler: server paths to exchanges, well-known paths to metadata, the rest to 404.
 * Stops: an unhandled failure taking the process down or answering with internals.
 * Trusts: the listener's framing and ceilings.
 * Fails: with 500 and an exchange id when even the refusal could not be written.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createId, refuse } from '#kernel'
import { readBody } from '#platform/http'
import type { Arrival } from './arrival.ts'
import { createDefinitions } from './definitions.ts'
import { callRefused } from './events.ts'
import { createExchange } from './exchange.ts'
import { createInFlight } from './in-flight.ts'
import { metadataFor, metadataUrlOf, resourceOf, serverNameOf } from './metadata.ts'
import { createPipeline } from './pipeline.ts'
import { gatewayRefusals } from './refusals.ts'
import { answerRefusal } from './refuse.ts'
import type { GatewayRooms } from './rooms.ts'
import { createWatch } from './watch.ts'

const maxRecordedPathChars = 200

export interface Gateway {
  handler(req: IncomingMessage, res: ServerResponse): void
  /** Exchanges that are open right now, streams included. */
  openCount(): number
  close(): void
}

function arrivalOf(req: IncomingMessage, res: ServerResponse, rooms: GatewayRooms, serverName: string): Arrival {
  return {
    exchangeId: createId(rooms.clock.now()),
    httpMethod: req.method ?? '',
    headers: req.headers,
    address: req.socket.remoteAddress ?? 'unknown',
    serverName,
    resource: resourceOf(rooms.settings.publicUrl, serverName),
    readBody: (maxBytes) => readBody(req, maxBytes),
    onHangUp: (left) => {
      if (res.closed) return left()
      res.once('close', () => {
        if (!res.writableFinished) left()
      })
    },
  }
}

function sendJson(res: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value)
  const length = Buffer.byteLength(body)
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': length, 'cache-control': 'no-store' })
  res.end(body)
}

export function createGateway(rooms: GatewayRooms): Gateway {
  const { publicUrl } = rooms.settings
  const watch = createWatch(rooms)
  const definitions = createDefinitions(rooms)
  const pipeline = createPipeline({ ...rooms, definitions, inFlight: createInFlight(rooms.node) })
  const metadataUrl = (serverName: string): string => metadataUrlOf(publicUrl, serverName)
  const exchange = createExchange({ ...rooms, watch, pipeline, metadataUrl })

  function lastResort(res: ServerResponse): void {
    if (res.headersSent) {
      res.destroy()
      return
    }
    const exchangeId = createId(rooms.clock.now())
    const refusal = refuse(gatewayRefusals.fault)
    answerRefusal(res, { refusal, exchangeId, entry: undefined, messageId: undefined, metadataUrl: '' })
  }

  async function notFound(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const exchangeId = createId(rooms.clock.now())
    const refusal = refuse(gatewayRefusals.pathUnknown)
    const { seq } = await rooms.ledger.append(callRefused, {
      exchange: exchangeId,
      address: req.socket.remoteAddress ?? 'unknown',
      outcome: 'refused',
      refusal: refusal.code,
      details: { method: req.method ?? '', path: (req.url ?? '').slice(0, maxRecordedPathChars) },
    })
    answerRefusal(res, { refusal, exchangeId, entry: seq, messageId: undefined, metadataUrl: '' })
  }

  return {
    handler(req, res) {
      const path = (req.url ?? '').split('?', 1)[0] ?? ''
      const serverName = serverNameOf(path)
      if (serverName !== undefined) {
        exchange(arrivalOf(req, res, rooms, serverName), res).catch(() => lastResort(res))
        return
      }
      const metadata = req.method === 'GET' ? metadataFor(publicUrl, path) : undefined
      if (metadata === undefined) notFound(req, res).catch(() => lastResort(res))
      else sendJson(res, metadata)
    },
    openCount: watch.openCount,
    close: watch.close,
  }
}

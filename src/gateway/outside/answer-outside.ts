/**
 * What is answered to a request that is to no server: past the doorway, metadata or 404.
 * Stops: a path beside the doorway; finding out which servers exist.
 * Trusts: the doorway's guards.
 * Fails: a refusal that cannot be recorded is not told; the caller gets the last resort's answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Ledger } from '#audit'
import type { Identity } from '#identity'
import { refuse, type Refusal } from '#kernel'
import type { Knock } from '../arrival.ts'
import { callRefused } from '../events.ts'
import { isTallied } from '../limits/request-rate.ts'
import type { Measure } from '../measure/measure.ts'
import type { createPipeline } from '../pipeline.ts'
import { gatewayRefusals } from '../refusals.ts'
import { answerRefusal } from '../refuse.ts'
import type { LiveSettings } from '../rooms.ts'
import { metadataFor } from './metadata.ts'

const maxRecordedPathChars = 200

export interface OutsideRooms {
  readonly settings: LiveSettings
  readonly ledger: Pick<Ledger, 'append'>
  readonly pipeline: Pick<ReturnType<typeof createPipeline>, 'doorway'>
  readonly measure: Pick<Measure, 'turnedAway'>
  readonly identity: Pick<Identity, 'front'>
}

/** A request to no server, and why it is refused. */
interface TurnedAway {
  readonly refusal: Refusal
  readonly guard?: string
  readonly path: string
}

function sendJson(res: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value)
  const length = Buffer.byteLength(body)
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': length, 'cache-control': 'no-store' })
  res.end(body)
}

async function turnAway(rooms: OutsideRooms, res: ServerResponse, knock: Knock, refused: TurnedAway): Promise<void> {
  const { refusal, ...where } = refused
  const { exchangeId, address, httpMethod: method } = knock
  let entry: number | undefined
  if (!isTallied(refusal)) {
    const fields = { exchange: exchangeId, address, outcome: 'refused', refusal: refusal.code } as const
    const details = { ...refusal.detail, method, ...where }
    entry = (await rooms.ledger.append(callRefused, { ...fields, details })).seq
  }
  answerRefusal(res, { refusal, exchangeId, entry, messageId: undefined, metadataUrl: '' })
  rooms.measure.turnedAway({ known: { exchangeId }, refusal, guard: refused.guard })
}

/** Makes the function that answers a request to no server. Rejects when its refusal could not be recorded. */
export function createOutside(
  rooms: OutsideRooms,
): (req: IncomingMessage, res: ServerResponse, knock: Knock) => Promise<void> {
  return async (req, res, knock) => {
    const path = (req.url ?? '').slice(0, maxRecordedPathChars)
    const outcome = await rooms.pipeline.doorway.run(knock)
    if (outcome.isRefused) {
      const { refusal, guard } = outcome
      return turnAway(rooms, res, knock, { refusal, guard, path })
    }
    const [asked = ''] = (req.url ?? '').split('?', 1)
    const metadata = req.method === 'GET' ? metadataFor(rooms.settings.current.publicUrl, asked) : undefined
    if (metadata !== undefined) return sendJson(res, metadata)
    const { front } = rooms.identity
    const { exchangeId, address } = knock
    if (front.owns(asked)) return front.answer(req, res, { path: asked, exchangeId, address })
    return turnAway(rooms, res, knock, { refusal: refuse(gatewayRefusals.pathUnknown), path })
  }
}

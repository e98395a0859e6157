/**
 * How does a refusal look on the wire? One table from refusal code to HTTP status and JSON-RPC code.
 * Stops: a denial that tells a stranger more than another, an answer that sends a client to the wrong place.
 * Trusts: the refusal's own sentences, written in each room's table.
 * Fails: a code that is not in the table answers with the refusal's own status.
 * @see MCP 2026-07-28, error handling
 */
import type { ServerResponse } from 'node:http'
import { identityRefusals } from '#identity'
import { type Refusal, type RefusalDefinition } from '#kernel'
import { remedyRefusals } from '#policy'
import { errorCodes, isProblem, jsonRpcError, readUpstreamMessage } from '#protocol'
import { challengeOf } from './outside/challenge.ts'
import { gatewayRefusals, type WireAnswer, type WiredRefusal } from './refusals.ts'

interface WireForm {
  /** Status when a request with an id can be answered in band. */
  readonly answeredStatus?: number
  readonly code: number
  /** The refusal that the caller sees instead: several causes, one answer. */
  readonly shownAs?: RefusalDefinition
}

const inBand = 200

/** SPEC: codes of our own stay outside JSON-RPC's reserved range; where the protocol has no code, it is the status. */
const wireForms: Readonly<Record<string, WireForm>> = {
  [gatewayRefusals.notGranted.code]: { answeredStatus: inBand, code: errorCodes.invalidParams },
  [gatewayRefusals.toolNotApproved.code]: {
    answeredStatus: inBand,
    code: errorCodes.invalidParams,
    shownAs: gatewayRefusals.notGranted,
  },
  [gatewayRefusals.toolChanged.code]: {
    answeredStatus: inBand,
    code: errorCodes.invalidParams,
    shownAs: gatewayRefusals.notGranted,
  },
  [gatewayRefusals.ruledOut.code]: { answeredStatus: inBand, code: gatewayRefusals.ruledOut.status },
  [gatewayRefusals.unjudged.code]: { answeredStatus: inBand, code: errorCodes.invalidParams },
  [gatewayRefusals.stepUpNeeded.code]: { answeredStatus: inBand, code: gatewayRefusals.stepUpNeeded.status },
  [gatewayRefusals.stepUpDeclined.code]: { answeredStatus: inBand, code: gatewayRefusals.stepUpDeclined.status },
  [identityRefusals.stepUpDenied.code]: { answeredStatus: inBand, code: identityRefusals.stepUpDenied.status },
  [identityRefusals.tooManyStepUps.code]: { answeredStatus: inBand, code: identityRefusals.tooManyStepUps.status },
  [gatewayRefusals.remedyNeeded.code]: { answeredStatus: inBand, code: gatewayRefusals.remedyNeeded.status },
  [remedyRefusals.callDenied.code]: { answeredStatus: inBand, code: remedyRefusals.callDenied.status },
  [remedyRefusals.callExpired.code]: { answeredStatus: inBand, code: remedyRefusals.callExpired.status },
  [remedyRefusals.callTooLong.code]: { answeredStatus: inBand, code: remedyRefusals.callTooLong.status },
  [remedyRefusals.tooManyAsks.code]: { answeredStatus: inBand, code: remedyRefusals.tooManyAsks.status },
  [gatewayRefusals.upstreamUnreachable.code]: { answeredStatus: inBand, code: errorCodes.internalError },
  [gatewayRefusals.upstreamUnavailable.code]: { answeredStatus: inBand, code: errorCodes.internalError },
  [gatewayRefusals.upstreamOverloaded.code]: { answeredStatus: inBand, code: errorCodes.internalError },
  [gatewayRefusals.upstreamTimeout.code]: { answeredStatus: inBand, code: errorCodes.internalError },
  [gatewayRefusals.upstreamMisbehaved.code]: { answeredStatus: inBand, code: errorCodes.internalError },
  [gatewayRefusals.ledgerUnavailable.code]: { code: errorCodes.internalError },
  [gatewayRefusals.fault.code]: { code: errorCodes.internalError },
  [gatewayRefusals.sessionUnknown.code]: { code: errorCodes.invalidRequest },
  [gatewayRefusals.eventUnknown.code]: { code: errorCodes.invalidRequest },
}

export interface RefusedExchange {
  readonly refusal: Refusal
  readonly exchangeId: string
  readonly entry: number | undefined
  /** The id of the refused request; undefined for notifications and requests that could not be read. */
  readonly messageId: string | number | undefined
  /** Where a client learns how to get a token for this resource. */
  readonly metadataUrl: string
}

/** HTTP status and JSON-RPC code of a refusal. @param hasId whether the refused request can be answered in band */
export function wireOf(refusal: Refusal | WiredRefusal, hasId: boolean): WireAnswer {
  // SPEC: 2025-11-25, Streamable HTTP: a notification that is not accepted is a 4xx; there is no answer in band to it.
  if ('wire' in refusal)
    return hasId || refusal.wire.status !== inBand ? refusal.wire : { ...refusal.wire, status: 400 }
  const form = wireForms[refusal.code]
  const status = hasId ? (form?.answeredStatus ?? refusal.status) : refusal.status
  return { status, code: form?.code ?? refusal.status }
}

/** A refused exchange as a JSON-RPC error, and what goes with it. Nothing of `refusal.detail` is in it. */
export function wordRefusal({ refusal, exchangeId, messageId }: RefusedExchange): { wire: WireAnswer; body: string } {
  const wire = wireOf(refusal, messageId !== undefined)
  if (wire.answer !== undefined && messageId !== undefined) return { wire, body: wire.answer(messageId) }
  const shown = wireForms[refusal.code]?.shownAs ?? refusal
  const { hint, retryAfterSeconds } = refusal
  const told = { code: shown.code, hint, exchange: exchangeId, retryAfterSeconds }
  const given = typeof wire.data === 'object' && wire.data !== null ? wire.data : {}
  return { wire, body: jsonRpcError(messageId, wire.code, refusal.says, { ...given, ...told }) }
}

function idIn(body: string): string | number | undefined {
  const message = body === '' ? undefined : readUpstreamMessage(body)
  return message === undefined || isProblem(message) ? undefined : message.id
}

/**
 * The text of a whole answer where its client sees no status but only what comes under its id: as it is, or an error
 * that says what the status said.
 */
export function underId(
  answer: { readonly status: number; readonly body: string },
  messageId?: string | number,
): string {
  if (messageId === undefined || idIn(answer.body) === messageId) return answer.body
  const { code, says, hint } = answer.status === 404 ? gatewayRefusals.sessionUnknown : gatewayRefusals.callCancelled
  return jsonRpcError(messageId, errorCodes.internalError, says, { code, hint })
}

/** Answers a refused exchange. Nothing of `refusal.detail` is sent. */
export function answerRefusal(res: ServerResponse, refused: RefusedExchange): void {
  const { refusal, exchangeId, entry } = refused
  const { wire, body } = wordRefusal(refused)
  const challenge = challengeOf(refusal, wire.status, refused.metadataUrl)
  res.writeHead(wire.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'castellan-exchange': exchangeId,
    ...(entry === undefined ? {} : { 'castellan-entry': String(entry) }),
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...(wire.allow === undefined ? {} : { allow: wire.allow }),
    ...(refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }),
  })
  res.end(body)
}

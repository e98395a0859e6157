/**
 * Is each message of an answer one that belongs to this exchange?
 * Stops: answers to other requests, malformed messages, requests in an era that has none, foreign session ids.
 * Trusts: nothing the upstream says.
 * Fails: a malformed or foreign message is withheld and noted; a missing response is answered with an error.
 */
import { Fault } from '#kernel'
import {
  errorCodes,
  type Frame,
  isObject,
  isProblem,
  jsonRpcError,
  type Message,
  readMessage,
  withIdText,
} from '#protocol'
import type { Inbound } from './guards/read-message.ts'
import type { Forwarded } from './guards/forward.ts'
import { gatewayRefusals } from './refusals.ts'
import type { Verdict } from './safe-result.ts'
import { upstreamRefusal } from './upstream-refusal.ts'

/** Changes a successful result before it is sent; undefined passes it as it is. */
export type ChangeResult = (result: Record<string, unknown>) => Promise<Record<string, unknown> | undefined>

export interface Inspection {
  readonly inbound: Inbound
  readonly forwarded: Forwarded
  readonly serverName: string
  readonly change?: ChangeResult
  /** Told of each notification that passes. */
  readonly noticed: (method: string) => void
}

function note(verdict: Verdict, withheld: string): void {
  const count = verdict.detail['withheld']
  verdict.detail['withheld'] = typeof count === 'number' ? count + 1 : 1
  verdict.detail['withheldBecause'] ??= withheld
}

function judgeResponse(message: Message, verdict: Verdict): void {
  const { result, error } = message.json
  if (isObject(error)) {
    verdict.outcome = 'failed'
    verdict.detail['errorCode'] = error['code']
    return
  }
  const isToolError = isObject(result) && result['isError'] === true
  verdict.outcome = isToolError ? 'failed' : 'succeeded'
  if (isToolError) verdict.detail['isToolError'] = true
}

async function respondTo(message: Message, inspection: Inspection, verdict: Verdict): Promise<string> {
  const clientId = inspection.inbound.message?.id ?? ''
  judgeResponse(message, verdict)
  const result = message.json['result']
  if (inspection.change !== undefined && isObject(result)) {
    const changed = await inspection.change(result)
    if (changed !== undefined) return JSON.stringify({ ...message.json, id: clientId, result: changed })
  }
  return withIdText(message, clientId)
}

async function inspectFrame(frame: Frame, inspection: Inspection, verdict: Verdict): Promise<Frame | undefined> {
  if (frame.body === '') return frame
  const message = readMessage(frame.body)
  if (isProblem(message)) {
    note(verdict, message.problem)
    return undefined
  }
  if (message.kind === 'response') {
    // SPEC: on a GET stream responses come only on resumption; those belong to requests that are not in flight here.
    if (message.id === undefined || message.id !== inspection.forwarded.upstreamId) {
      note(verdict, 'a response to another request')
      return undefined
    }
    return { ...frame, body: await respondTo(message, inspection, verdict) }
  }
  if (message.kind === 'request' && inspection.inbound.era === 'modern') {
    note(verdict, 'a request from the server, which this revision does not have')
    return undefined
  }
  if (message.kind === 'notification') inspection.noticed(message.method ?? '')
  return frame
}

function closingError(inspection: Inspection, thrown: unknown): Frame {
  const fault = thrown instanceof Fault ? thrown : new Fault('upstream.misbehaved', String(thrown))
  const { code, says, hint } = upstreamRefusal(fault, inspection.serverName)
  return { body: jsonRpcError(inspection.inbound.message?.id, errorCodes.internalError, says, { code, hint }) }
}

/** The frames that may be sent, in order; ends with the response, or with an error in its place. */
export async function* inspectFrames(inspection: Inspection, verdict: Verdict): AsyncGenerator<Frame> {
  const isAwaiting = inspection.forwarded.upstreamId !== undefined
  try {
    for await (const frame of inspection.forwarded.answer.frames) {
      const passed = await inspectFrame(frame, inspection, verdict)
      if (passed !== undefined) yield passed
      if (isAwaiting && verdict.outcome !== undefined) return
    }
    if (!isAwaiting) {
      verdict.outcome ??= 'succeeded'
      return
    }
    verdict.outcome = 'failed'
    verdict.detail['fault'] = gatewayRefusals.upstreamMisbehaved.code
    yield closingError(inspection, new Fault('upstream.misbehaved', 'the answer ended without a response'))
  } catch (thrown) {
    verdict.outcome = 'failed'
    verdict.detail['fault'] = thrown instanceof Fault ? thrown.code : 'gateway.fault'
    verdict.detail['cause'] = String(thrown)
    if (isAwaiting) yield closingError(inspection, thrown)
  } finally {
    inspection.forwarded.release()
  }
}

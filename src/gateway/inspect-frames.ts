/**
 * Is each message of an answer one that belongs to this exchange?
 * Stops: answers to other requests, malformed messages, requests in an era that has none, questions that nobody may be
 * asked, foreign session ids and positions in streams.
 * Trusts: nothing the upstream says.
 * Fails: a malformed or foreign message is withheld and noted; a missing response is answered with an error.
 */
import { Fault } from '#kernel'
import {
  applyEdits,
  asksForRoots,
  errorCodes,
  type Frame,
  isObject,
  isProblem,
  jsonRpcError,
  memberEdit,
  type Message,
  metaKeys,
  readUpstreamMessage,
  sendsAstray,
  spanOf,
  withIdText,
  withText,
} from '#protocol'
import type { AtOnceOrLater } from './checklist.ts'
import type { Inbound } from './guards/read-message.ts'
import type { Forwarded } from './guards/forward.ts'
import type { Parked } from './in-flight.ts'
import { gatewayRefusals } from './refusals.ts'
import type { Verdict } from './safe-result.ts'
import type { RenameTasks } from './handles/rename-tasks.ts'
import { upstreamRefusal } from './upstream-refusal.ts'

/** Longest time that an upstream can keep a client from coming back to its stream. */
const maxRetryMs = 60_000

/** The text of a response with its result changed, the rest as it was; undefined passes it as it is. */
export type ChangeResult = (message: Message, result: Record<string, unknown>) => AtOnceOrLater<string | undefined>

export interface Inspection {
  readonly inbound: Inbound
  readonly forwarded: Forwarded
  readonly serverName: string
  readonly change?: ChangeResult
  /** What may come beside a result that is changed for everybody's sake, and in its place; undefined for what is withheld. */
  readonly screen?: (message: Message) => Message | undefined
  /** The request whose response comes on a stream that the client resumed. */
  readonly resumed?: (upstreamId: string | number) => Parked | undefined
  readonly renameTasks: RenameTasks
  /** Whether the caller's roles share roots with this server. */
  readonly mayShareRoots: () => boolean
  /** Told of each notification that passes. */
  readonly noticed: (method: string) => void
  /** The client's form of the upstream's name for a position in a stream. */
  readonly sealEventId: (eventId: string) => string
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

/** SPEC: 2026-07-28: what belongs to a subscription names its request, which the client knows by its own id. */
function renameSubscription(message: Message, holder: 'params' | 'result', inspection: Inspection): Message {
  const held = message.json[holder]
  const meta = isObject(held) ? held['_meta'] : undefined
  if (!isObject(meta) || meta[metaKeys.subscriptionId] === undefined) return message
  const span = spanOf(message.text, [holder, '_meta', metaKeys.subscriptionId])
  const text = JSON.stringify(inspection.inbound.message?.id ?? null)
  return span === undefined ? message : withText(message, applyEdits(message.text, [{ span, text }]))
}

function changed(message: Message, text: string | undefined, inspection: Inspection, verdict: Verdict): string {
  const edited = text === undefined ? message : withText(message, text)
  const renamed = inspection.renameTasks(edited, verdict)
  if (renamed === 'foreign') throw new Fault('upstream.misbehaved', 'the answer is about another task')
  return withIdText(renameSubscription(renamed, 'result', inspection), inspection.inbound.message?.id ?? '')
}

function respondTo(message: Message, inspection: Inspection, verdict: Verdict): AtOnceOrLater<string> {
  judgeResponse(message, verdict)
  const { result } = message.json
  if (result !== undefined && !isObject(result)) throw new Fault('upstream.misbehaved', 'the result is not an object')
  const text = result === undefined ? undefined : inspection.change?.(message, result)
  if (text instanceof Promise) return text.then((later) => changed(message, later, inspection, verdict))
  return changed(message, text, inspection, verdict)
}

/** WHY: with a status of success, a client looks for its id in the body, and would wait for it for ever. */
function underId({ text }: Message, { inbound }: Inspection): string {
  const id = inbound.message?.kind === 'request' ? inbound.message.id : undefined
  const edit = id === undefined ? undefined : memberEdit(text, [], 'id', JSON.stringify(id))
  return edit === undefined ? text : applyEdits(text, [edit])
}

/** A notification or request of the upstream as the client gets it. */
function passOn(message: Message, frame: Frame, inspection: Inspection): Frame {
  const renamed = renameSubscription(message, 'params', inspection)
  return renamed.text === frame.body ? frame : { ...frame, body: renamed.text }
}

/** SPEC: every message of a subscription names it; on any other answer there is none to name. */
function isOfAnother(message: Message, { forwarded }: Inspection): boolean {
  const meta = message.params?.['_meta']
  const subscription = isObject(meta) ? meta[metaKeys.subscriptionId] : undefined
  return subscription !== undefined && subscription !== forwarded.upstreamId
}

/** What nobody may be asked for through this gateway; undefined for a message with nothing of it. */
function unaskedIn(message: Message, { mayShareRoots }: Inspection): string | undefined {
  if (asksForRoots(message) && !mayShareRoots()) return 'the server asks for roots, which no role of the caller shares'
  return sendsAstray(message) ? 'the server sends the caller to an address that is not safe to open' : undefined
}

/** The frame as it may be sent on; undefined when it is withheld. Promises only what has to be waited for. */
export function inspectFrame(frame: Frame, inspection: Inspection, verdict: Verdict): AtOnceOrLater<Frame | undefined> {
  if (frame.body === '') return frame
  const read = readUpstreamMessage(frame.body)
  if (isProblem(read)) {
    note(verdict, read.problem)
    return undefined
  }
  const { screen } = inspection
  const message = screen === undefined ? read : screen(read)
  if (message === undefined) {
    note(verdict, 'what comes beside an answer that has to be redacted')
    return undefined
  }
  return inspectMessage(
    { message, frame: message === read ? frame : { ...frame, body: message.text } },
    inspection,
    verdict,
  )
}

function inspectMessage(
  { message, frame }: { readonly message: Message; readonly frame: Frame },
  inspection: Inspection,
  verdict: Verdict,
): AtOnceOrLater<Frame | undefined> {
  const unasked = unaskedIn(message, inspection)
  if (unasked !== undefined) {
    const isOurs = message.kind === 'response' && message.id === inspection.forwarded.upstreamId
    if (isOurs) throw new Fault('upstream.misbehaved', unasked)
    note(verdict, unasked)
    return undefined
  }
  if (message.kind === 'response') {
    // SPEC: JSON-RPC 2.0, section 5: an error without an id answers what could not be read; here, this one request.
    if (message.id === undefined && inspection.forwarded.answer.kind === 'json') {
      judgeResponse(message, verdict)
      return inspection.forwarded.answer.status < 400 ? { ...frame, body: underId(message, inspection) } : frame
    }
    if (message.id !== undefined && message.id === inspection.forwarded.upstreamId) {
      const body = respondTo(message, inspection, verdict)
      return body instanceof Promise ? body.then((later) => ({ ...frame, body: later })) : { ...frame, body }
    }
    // SPEC: on a GET stream responses come only on resumption; those belong to requests that are not in flight here.
    const resumed = message.id === undefined ? undefined : inspection.resumed?.(message.id)
    const renamed = resumed === undefined ? 'foreign' : inspection.renameTasks(message, verdict, resumed.aim.target)
    if (resumed !== undefined && renamed !== 'foreign') return { ...frame, body: withIdText(renamed, resumed.clientId) }
    note(verdict, 'a response to another request')
    return undefined
  }
  if (message.kind === 'request' && inspection.inbound.era === 'modern') {
    note(verdict, 'a request from the server, which this revision does not have')
    return undefined
  }
  if (isOfAnother(message, inspection)) {
    note(verdict, 'a message of another subscription')
    return undefined
  }
  const known = inspection.renameTasks(message, verdict)
  if (known === 'foreign') {
    note(verdict, "news of a task that is not known to be the caller's")
    return undefined
  }
  if (message.kind === 'notification') inspection.noticed(message.method ?? '')
  return passOn(known, frame, inspection)
}

/** What the client gets in place of a response that does not come. */
export function closingError(inspection: Inspection, thrown: unknown): Frame {
  const fault = thrown instanceof Fault ? thrown : new Fault('upstream.misbehaved', String(thrown))
  const { code, says, hint } = upstreamRefusal(fault, inspection.serverName)
  return { body: jsonRpcError(inspection.inbound.message?.id, errorCodes.internalError, says, { code, hint }) }
}

/** INVARIANT: a frame is built anew: the message as inspected, the position as sealed, a time to wait within bounds. */
function asOurs({ body, eventId, retryMs }: Frame, { sealEventId }: Inspection): Frame {
  return {
    body,
    ...(eventId === undefined ? undefined : { eventId: sealEventId(eventId) }),
    ...(retryMs === undefined ? undefined : { retryMs: Math.min(retryMs, maxRetryMs) }),
  }
}

/** SPEC: 2025-03-26 to 2025-11-25, resumability: a stream with event ids that breaks off goes on with a GET. */
function mayResume({ inbound, forwarded, change }: Inspection, hasPosition: boolean): boolean {
  // INVARIANT: a list is filtered on the answer to its own request only, so its response is never taken from another.
  return hasPosition && inbound.era === 'legacy' && forwarded.upstreamId !== undefined && change === undefined
}

function isBroken(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.code === 'upstream.unreachable'
}

/** Notes for the ledger why an answer ended before its end. */
export function noteBroken(verdict: Verdict, thrown: unknown): void {
  verdict.detail['fault'] = thrown instanceof Fault ? thrown.code : 'gateway.fault'
  verdict.detail['cause'] = String(thrown)
  if (verdict.detail['fault'] === 'upstream.answer-too-large') verdict.detail['isTruncated'] = true
}

/** The frames that may be sent, in order; ends with the response, with an error in its place, or to be resumed. */
export async function* inspectFrames(inspection: Inspection, verdict: Verdict): AsyncGenerator<Frame> {
  const isAwaiting = inspection.forwarded.upstreamId !== undefined
  let isResumable = false
  try {
    for await (const frame of inspection.forwarded.answer.frames) {
      isResumable ||= mayResume(inspection, frame.eventId !== undefined)
      const passed = await inspectFrame(frame, inspection, verdict)
      // WHY: the position of a withheld message counts, too: the client must not be sent back before it.
      if (passed !== undefined) yield asOurs(passed, inspection)
      else if (frame.eventId !== undefined) yield asOurs({ body: '', eventId: frame.eventId }, inspection)
      if (isAwaiting && verdict.outcome !== undefined) return
    }
    if (!isAwaiting) verdict.outcome ??= 'succeeded'
    if (!isAwaiting || isResumable) return
    verdict.outcome = 'failed'
    verdict.detail['fault'] = gatewayRefusals.upstreamMisbehaved.code
    yield closingError(inspection, new Fault('upstream.misbehaved', 'the answer ended without a response'))
  } catch (thrown) {
    noteBroken(verdict, thrown)
    if (isResumable && isBroken(thrown)) return
    verdict.outcome = 'failed'
    if (isAwaiting) yield closingError(inspection, thrown)
  } finally {
    inspection.forwarded.release(isResumable)
  }
}

/**
 * Sends a safe result: one JSON message, or an event stream as it comes.
 * Stops: anything uninspected being sent; it takes a `SafeResult` and nothing else.
 * Trusts: the inspection that made the result.
 * Fails: a client that hung up is noted; an exchange cut by an administrator ends with its reason in the stream.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Refusal } from '#kernel'
import { type Frame, jsonRpcError, metaKeys, writeEvent } from '#protocol'
import type { EndSignal } from '#upstream'
import type { AtOnceOrLater } from './checklist.ts'
import { Ending } from './ending.ts'
import type { StreamUse } from './limits/stream-life.ts'
import { gatewayRefusals } from './refusals.ts'
import { answerRefusal, type RefusedExchange } from './refuse.ts'
import type { SafeResult } from './safe-result.ts'

export interface Sending {
  readonly safeResult: SafeResult
  readonly exchangeId: string
  /** Number of the intent in the ledger; undefined for a batch of which nothing got so far. */
  readonly entry: number | undefined
  readonly messageId: string | number | undefined
  /** Ended with the refusal that ends the exchange early. */
  readonly cut: Ending
  /** What is counted of a stream. */
  readonly use: StreamUse
  /** Whether a stream without positions is read on after the client hung up: before 2026-07-28 that does not cancel. */
  readonly readsToTheEnd: boolean
}

export interface Sent {
  readonly bytes: number
  readonly isDelivered: boolean
}

/** The way out of an exchange: where its answer, or its refusal, goes. */
export interface Exit {
  /** Sends the result; a stream until it is read to its end. Never throws for a client that hung up. */
  answer(sending: Sending): AtOnceOrLater<Sent>
  refuse(refused: RefusedExchange): void
  /** Sends nothing more. */
  destroy(): void
}

const keepAliveMs = 15_000
/** When a client may open a stream again that ended by its limits. */
const reopenAfterMs = 1_000
/** How long a client may take nothing of what is ready for it before it counts as gone. */
const maxStallMs = 60_000
/** How long a client has to take the reason for which its stream was cut. */
const cutGraceMs = 1_000

/** What `work` resolves to, or `cut` when the exchange is ended first. Leaves nothing behind on the signal. */
export function orCut<T>(work: Promise<T>, cut: EndSignal): Promise<T | 'cut'> {
  if (cut.aborted) {
    work.catch(() => undefined)
    return Promise.resolve('cut')
  }
  return new Promise((resolve, reject) => {
    const onCut = (): void => resolve('cut')
    const settled = (): void => cut.removeEventListener('abort', onCut)
    cut.addEventListener('abort', onCut, { once: true })
    work.finally(settled).then(resolve, reject)
  })
}

/** Resolves when the client has taken what was written, or has gone. A client that stalls is let go of. */
async function drained(res: ServerResponse): Promise<void> {
  const settled = new AbortController()
  const { signal } = settled
  const stalled = setTimeout(() => res.destroy(), maxStallMs)
  await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })]).catch(() => undefined)
  clearTimeout(stalled)
  settled.abort()
}

async function write(res: ServerResponse, text: string, cut: EndSignal): Promise<number> {
  if (res.destroyed || res.writableEnded) return 0
  // WHY: a slow client holds the upstream back instead of filling our memory; one that was cut is not waited for.
  if (!res.write(text)) await orCut(drained(res), cut)
  return Buffer.byteLength(text)
}

/** @param more names and values, one after the other */
function headersOf({ exchangeId, entry, safeResult }: Sending, more: readonly string[]): string[] {
  const headers = ['castellan-exchange', exchangeId, 'cache-control', 'no-store']
  if (entry !== undefined) headers.push('castellan-entry', String(entry))
  if (safeResult.sessionId !== undefined) headers.push('mcp-session-id', safeResult.sessionId)
  headers.push(...more)
  return headers
}

function startStream(res: ServerResponse, sending: Sending): NodeJS.Timeout {
  const more = ['content-type', 'text/event-stream', 'x-accel-buffering', 'no']
  res.writeHead(sending.safeResult.status, headersOf(sending, more))
  res.flushHeaders()
  return setInterval(() => {
    if (!res.writableEnded && res.writableLength === 0) res.write(':\n\n')
  }, keepAliveMs).unref()
}

/** SPEC: 2026-07-28: what a subscription ends with that ends in good order. */
function endOfSubscription(id: string | number): string {
  const result = { resultType: 'complete', _meta: { [metaKeys.subscriptionId]: id } }
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

/** Whether a stream of news ended by its limits alone: whoever read it may open it again at once. */
function endsGracefully(refusal: Refusal | undefined): refusal is Refusal {
  const { streamIdle, streamTooLong } = gatewayRefusals
  return refusal?.code === streamIdle.code || refusal?.code === streamTooLong.code
}

/** What a client is told that waits for an answer which was cut; undefined when there is nobody to tell. */
export function cutBody({ cut, messageId }: Pick<Sending, 'cut' | 'messageId'>): string | undefined {
  if (messageId === undefined || cut.refusal === undefined) return undefined
  const { code, hint, status, says } = cut.refusal
  if (endsGracefully(cut.refusal)) return endOfSubscription(messageId)
  return jsonRpcError(messageId, status, says, { code, hint })
}

function cutEvent(sending: Sending): string {
  const body = cutBody(sending)
  if (body !== undefined) return writeEvent({ body })
  const { refusal } = sending.cut
  // WHY: nothing on a stream of news answers anything; a comment tells people, and the delay tells clients to come back.
  return endsGracefully(refusal) ? `: ${refusal.code}\nretry: ${reopenAfterMs}\n\n` : ''
}

/** Ends a response that was cut, also when the client takes nothing of it. */
function endCut(res: ServerResponse): void {
  const giveUp = setTimeout(() => res.destroy(), cutGraceMs)
  res.once('close', () => clearTimeout(giveUp))
  res.once('finish', () => clearTimeout(giveUp))
}

interface Streaming extends Sending {
  readonly frames: AsyncIterable<Frame>
}

async function sendStream(res: ServerResponse, sending: Streaming): Promise<Sent> {
  const { cut } = sending
  const keepAlive = startStream(res, sending)
  const frames = sending.frames[Symbol.asyncIterator]()
  const ended = new Ending()
  const end = (): void => ended.end()
  let readsToTheEnd = sending.readsToTheEnd
  if (cut.aborted) end()
  cut.addEventListener('abort', end)
  res.once('close', () => {
    if (!readsToTheEnd && !res.writableFinished) end()
  })
  let bytes = 0
  try {
    for (;;) {
      const next = await orCut(frames.next(), ended)
      if (next === 'cut' && !cut.aborted) break
      if (next === 'cut') {
        bytes += await write(res, cutEvent(sending), cut)
        endCut(res)
        break
      }
      if (next.done === true) break
      sending.use.messages += 1
      bytes += await write(res, writeEvent(next.value), cut)
      // WHY: an upstream that still writes the broken stream would refuse to let the client resume it.
      if (next.value.eventId !== undefined) readsToTheEnd = false
      if (res.destroyed && !readsToTheEnd) break
    }
  } finally {
    clearInterval(keepAlive)
    // WHY: not awaited: an upstream that is silent would keep the cut client waiting.
    void Promise.resolve(frames.return?.()).catch(() => undefined)
  }
  const isDelivered = !res.destroyed
  res.end()
  return { bytes, isDelivered }
}

function sendWhole(res: ServerResponse, sending: Sending, body: string): Sent {
  const { safeResult } = sending
  const bytes = Buffer.byteLength(body)
  const isDelivered = !res.destroyed
  const headers = headersOf(sending, ['content-length', String(bytes)])
  if (safeResult.kind === 'json') headers.push('content-type', 'application/json')
  res.writeHead(safeResult.status, headers)
  // WHY: a text leaves together with the headers, in one piece; pure ASCII without being encoded once more.
  res.end(body, bytes === body.length ? 'latin1' : 'utf8')
  return { bytes, isDelivered }
}

/** The way out over HTTP: one response. */
export function httpExit(res: ServerResponse): Exit {
  return {
    answer(sending) {
      const { safeResult } = sending
      if (safeResult.kind !== 'stream') return sendWhole(res, sending, safeResult.body)
      return sendStream(res, { ...sending, frames: safeResult.frames })
    },
    refuse: (refused) => answerRefusal(res, refused),
    destroy: () => void res.destroy(),
  }
}

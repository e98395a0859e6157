/**
 * Sends a safe result: one JSON message, or an event stream as it comes.
 * Stops: anything uninspected being sent; it takes a `SafeResult` and nothing else.
 * Trusts: the inspection that made the result.
 * Fails: a client that hung up is noted; an exchange cut by an administrator ends with its reason in the stream.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Refusal } from '#kernel'
import { type Frame, jsonRpcError, writeEvent } from '#protocol'
import type { SafeResult } from './safe-result.ts'

export interface Sending {
  readonly res: ServerResponse
  readonly safeResult: SafeResult
  readonly headers: Readonly<Record<string, string>>
  readonly messageId: string | number | undefined
  /** Aborted with the refusal that ends the exchange early. */
  readonly cut: AbortSignal
  /** Whether reading goes on after the client hung up: before 2026-07-28 hanging up does not cancel. */
  readonly readsToTheEnd: boolean
}

export interface Sent {
  readonly bytes: number
  readonly isDelivered: boolean
}

const keepAliveMs = 15_000

async function write(res: ServerResponse, text: string): Promise<number> {
  if (res.destroyed || res.writableEnded) return 0
  // WHY: a slow client holds the upstream back instead of filling our memory.
  if (!res.write(text)) await Promise.race([once(res, 'drain'), once(res, 'close')])
  return Buffer.byteLength(text)
}

function startStream(res: ServerResponse, sending: Sending): NodeJS.Timeout {
  res.writeHead(sending.safeResult.status, {
    ...sending.headers,
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  res.flushHeaders()
  return setInterval(() => {
    if (!res.writableEnded && res.writableLength === 0) res.write(':\n\n')
  }, keepAliveMs).unref()
}

function cutFrame({ cut, messageId }: Sending): string {
  if (messageId === undefined) return ''
  const refusal = cut.reason as Refusal
  const { code, hint } = refusal
  return writeEvent({ body: jsonRpcError(messageId, refusal.status, refusal.says, { code, hint }) })
}

/** The next frame, or `cut` when the exchange is ended first. */
function nextOrCut(frames: AsyncIterator<Frame>, cut: Promise<'cut'>): Promise<IteratorResult<Frame> | 'cut'> {
  return Promise.race([frames.next(), cut])
}

async function sendStream(sending: Sending): Promise<Sent> {
  const { res, safeResult, cut } = sending
  const keepAlive = startStream(res, sending)
  const frames = safeResult.frames[Symbol.asyncIterator]()
  const whenCut = new Promise<'cut'>((resolve) => {
    if (cut.aborted) resolve('cut')
    else cut.addEventListener('abort', () => resolve('cut'), { once: true })
  })
  let bytes = 0
  try {
    for (;;) {
      const next = await nextOrCut(frames, whenCut)
      if (next === 'cut') {
        bytes += await write(res, cutFrame(sending))
        break
      }
      if (next.done === true) break
      bytes += await write(res, writeEvent(next.value))
      if (res.destroyed && !sending.readsToTheEnd) break
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

async function sendJson(sending: Sending): Promise<Sent> {
  const { res, safeResult } = sending
  let body = ''
  for await (const frame of safeResult.frames) body = frame.body
  const isDelivered = !res.destroyed
  res.writeHead(safeResult.status, {
    ...sending.headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  res.end(body)
  return { bytes: Buffer.byteLength(body), isDelivered }
}

/** Sends the result and waits until it is read to its end. Never throws for a client that hung up. */
export async function respond(sending: Sending): Promise<Sent> {
  const { res, safeResult, headers } = sending
  if (safeResult.kind === 'stream') return sendStream(sending)
  if (safeResult.kind === 'json') return sendJson(sending)
  for await (const _ of safeResult.frames);
  res.writeHead(safeResult.status, { ...headers, 'content-length': '0', 'cache-control': 'no-store' })
  res.end()
  return { bytes: 0, isDelivered: !res.destroyed }
}

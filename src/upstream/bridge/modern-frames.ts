/**
 * What comes next of an upstream's answer?
 *
 * Stops: an answer that is silent for ever; a legacy stream that broke off being taken for its end.
 * Trusts: the session to be the one that the request was sent in.
 * Fails: with the Fault that ended the stream, after every frame before it.
 * @see MCP 2025-11-25, Streamable HTTP, resumability
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '#kernel'
import type { Frame } from '#protocol'
import type { PooledSession } from '../pool/session.ts'
import type { UpstreamAnswer } from '../transports/transport.ts'

const maxResumes = 32
const usualRetryMs = 1_000
const maxRetryMs = 10_000

interface Reading {
  readonly session: PooledSession
  readonly signal: AbortSignal
  readonly deadlineMs: number
}

function isBroken(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.code === 'upstream.unreachable'
}

/** Every frame of an answer; a stream with positions that breaks off is resumed, as the server may ask of its clients. */
async function* framesOf(answer: UpstreamAnswer, { session, signal, deadlineMs }: Reading): AsyncGenerator<Frame> {
  let frames = answer.frames
  let lastEventId: string | undefined
  let retryMs = usualRetryMs
  for (let resumed = 0; resumed <= maxResumes; resumed += 1) {
    try {
      for await (const frame of frames) {
        lastEventId = frame.eventId ?? lastEventId
        retryMs = frame.retryMs ?? retryMs
        yield frame
      }
    } catch (thrown) {
      if (lastEventId === undefined || !isBroken(thrown)) throw thrown
    }
    if (lastEventId === undefined) return
    await sleep(Math.min(retryMs, maxRetryMs), undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    const again = await session.exchange({ httpMethod: 'GET', lastEventId, signal, deadlineMs })
    if (again.kind !== 'stream') return
    frames = again.frames
  }
}

/** Reads an answer frame by frame; what was waited for in vain is not lost. */
export class FrameReader {
  readonly #frames: AsyncGenerator<Frame>
  #next: Promise<IteratorResult<Frame>> | undefined

  constructor(answer: UpstreamAnswer, reading: Reading) {
    this.#frames = framesOf(answer, reading)
  }

  /** @returns the next frame, undefined at the end, `quiet` when none came in time or the wait was called off */
  async next(withinMs: number, calledOff: Promise<'quiet'>): Promise<Frame | undefined | 'quiet'> {
    this.#next ??= this.#frames.next()
    // WHY: while nobody waits, a stream that breaks is nobody's failure yet.
    this.#next.catch(() => undefined)
    const { promise: quiet, resolve } = Promise.withResolvers<'quiet'>()
    const timer = setTimeout(resolve, withinMs, 'quiet')
    try {
      const result = await Promise.race([this.#next, quiet, calledOff])
      if (result === 'quiet') return result
      this.#next = undefined
      return result.done === true ? undefined : result.value
    } finally {
      clearTimeout(timer)
    }
  }
}

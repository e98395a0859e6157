/**
 * Moves the messages of one answer to a stream that it shares with others.
 * Stops: an answer read on for a stream that is over, or after what allowed it was taken back.
 * Trusts: the frames, which were inspected.
 * Fails: an answer that is cut ends with its reason on the stream.
 */
import { type Frame, isProblem, readUpstreamMessage } from '#protocol'
import { Ending } from '../ending.ts'
import { cutBody, orCut, type Sending, type Sent } from '../respond.ts'
import type { Outbox } from './outbox.ts'

/** Where a stream broke off that goes on elsewhere. */
export interface Position {
  readonly lastEventId: string
  readonly retryMs: number | undefined
}

export interface Pumped extends Sent {
  /** Set when the server named positions. */
  readonly position: Position | undefined
  readonly hasResponse: boolean
}

function isResponse(body: string): boolean {
  const message = readUpstreamMessage(body)
  return !isProblem(message) && message.kind === 'response'
}

export async function pump(
  frames: AsyncIterable<Frame>,
  outbox: Outbox,
  sending: Pick<Sending, 'cut' | 'messageId'>,
): Promise<Pumped> {
  const { cut } = sending
  const reader = frames[Symbol.asyncIterator]()
  const ended = new Ending()
  const end = (): void => ended.end()
  for (const signal of [cut, outbox.over]) {
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
  }
  let [bytes, isDelivered, hasResponse] = [0, true, false]
  let position: Position | undefined
  try {
    for (;;) {
      const next = await orCut(reader.next(), ended)
      if (next === 'cut') {
        isDelivered = false
        break
      }
      if (next.done === true) break
      const { body, eventId, retryMs = position?.retryMs } = next.value
      if (eventId !== undefined) position = { lastEventId: eventId, retryMs }
      if (body === '') continue
      hasResponse ||= isResponse(body)
      isDelivered = (await orCut(outbox.deliver(body), ended)) === true
      bytes += Buffer.byteLength(body)
    }
    const reason = cutBody(sending)
    if (cut.aborted && reason !== undefined) void outbox.deliver(reason)
  } finally {
    for (const signal of [cut, outbox.over]) signal.removeEventListener('abort', end)
    void Promise.resolve(reader.return?.()).catch(() => undefined)
  }
  return { bytes, isDelivered, position, hasResponse }
}

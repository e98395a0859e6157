import type { IncomingMessage, ServerResponse } from 'node:http'

/** What a body is not read for: it is over the limit, it is compressed, or the client left. */
export type Unread = 'too-large' | 'encoded' | 'aborted'

/** Requests whose client asked for `100 Continue` before it sends the body. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>()

/** Leaves it to the reader of the body to say `100 Continue`: a request that is refused unread is never sent it. */
export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, response)
}

/**
 * Reads a request body once, holding at most `maxBytes` of it.
 * @returns the bytes; `too-large` as soon as that is known, without reading on; `encoded` for any `Content-Encoding`
 * but `identity`, unread; `aborted` when the client left
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | Unread> {
  const { 'content-length': length, 'content-encoding': encoding, expect } = request.headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return Promise.resolve('encoded')
  if (Number(length ?? 0) > maxBytes) return Promise.resolve('too-large')
  if (request.destroyed && !request.complete) return Promise.resolve('aborted')
  if (expect !== undefined) waiting.get(request)?.writeContinue()
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let receivedBytes = 0
    const onData = (chunk: Buffer) => {
      if (receivedBytes > maxBytes) return
      receivedBytes += chunk.length
      if (receivedBytes <= maxBytes) return void chunks.push(chunk)
      request.pause()
      resolve('too-large')
    }
    const onEnd = () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, receivedBytes))
    const onClose = () => resolve('aborted')
    // WHY: they stay: a request is read once, and taking them off would cost more than the reading.
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

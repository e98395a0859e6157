import type { IncomingMessage } from 'node:http'

/**
 * Reads a request body once, holding at most `maxBytes` of it.
 * @returns the bytes; `too-large` as soon as that is known, without reading on; `aborted` when the client left
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | 'too-large' | 'aborted'> {
  const declaredBytes = Number(request.headers['content-length'] ?? 0)
  if (declaredBytes > maxBytes) return Promise.resolve('too-large')
  if (request.destroyed && !request.complete) return Promise.resolve('aborted')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let receivedBytes = 0
    const done = (outcome: Buffer | 'too-large' | 'aborted') => {
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      resolve(outcome)
    }
    const onData = (chunk: Buffer) => {
      receivedBytes += chunk.length
      if (receivedBytes <= maxBytes) return void chunks.push(chunk)
      request.pause()
      done('too-large')
    }
    const onEnd = () => done(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, receivedBytes))
    const onClose = () => done('aborted')
    request.on('data', onData).once('end', onEnd).once('close', onClose).once('error', onClose)
  })
}

import type { Readable, Writable } from 'node:stream'

/** Most that one message of the client may take, in bytes. */
export const maxLineBytes = 32 * 1024 * 1024

const newline = 0x0a

/**
 * Lines of a byte stream, decoded as a whole. SPEC: MCP, stdio: messages are separated by newlines and hold none.
 * A line beyond the limit is given as `too long`, and what follows it is read on.
 */
export async function* readLines(input: Readable, maxBytes = maxLineBytes): AsyncIterable<Buffer | 'too long'> {
  let parts: Buffer[] = []
  let bytes = 0
  const end = (): Buffer | 'too long' => {
    const line = bytes > maxBytes ? 'too long' : Buffer.concat(parts)
    parts = []
    bytes = 0
    return line
  }
  for await (const given of input) {
    const chunk = Buffer.from(given as Uint8Array)
    let from = 0
    for (let to = chunk.indexOf(newline); to !== -1; to = chunk.indexOf(newline, from)) {
      bytes += to - from
      if (bytes <= maxBytes) parts.push(chunk.subarray(from, to))
      from = to + 1
      yield end()
    }
    bytes += chunk.length - from
    if (bytes <= maxBytes) parts.push(chunk.subarray(from))
    else parts = []
  }
  if (bytes > 0) yield end()
}

/** Writes one message as one line. Resolves when the reader keeps up, so that a slow client slows the server. */
export function createLineWriter(output: Writable): (text: string) => Promise<void> {
  return async (text) => {
    // WHY: a line break in JSON can only stand between tokens, where a space means the same.
    const line = text.replaceAll(/[\r\n]+/g, ' ')
    if (output.destroyed || output.write(`${line}\n`)) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        output.off('drain', done)
        output.off('close', done)
        output.off('error', done)
        resolve()
      }
      output.once('drain', done)
      output.once('close', done)
      output.once('error', done)
    })
  }
}

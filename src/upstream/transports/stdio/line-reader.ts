/**
 * Which complete lines do these bytes hold?
 *
 * Stops: a line without end from filling the memory.
 * Trusts: nothing in the bytes; what is no UTF-8 becomes replacement characters.
 * Fails: throws `upstream.misbehaved`; the stream cannot be read on.
 */
import { Fault } from '#kernel'

/** Takes bytes cut anywhere and gives the lines they complete, without line ends and without empty lines. */
export type LineReader = (chunk: Buffer) => string[]

/** @param maxLineBytes bytes of one line, its end not counted */
export function createLineReader(maxLineBytes: number): LineReader {
  let parts: Buffer[] = []
  let pendingBytes = 0

  function take(bytes: Buffer): string {
    const line = parts.length === 0 ? bytes : Buffer.concat([...parts, bytes])
    parts = []
    pendingBytes = 0
    const end = line.at(-1) === 0x0d ? line.length - 1 : line.length
    return line.toString('utf8', 0, end)
  }

  function count(bytes: number): void {
    pendingBytes += bytes
    if (pendingBytes > maxLineBytes) throw new Fault('upstream.misbehaved', 'a line of the upstream exceeds the limit')
  }

  return (chunk) => {
    const lines: string[] = []
    let at = 0
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, at)) {
      count(end - at)
      const line = take(chunk.subarray(at, end))
      if (line !== '') lines.push(line)
      at = end + 1
    }
    if (at < chunk.length) {
      count(chunk.length - at)
      parts.push(chunk.subarray(at))
    }
    return lines
  }
}

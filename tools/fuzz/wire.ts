/** Sends any bytes and hears what comes back: clients of HTTP refuse to send most of what is worth sending. */
import { connect, type Socket } from 'node:net'

/** What came back for one input. */
export interface Heard {
  /** `closed`: the connection ended without an answer. `silent`: neither answer nor end before time was up. */
  readonly kind: 'answered' | 'closed' | 'silent'
  readonly status: number
  /** Head and body as they came, up to a limit. */
  readonly text: string
  readonly tookMs: number
}

/** A place to send bytes to; keeps a few connections for requests that leave them usable. */
export interface Wire {
  /** @param isWhole whether the bytes are one well-framed request, so that the connection may be used again */
  send(bytes: Buffer, isWhole: boolean): Promise<Heard>
  close(): void
}

const patienceMs = 20_000
const maxKeptChars = 64 * 1024
const endOfHead = '\r\n\r\n'
const head = Buffer.from('HEAD ')

interface Parsed {
  readonly status: number
  readonly isComplete: boolean
  readonly mayKeep: boolean
}

/** How far an answer has come. A stream counts as answered with its head: it may stay open for ever. */
function parse(text: string, hasBody: boolean): Parsed {
  const end = text.indexOf(endOfHead)
  if (end < 0) return { status: 0, isComplete: false, mayKeep: false }
  const lines = text.slice(0, end).toLowerCase()
  const status = Number(/^http\/1\.1 (\d{3})/.exec(lines)?.[1] ?? 0)
  if (status === 100) return parse(text.slice(end + endOfHead.length), hasBody)
  const body = text.slice(end + endOfHead.length)
  const mayKeep = !lines.includes('\r\nconnection: close')
  if (!hasBody) return { status, isComplete: true, mayKeep }
  const length = /\r\ncontent-length: (\d+)/.exec(lines)?.[1]
  if (length !== undefined) return { status, isComplete: body.length >= Number(length), mayKeep }
  if (lines.includes('\r\ncontent-type: text/event-stream')) {
    const isEnded = body.endsWith('0\r\n\r\n')
    return { status, isComplete: true, mayKeep: mayKeep && isEnded }
  }
  if (lines.includes('\r\ntransfer-encoding: chunked'))
    return { status, isComplete: body.endsWith('0\r\n\r\n'), mayKeep }
  return { status, isComplete: status === 204 || status === 304, mayKeep }
}

function listen(socket: Socket, bytes: Buffer, isWhole: boolean): Promise<Heard & { mayKeep: boolean }> {
  const startedAt = performance.now()
  // SPEC: RFC 9110, section 9.3.2: the answer to HEAD ends with its head, whatever length it names.
  const hasBody = !bytes.subarray(0, 5).equals(head)
  return new Promise((resolve) => {
    let text = ''
    const done = (kind: Heard['kind'], { status, mayKeep }: Parsed): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
      socket.on('error', () => undefined)
      const tookMs = performance.now() - startedAt
      resolve({ kind, status, text, tookMs, mayKeep: mayKeep && kind === 'answered' && isWhole })
    }
    const timer = setTimeout(() => done('silent', parse(text, hasBody)), patienceMs)
    socket.on('data', (chunk: Buffer) => {
      if (text.length < maxKeptChars) text += chunk.toString('latin1')
      const parsed = parse(text, hasBody)
      if (parsed.isComplete || text.length >= maxKeptChars) done('answered', parsed)
    })
    const gone = (): void => {
      const parsed = parse(text, hasBody)
      done(parsed.status === 0 ? 'closed' : 'answered', parsed)
    }
    socket.once('close', gone)
    socket.on('error', () => undefined)
    socket.write(bytes)
    // WHY: what is no whole request may leave the other side waiting for the rest; it is told that none comes.
    if (!isWhole) socket.end()
  })
}

export function createWire(port: number): Wire {
  const idle: Socket[] = []
  return {
    async send(bytes, isWhole) {
      const kept = isWhole ? idle.pop() : undefined
      const isUsable = kept !== undefined && !kept.destroyed && kept.readyState === 'open'
      const socket = isUsable ? kept : connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      const { mayKeep, ...heard } = await listen(socket, bytes, isWhole)
      if (mayKeep && !socket.destroyed && idle.length < 64) idle.push(socket)
      else socket.destroy()
      // WHY: a kept connection may be closed at the very moment it is used again; that request is sent once more.
      if (isUsable && heard.kind === 'closed') return this.send(bytes, isWhole)
      return heard
    },
    close() {
      for (const socket of idle) socket.destroy()
    },
  }
}

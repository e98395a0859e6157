import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { atEnd } from '../../ending.ts'

/** A bare connection, all that the server said on it, and whether it was closed. */
export interface RawClient {
  readonly socket: Socket
  readonly answer: { text: string; isClosed: boolean }
  /** Resolves when the server, or this client, has closed it. */
  readonly closed: Promise<void>
  /** The status codes of all answers so far. */
  statuses(): number[]
}

export interface RawClientOptions {
  readonly port: number
  readonly host?: string
  /** Speaks TLS with these options. */
  readonly tls?: ConnectionOptions
}

/** Connects, also when that fails: then it is closed. Ends with the test. */
export async function openRaw({ port, host = '127.0.0.1', tls }: RawClientOptions): Promise<RawClient> {
  const socket = tls === undefined ? connect({ port, host }) : connectTls({ port, host, ...tls })
  atEnd(() => socket.destroy())
  const answer = { text: '', isClosed: false }
  socket.on('data', (chunk: Buffer) => (answer.text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      answer.isClosed = true
      resolve()
    })
  })
  const connected = new Promise<void>((resolve) => {
    socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve)
  })
  await Promise.race([connected, closed])
  return {
    socket,
    answer,
    closed,
    statuses: () => [...answer.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)),
  }
}

/** A POST as a client sends it, its length declared. */
export function postOf(url: string, lines: readonly string[], body: string): string {
  const { host, pathname } = new URL(url)
  const head = [`POST ${pathname} HTTP/1.1`, `Host: ${host}`, ...lines, `Content-Length: ${Buffer.byteLength(body)}`]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/** A GET of `/` as a client sends it, with more header lines. */
export function headOf(...lines: string[]): string {
  return `${['GET / HTTP/1.1', 'Host: localhost', ...lines].join('\r\n')}\r\n\r\n`
}

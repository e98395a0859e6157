import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Ceilings } from './listener-ceilings.ts'
import type { Connection, Connections } from './listener-connections.ts'
import { flawOf } from './listener-framing.ts'
import { continueWhenRead } from './read-body.ts'

/** How long a client that was answered may go on sending what nobody reads. */
const lingerMs = 1_000
/** SPEC: RFC 6797, section 6.1. One year, as long as the lists of browsers ask for. */
const strictTransport = 'max-age=31536000'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Why somebody was turned away before any handler saw them. */
export type TurnedAwayReason = 'malformed' | 'too-slow' | 'too-many-connections' | 'too-many-requests' | 'no-handshake'

/** Takes requests off connections and hands them over, one connection's in their order. */
export interface Traffic {
  onRequest(request: IncomingMessage, response: ServerResponse): void
  /** For requests that ask for `100 Continue`. */
  onContinue(request: IncomingMessage, response: ServerResponse): void
  /** For requests that expect anything else. */
  onExpectation(request: IncomingMessage, response: ServerResponse): void
  onConnect(request: IncomingMessage, socket: Socket): void
  /** For what Node could not read as a request in time, or could not decrypt. */
  onError(error: Error & { code?: string }, socket: Socket): void
  /** From here on connections end with the answer to their newest request. */
  drain(): void
  /** From here on connections end as soon as nothing on them is open. */
  endIdle(endIdle: () => void): void
}

export interface TrafficOptions {
  readonly handler: Handler
  readonly ceilings: { readonly current: Ceilings }
  readonly connections: Connections
  readonly isEncrypted: boolean
  readonly turnedAway: (reason: TurnedAwayReason, address: string | undefined) => void
}

const ignore = () => undefined

/** WHY: it holds for all ports of a host, and whatever else runs on `localhost` may not speak TLS. */
function isLocal({ headers }: IncomingMessage): boolean {
  return headers.host?.startsWith('localhost') === true
}

function run(handler: Handler, request: IncomingMessage, response: ServerResponse): void {
  const fail = () => {
    if (response.headersSent) return void response.destroy()
    response.writeHead(500, { 'content-type': 'text/plain', connection: 'close' }).end('internal error\n')
  }
  try {
    const outcome: unknown = handler(request, response)
    if (outcome instanceof Promise) outcome.catch(fail)
  } catch {
    fail()
  }
}

/** A client that was answered before its body was read may not go on sending for long. */
function dropUnread(request: IncomingMessage): void {
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy()
  }, lingerMs)
  request.once('close', () => clearTimeout(timer))
}

/** WHY: a connection that is closed while bytes of the client are on their way is reset, and the answer lost with it. */
function sayAndClose(socket: Socket, status: number): void {
  if (socket.writableEnded) return
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function statusOf(error: { code?: string }): number {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return 431
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 413
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408
    default:
      return 400
  }
}

interface Desk extends TrafficOptions {
  readonly onClosed: (this: ServerResponse) => void
  isDraining: boolean
  /** Once set, connections end as soon as nothing on them is open. */
  endIdle: (() => void) | undefined
}

function endWith(connection: Connection, response: ServerResponse): void {
  connection.isEnding = true
  response.setHeader('connection', 'close')
}

function refuse(desk: Desk, connection: Connection, response: ServerResponse, status: number): void {
  desk.turnedAway(status === 503 ? 'too-many-requests' : 'malformed', connection.socket.remoteAddress)
  connection.isEnding = true
  response.writeHead(status, { connection: 'close', 'content-length': 0 }).end()
}

function open(desk: Desk, request: IncomingMessage, response: ServerResponse): Connection | undefined {
  const { connections } = desk
  // WHY: a write to a client that has left is an error event, which nobody else may be there to hear.
  request.on('error', ignore)
  response.on('error', ignore)
  const connection = connections.find(request.socket)
  // INVARIANT: nothing that came after a request whose answer ends the connection is handed over.
  if (connection === undefined || connection.isEnding) return undefined
  if (connection.open === 0) connections.busy(connection)
  connection.open++
  connection.served++
  connection.newest = response
  response.once('close', desk.onClosed)
  if (desk.isEncrypted && !isLocal(request)) response.setHeader('strict-transport-security', strictTransport)
  return connection
}

function close({ connections, endIdle }: Desk, { req: request }: ServerResponse): void {
  if (!request.complete) dropUnread(request)
  const connection = connections.find(request.socket)
  if (connection === undefined) return
  connection.open--
  if (connection.open > 0) return
  connection.newest = undefined
  connections.idle(connection)
  if (endIdle !== undefined) setImmediate(endIdle)
}

function take(desk: Desk, request: IncomingMessage, response: ServerResponse): void {
  const connection = open(desk, request, response)
  if (connection === undefined) return
  const ceilings = desk.ceilings.current
  const flaw = flawOf(request, ceilings)
  if (flaw !== undefined) return refuse(desk, connection, response, flaw)
  if (connection.open > ceilings.maxPipelined) return refuse(desk, connection, response, 503)
  const isLast = desk.isDraining || connection.served >= ceilings.maxRequestsPerConnection
  // WHY: no protocol is changed to here, and what Node reads together with a request to do so is lost.
  if (isLast || request.headers.upgrade !== undefined) endWith(connection, response)
  run(desk.handler, request, response)
}

function fail({ connections, turnedAway }: Desk, error: { code?: string }, socket: Socket): void {
  const connection = connections.find(socket)
  if (connection === undefined) {
    turnedAway('no-handshake', socket.remoteAddress)
    return void socket.destroy()
  }
  // WHY: what is no fault of the request is one of the connection or of TLS, and nobody is there to be told.
  if (!/^HPE_|^ERR_HTTP_/.test(error.code ?? '')) return void socket.destroy()
  const isAnsweredOnly = connection.isEnding || error.code === 'HPE_CLOSED_CONNECTION'
  const status = statusOf(error)
  connection.isEnding = true
  // WHY: what comes after the last request is nobody's, and no reason to lose the answer to it.
  if (isAnsweredOnly && connection.open > 0 && status !== 408) return
  if (!socket.writableEnded) turnedAway(status === 408 ? 'too-slow' : 'malformed', socket.remoteAddress)
  // INVARIANT: nothing is said into the middle of an answer.
  if (connection.open > 1 || connection.newest?.headersSent === true) return void socket.destroy()
  sayAndClose(socket, status)
}

export function createTraffic(options: TrafficOptions): Traffic {
  const desk: Desk = {
    ...options,
    onClosed() {
      close(desk, this)
    },
    isDraining: false,
    endIdle: undefined,
  }
  return {
    onRequest: (request, response) => take(desk, request, response),
    onContinue(request, response) {
      continueWhenRead(request, response)
      take(desk, request, response)
    },
    onExpectation(request, response) {
      const connection = open(desk, request, response)
      if (connection !== undefined) refuse(desk, connection, response, 417)
    },
    onConnect(_request, socket) {
      desk.turnedAway('malformed', socket.remoteAddress)
      socket.on('error', ignore)
      sayAndClose(socket, 501)
    },
    onError: (error, socket) => fail(desk, error, socket),
    drain() {
      desk.isDraining = true
      for (const connection of desk.connections.speaking()) {
        const { newest } = connection
        if (newest !== undefined && !newest.headersSent) endWith(connection, newest)
      }
    },
    endIdle(end) {
      desk.endIdle = end
      end()
    },
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Misuse } from '#kernel'

const portAttempts = 20
const lingerMs = 1_000

/** What one client may cost before anybody knows who it is. */
export interface Ceilings {
  /** From the first byte, or from the connection, until the headers are complete. */
  readonly headersTimeoutMs: number
  /** Until headers and body are complete. */
  readonly requestTimeoutMs: number
  /** Between two requests on one connection. */
  readonly keepAliveTimeoutMs: number
  /** Request line and headers together; more is answered 431. */
  readonly maxHeaderBytes: number
  /** On all addresses together; more are closed at once. */
  readonly maxConnections: number
}

const defaultCeilings: Ceilings = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  maxHeaderBytes: 16_384,
  maxConnections: 4_096,
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface ListenerOptions {
  /** `gateway` or `admin`: the section of the configuration that the port came from. */
  readonly name: string
  /** 0 picks a free one, the same on all addresses. */
  readonly port: number
  /** Loopback of both families unless told; one that the machine does not have is passed over. */
  readonly addresses?: readonly string[]
  readonly handler: Handler
  readonly ceilings?: Partial<Ceilings>
}

/** Answers HTTP/1.1 on one port of one or more addresses. */
export interface Listener {
  /** @throws Misuse `http.port-in-use`, `http.port-denied`, `http.no-address` */
  listen(): Promise<{ port: number }>
  /** Accepts nothing more, lets requests in flight finish for up to `graceMs`, then cuts them off. */
  close(graceMs: number): Promise<void>
}

export function createListener(options: ListenerOptions): Listener {
  const ceilings = { ...defaultCeilings, ...options.ceilings }
  const traffic = watchTraffic(options.handler, ceilings.maxConnections)
  let servers: Server[] = []
  return {
    async listen() {
      const addresses = options.addresses ?? ['127.0.0.1', '::1']
      for (let attempt = 1; ; attempt++) {
        try {
          servers = await openAll(addresses, options.port, () => configure(traffic, ceilings))
          return { port: portOf(servers) }
        } catch (error) {
          // WHY: a port that is free on one address can be taken on the other.
          const mayTryAnother = options.port === 0 && attempt < portAttempts && codeOf(error) === 'EADDRINUSE'
          if (!mayTryAnother) throw explain(error, options)
        }
      }
    },
    async close(graceMs) {
      const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
      traffic.drain(() => servers.forEach((server) => server.closeIdleConnections()))
      const ended = new AbortController()
      await Promise.race([closed, sleep(graceMs, undefined, { signal: ended.signal }).catch(() => undefined)])
      ended.abort()
      for (const server of servers) server.closeAllConnections()
      await closed
    },
  }
}

interface Traffic {
  readonly onRequest: Handler
  readonly onConnection: (socket: Socket) => void
  /** From here on connections end with their request; `closeIdle` is called when one has. */
  drain(closeIdle: () => void): void
}

function watchTraffic(handler: Handler, maxConnections: number): Traffic {
  const inFlight = new Set<ServerResponse>()
  const connections = new Set<Socket>()
  let closeIdle: (() => void) | undefined

  function onConnection(socket: Socket): void {
    if (connections.size >= maxConnections) return void socket.destroy()
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    // WHY: a write to a client that has left is an error event, which nobody else may be there to hear.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    inFlight.add(response)
    if (closeIdle !== undefined) response.setHeader('connection', 'close')
    response.once('close', () => {
      inFlight.delete(response)
      if (closeIdle !== undefined) setImmediate(closeIdle)
    })
    response.once('finish', () => dropUnread(request))
    if (isAmbiguous(request)) response.writeHead(400, { connection: 'close' }).end()
    else run(handler, request, response)
  }

  return {
    onConnection,
    onRequest,
    drain(closing) {
      closeIdle = closing
      for (const response of inFlight) if (!response.headersSent) response.setHeader('connection', 'close')
      // WHY: to Node a connection that has not said anything yet is not idle, and it would be waited for.
      for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
      closing()
    },
  }
}

/**
 * Whether two readers could take the request for ones to different hosts. SPEC: RFC 9112, section 3.2: more than one
 * `Host` is answered 400; a target in absolute form would replace it, and is only sent to proxies.
 */
function isAmbiguous({ url = '', headersDistinct }: IncomingMessage): boolean {
  return (headersDistinct['host']?.length ?? 0) > 1 || /^https?:/i.test(url)
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
  if (request.complete) return
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy()
  }, lingerMs)
  request.once('close', () => clearTimeout(timer))
}

function configure(traffic: Traffic, ceilings: Ceilings): Server {
  const server = createServer({
    headersTimeout: ceilings.headersTimeoutMs,
    requestTimeout: ceilings.requestTimeoutMs,
    keepAliveTimeout: ceilings.keepAliveTimeoutMs,
    maxHeaderSize: ceilings.maxHeaderBytes,
    // WHY: Node looks for slow clients only this often, every 30 seconds unless told.
    connectionsCheckingInterval: Math.min(1_000, Math.ceil(ceilings.headersTimeoutMs / 4)),
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
  })
  server.maxRequestsPerSocket = 0
  server.on('connection', traffic.onConnection)
  server.on('request', traffic.onRequest)
  return server
}

async function openAll(addresses: readonly string[], port: number, make: () => Server): Promise<Server[]> {
  const open: Server[] = []
  let missing: unknown
  try {
    for (const address of addresses) {
      const server = make()
      try {
        await bind(server, address, open.length === 0 ? port : portOf(open))
        open.push(server)
      } catch (error) {
        if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error) ?? '')) throw error
        missing = error
      }
    }
    if (open.length === 0) throw missing
    return open
  } catch (error) {
    for (const server of open) server.close()
    throw error
  }
}

function bind(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, ipv6Only: address.includes(':'), exclusive: true }, () => {
      server.off('error', reject)
      server.on('error', () => undefined)
      resolve()
    })
  })
}

function portOf(servers: readonly Server[]): number {
  const address: AddressInfo | string | null | undefined = servers[0]?.address()
  if (typeof address === 'object' && address !== null) return address.port
  throw new TypeError('not listening')
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function explain(error: unknown, { name, port }: ListenerOptions): unknown {
  const hint = `stop the other program, or set \`${name}.port\` (CASTELLAN_${name.toUpperCase()}__PORT) to another one`
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new Misuse('http.port-in-use', `port ${port} of the ${name} is in use`, hint, { cause: error })
    case 'EACCES':
      return new Misuse('http.port-denied', `this account may not open port ${port}`, hint, { cause: error })
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return new Misuse('http.no-address', `the ${name} has no address to listen on`, hint, { cause: error })
    default:
      return error
  }
}

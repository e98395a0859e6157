import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { Server as TcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Misuse } from '#kernel'
import { isLoopbackAddress } from './addresses.ts'
import { openServers } from './listener-bind.ts'
import { type Ceilings, defaultCeilings } from './listener-ceilings.ts'
import { type Connections, trackConnections } from './listener-connections.ts'
import { createTraffic, type Handler, type Traffic, type TurnedAwayReason } from './listener-traffic.ts'
import { secureOptionsOf, type Tls } from './tls-context.ts'

/** How long a client in the middle of its work has to send the next request, which is told that it is the last. */
const lastRequestsMs = 200
/** How long streams have to end after they were told to. */
const lastWordsMs = 1_000

/** Somebody who never reached a handler. */
export interface TurnedAway {
  readonly reason: TurnedAwayReason
  readonly address: string
}

export interface ListenerOptions {
  /** `gateway` or `admin`: the section of the configuration that the port came from. */
  readonly name: string
  /** 0 picks a free one, the same on all addresses. */
  readonly port: number
  /** Loopback of both families unless told; one of a family that the machine does not have is passed over. */
  readonly addresses?: readonly string[]
  readonly handler: Handler
  /** HTTP without it. */
  readonly tls?: Tls
  readonly ceilings?: Partial<Ceilings>
  /** Listening beyond loopback without TLS, where something before it ends TLS. */
  readonly dangerouslyAllowPlainHttp?: boolean
  /** Whether an address stands for many clients, such as a proxy: the ceiling for each address is not for it. */
  readonly isShared?: (address: string) => boolean
  /** Told at once and often; must be quick and not throw. */
  readonly onTurnedAway?: (turnedAway: TurnedAway) => void
}

/** Answers HTTP/1.1 on one port of one or more addresses. */
export interface Listener {
  /** @throws Misuse `http.port-in-use`, `http.port-denied`, `http.no-address` */
  listen(): Promise<{ port: number }>
  /**
   * New connections get the new certificate; open ones stay.
   * @throws Misuse `http.tls-unusable`, and then nothing changes
   */
  setTls(tls: Tls): void
  /** Holds from the next request on; for open connections, the size of headers keeps its ceiling. */
  setCeilings(ceilings: Partial<Ceilings>): void
  /** Connections, in the handshake of TLS or past it. */
  connectionCount(): number
  /** From here on every answer ends its connection; new connections are still accepted. */
  drain(): void
  /**
   * Accepts nothing more and lets requests in flight finish for up to `graceMs`. Then `lastWords` is called, for who can
   * end open streams in good order, and what is still open shortly after is cut off. Called again, the shorter grace
   * holds.
   */
  close(graceMs: number, lastWords?: () => void): Promise<void>
}

/** @throws Misuse `http.plain-beyond-loopback`, `http.tls-unusable` */
export function createListener(options: ListenerOptions): Listener {
  const addresses = options.addresses ?? ['127.0.0.1', '::1']
  refusePlainBeyondLoopback(options, addresses)
  const ceilings = { current: { ...defaultCeilings, ...options.ceilings } }
  let { tls } = options
  if (tls !== undefined) secureOptionsOf(tls)
  const turnedAway = (reason: TurnedAwayReason, address: string | undefined) =>
    options.onTurnedAway?.({ reason, address: address ?? 'unknown' })
  const connections = trackConnections({ ceilings, isShared: options.isShared ?? (() => false), turnedAway })
  const { handler } = options
  const traffic = createTraffic({ handler, ceilings, connections, isEncrypted: tls !== undefined, turnedAway })
  let servers: Server[] = []
  let closed: Promise<unknown> | undefined
  return {
    async listen() {
      const opened = await openServers({ name: options.name, port: options.port, addresses }, () =>
        makeServer({ traffic, connections, ceilings: ceilings.current, tls }),
      )
      servers = opened.servers
      return { port: opened.port }
    },
    setTls(next) {
      if (tls === undefined) throw new TypeError('a listener for plain HTTP takes no certificate')
      const secureOptions = secureOptionsOf(next)
      tls = next
      for (const server of servers) (server as TlsServer).setSecureContext(secureOptions)
    },
    setCeilings(next) {
      ceilings.current = { ...ceilings.current, ...next }
      for (const server of servers) applyCeilings(server, ceilings.current)
    },
    connectionCount: () => connections.count(),
    drain: traffic.drain,
    async close(graceMs, lastWords) {
      traffic.drain()
      closed ??= Promise.all(servers.map(stopAccepting))
      await endInOrder({ servers, traffic, connections, closed, graceMs, lastWords })
      connections.close()
    },
  }
}

function refusePlainBeyondLoopback(options: ListenerOptions, addresses: readonly string[]): void {
  if (options.tls !== undefined || options.dangerouslyAllowPlainHttp === true) return
  const beyond = addresses.find((address) => !isLoopbackAddress(address))
  if (beyond === undefined) return
  const { name } = options
  throw new Misuse(
    'http.plain-beyond-loopback',
    `the ${name} would listen on \`${beyond}\` without TLS`,
    `set \`${name}.tlsCertificate\` and \`${name}.tlsKey\`, or \`${name}.dangerouslyAllowPlainHttp: true\` behind a proxy that ends TLS`,
  )
}

interface Parts {
  readonly traffic: Traffic
  readonly connections: Connections
  readonly ceilings: Ceilings
  readonly tls: Tls | undefined
}

function makeServer({ traffic, connections, ceilings, tls }: Parts): Server {
  const options = {
    headersTimeout: ceilings.headersTimeoutMs,
    requestTimeout: ceilings.requestTimeoutMs,
    // WHY: Node looks for slow clients only this often, every 30 seconds unless told.
    connectionsCheckingInterval: Math.min(1_000, Math.ceil(ceilings.headersTimeoutMs / 4)),
    insecureHTTPParser: false,
    requireHostHeader: false,
    noDelay: true,
  }
  const server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({
          ...options,
          ...secureOptionsOf(tls),
          handshakeTimeout: ceilings.headersTimeoutMs,
          ALPNProtocols: ['http/1.1'],
        })
  applyCeilings(server, ceilings)
  server.on('connection', connections.admit)
  server.on(tls === undefined ? 'connection' : 'secureConnection', connections.begin)
  server.on('request', traffic.onRequest)
  server.on('checkContinue', traffic.onContinue)
  server.on('checkExpectation', traffic.onExpectation)
  server.on('connect', traffic.onConnect)
  server.on('clientError', traffic.onError)
  return server
}

function applyCeilings(server: Server, ceilings: Ceilings): void {
  server.headersTimeout = ceilings.headersTimeoutMs
  server.requestTimeout = ceilings.requestTimeoutMs
  server.keepAliveTimeout = ceilings.keepAliveTimeoutMs
  // WHY: Node cuts what is over its own ceiling off without a word; one more shows that there were too many.
  server.maxHeadersCount = ceilings.maxHeaders + 1
  // WHY: Node reads this for each new connection, also if its types know it as an option only.
  Object.assign(server, { maxHeaderSize: ceilings.maxHeaderBytes })
}

/** Resolves when the last connection has ended. */
function stopAccepting(server: Server): Promise<void> {
  // WHY: closing a server for HTTP also cuts connections between two requests, and stops looking for slow clients.
  return new Promise((resolve) => void TcpServer.prototype.close.call(server, () => resolve()))
}

interface Ending {
  readonly servers: readonly Server[]
  readonly traffic: Traffic
  readonly connections: Connections
  readonly closed: Promise<unknown>
  readonly graceMs: number
  readonly lastWords: (() => void) | undefined
}

async function endInOrder({ servers, traffic, connections, closed, graceMs, lastWords }: Ending): Promise<void> {
  const beginAt = performance.now()
  const untilClosed = async (waitMs: number): Promise<boolean> => {
    const ended = new AbortController()
    const { signal } = ended
    const isClosed = await Promise.race([
      closed.then(() => true),
      sleep(Math.max(0, waitMs), false, { signal }).catch(() => false),
    ])
    ended.abort()
    return isClosed
  }
  let isClosed = await untilClosed(Math.min(lastRequestsMs, graceMs))
  connections.endSilent()
  traffic.endIdle(() => servers.forEach((server) => server.closeIdleConnections()))
  isClosed ||= await untilClosed(graceMs - (performance.now() - beginAt))
  if (!isClosed && lastWords !== undefined) {
    lastWords()
    await untilClosed(lastWordsMs)
  }
  connections.endAll()
  await closed
  // WHY: ends what Node keeps for a server that was not closed in its own way.
  for (const server of servers) server.close()
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createId, refuse, type Refusal } from '#kernel'
import { clientAddressOf, createAllowances, isLoopbackHost, namesAddress, sourceOf } from '#platform/http'
import { adminRefused } from '../events.ts'
import { isHealthCheck } from '../operations/health.ts'
import { problemResponse } from '../problem.ts'
import { recordRefusal } from '../record.ts'
import { refusals } from '../refusals.ts'
import type { Rooms } from '../rooms.ts'
import { securityHeaders } from '../security-headers.ts'

/** Asked of every request to the admin listener, before it is even parsed as a URL. */
export interface Doorway {
  /** @returns whether the request may go on; one that may not has been answered, or will be */
  pass(incoming: IncomingMessage, outgoing: ServerResponse): boolean
  close(): void
}

type DoorRooms = Pick<Rooms, 'admission' | 'clock' | 'ledger'>

const minuteMs = 60_000
const maxKeys = 65_536

/** A page may be reached by a link on another site (an invitation in a chat); nothing else may. */
export function isPagePath(path: string): boolean {
  return path === '/' || path === '/setup'
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? ''
}

/**
 * DNS rebinding shows in `Host`: it must be a configured name, or this machine's own at the port that was reached. What
 * supervisors and collectors ask may name the address that they reached: they know nothing else, and it is no rebound name.
 */
function isOwnHost(rooms: DoorRooms, { headers, socket, method }: IncomingMessage, path: string): boolean {
  const { host } = headers
  const { localAddress = '', localPort = 0 } = socket
  if (host === undefined) return false
  if (rooms.admission.current.hosts.has(host) || isLoopbackHost(host, localPort)) return true
  const isForMachines = isHealthCheck(method, path) || (method === 'GET' && path === '/metrics')
  return isForMachines && namesAddress(host, localAddress, localPort)
}

function isOwnOrigin(rooms: DoorRooms, { socket }: IncomingMessage, origin: string): boolean {
  if (rooms.admission.current.origins.has(origin)) return true
  const scheme = 'encrypted' in socket ? 'https://' : 'http://'
  return origin.startsWith(scheme) && isLoopbackHost(origin.slice(scheme.length), socket.localPort ?? 0)
}

/** Foreign pages show in `Origin` and `Sec-Fetch-Site`. Ports of one machine are one site: `same-site` is foreign, too. */
function refuseForeignPage(rooms: DoorRooms, incoming: IncomingMessage, path: string): Refusal | undefined {
  const { headers, method } = incoming
  const origin = one(headers.origin)
  if (origin !== undefined && !isOwnOrigin(rooms, incoming, origin))
    return refuse(refusals.foreignOrigin, { detail: { origin } })
  const fetchSite = one(headers['sec-fetch-site'])
  const isOwnFetch = fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none'
  const isFollowedLink = method === 'GET' && isPagePath(path) && one(headers['sec-fetch-mode']) === 'navigate'
  return isOwnFetch || isFollowedLink ? undefined : refuse(refusals.foreignOrigin, { detail: { fetchSite } })
}

function refuseSource(rooms: DoorRooms, incoming: IncomingMessage, from: { address: string; path: string }) {
  const { address, path } = from
  if (!rooms.admission.current.allowedNetworks.has(address)) return refuse(refusals.foreignAddress)
  if (!isOwnHost(rooms, incoming, path))
    return refuse(refusals.foreignHost, { detail: { host: incoming.headers.host ?? null } })
  return refuseForeignPage(rooms, incoming, path)
}

export function createDoorway(rooms: DoorRooms): Doorway {
  const { admission, clock, ledger } = rooms
  const addressOf = (incoming: IncomingMessage) => clientAddressOf(incoming, admission.current.trustedProxies)
  const allowances = createAllowances<string>({
    clock,
    windowMs: minuteMs,
    maxKeys,
    keyOf: sourceOf,
    onExceeded({ key, subject, more }) {
      if (more === 0) return
      const fields = { address: subject, outcome: 'refused', refusal: refusals.rateExceeded.code } as const
      // WHY: that the minute was exceeded is on record; a ledger that cannot write costs the count only.
      ledger.append(adminRefused, { ...fields, details: { source: key, count: more } }).catch(() => undefined)
    },
  })

  async function turnAway(incoming: IncomingMessage, outgoing: ServerResponse, refusal: Refusal, isTallied: boolean) {
    const requestId = createId(clock.now())
    const occasion = { requestId, address: addressOf(incoming), method: incoming.method ?? '', path: pathOf(incoming) }
    const answered = isTallied ? refusal : await recordRefusal(rooms, occasion, refusal)
    const response = problemResponse(answered, requestId, { ...securityHeaders('other'), 'x-request-id': requestId })
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    outgoing.end(await response.text())
  }

  return {
    pass(incoming, outgoing) {
      const address = addressOf(incoming)
      const refused = refuseSource(rooms, incoming, { address, path: pathOf(incoming) })
      // WHY: what is refused anyway is counted, too: from the limit on it fills the ledger no more.
      const beyond = allowances.spend(address, admission.current.requestsPerMinutePerAddress)
      if (refused === undefined && beyond === undefined) return true
      const retryAfterSeconds = beyond?.retryAfterSeconds ?? 1
      const refusal = refused ?? refuse(refusals.rateExceeded, { retryAfterSeconds })
      turnAway(incoming, outgoing, refusal, beyond?.isFirst === false).catch(() => outgoing.destroy())
      return false
    },
    close: () => allowances.close(),
  }
}

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Misuse } from '#kernel'
import { isLoopbackAddress } from './addresses.ts'

const portAttempts = 20
const everyAddress = ['0.0.0.0', '::']

export interface Place {
  /** `gateway` or `admin`: the section of the configuration. */
  readonly name: string
  /** 0 picks a free one, the same on all addresses. */
  readonly port: number
  readonly addresses: readonly string[]
}

/**
 * Opens one server for each address, on one port.
 * @throws Misuse `http.port-in-use`, `http.port-denied`, `http.no-address`
 */
export async function openServers(place: Place, make: () => Server): Promise<{ servers: Server[]; port: number }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const servers = await openAll(place, make)
      return { servers, port: portOf(servers) }
    } catch (error) {
      // WHY: a port that is free on one address can be taken on the other.
      const mayTryAnother = place.port === 0 && attempt < portAttempts && codeOf(error) === 'EADDRINUSE'
      if (!mayTryAnother) throw explain(error, place)
    }
  }
}

async function openAll({ addresses, port }: Place, make: () => Server): Promise<Server[]> {
  const open: Server[] = []
  let missing: unknown
  try {
    for (const address of addresses) {
      const server = make()
      try {
        await bind(server, address, open.length === 0 ? port : portOf(open))
        open.push(server)
      } catch (error) {
        if (!mayBeMissing(address) || !isMissing(error)) throw error
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

/** A machine without one of the families has neither its loopback nor its wildcard; any other address was meant. */
function mayBeMissing(address: string): boolean {
  return isLoopbackAddress(address) || everyAddress.includes(address)
}

function isMissing(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error) ?? '')
}

function bind(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, ipv6Only: address.includes(':'), exclusive: true }, () => {
      server.off('error', reject)
      // WHY: without file descriptors left, accepting fails; the client is closed and the next one may come in.
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

function explain(error: unknown, { name, port, addresses }: Place): unknown {
  const variable = `CASTELLAN_${name.toUpperCase()}__`
  const hint = `stop the other program, or set \`${name}.port\` (${variable}PORT) to another one`
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new Misuse('http.port-in-use', `port ${port} of the ${name} is in use`, hint, { cause: error })
    case 'EACCES':
      return new Misuse('http.port-denied', `this account may not open port ${port}`, hint, { cause: error })
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return new Misuse(
        'http.no-address',
        `the ${name} cannot listen on \`${addresses.join('`, `')}\`: this machine has no such address`,
        `correct \`${name}.addresses\` (${variable}ADDRESSES)`,
        { cause: error },
      )
    default:
      return error
  }
}

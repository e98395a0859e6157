import { lookup as resolve } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, fetch as send, type Response } from 'undici'
import { compileNetworks, type Networks } from '../networks.ts'

/** Everything that is not a public address: this machine, private networks, link-local, multicast, reserved. */
const special = compileNetworks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
])

const timeoutMs = 3_000
const headerBytes = 16_384

function isAllowed(address: string, also: Networks): boolean {
  return also.has(address) || (isIP(address) !== 0 && !special.has(address))
}

/** Resolves once and connects to exactly what was judged: a second answer of the name server changes nothing. */
function guardedLookup(also: Networks): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0)
      // INVARIANT: one address out of bounds condemns the name: which of them is tried is not ours to say.
      const [first] = found
      if (first === undefined || !found.every(({ address }) => isAllowed(address, also))) {
        return callback(new Error('the address is not public'), '', 0)
      }
      if (options.all === true) return callback(null, found)
      return callback(null, first.address, first.family)
    })
  }
}

/** Fetches from addresses that strangers name. */
export type GuardedFetch = (address: string | URL, options?: RequestInit) => Promise<Response>

/**
 * Makes a fetch for addresses that strangers name: HTTPS only, public addresses only, no redirects, no proxy, 3 seconds.
 * The caller limits how much of the answer it reads.
 * @param networks that may be reached although they are not public
 */
export function createGuardedFetch(networks: readonly string[]): GuardedFetch {
  const also = compileNetworks(networks)
  const dispatcher = new Agent({
    connect: { lookup: guardedLookup(also), timeout: timeoutMs },
    maxHeaderSize: headerBytes,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    pipelining: 0,
  })
  return async (address, options = {}) => {
    const url = new URL(address)
    if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') throw new Error('not plain HTTPS')
    // WHY: nothing is looked up for an address that is written out.
    const literal = url.hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(literal) !== 0 && !isAllowed(literal, also)) throw new Error('the address is not public')
    return send(url, {
      method: 'GET',
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(options.signal ? [options.signal] : [])]),
      dispatcher,
    })
  }
}

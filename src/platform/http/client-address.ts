import type { IncomingHttpHeaders } from 'node:http'
import { canonicalAddress } from './addresses.ts'
import type { Networks } from './networks.ts'

/** Trusted proxies in a row before one is taken for the client. */
const mostHops = 32
/** An address with a zone, brackets and a port is shorter. */
const mostEntryChars = 80

/** What of a request tells where it comes from. */
export interface Arriving {
  readonly headers: IncomingHttpHeaders
  readonly socket: { readonly remoteAddress?: string | undefined }
}

const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/
const v4WithPort = /^([\d.]+):\d{1,5}$/

/** One entry of `X-Forwarded-For`: an address, in brackets or not, with a port or not. */
function entryAddress(entry: string): string | undefined {
  if (entry.length > mostEntryChars) return undefined
  const written = entry.trim()
  return canonicalAddress(bracketed.exec(written)?.[1] ?? v4WithPort.exec(written)?.[1] ?? written)
}

function peerOf(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return 'unknown'
  // WHY: the system spells an address in the one way already, but for a mapped one.
  return remoteAddress.startsWith('::ffff:') ? (canonicalAddress(remoteAddress) ?? 'unknown') : remoteAddress
}

/**
 * The address of the client: the peer of the connection or, when that is a trusted proxy, the right-most address in
 * `X-Forwarded-For` that is not one. Whatever stands left of it was written by the client. No other header is read.
 * An entry that is no address ends the search at the proxy that wrote it, which then counts as the client.
 * @returns IPv4 for IPv4-mapped addresses, RFC 5952 for IPv6; `unknown` when the connection is gone
 */
export function clientAddressOf({ headers, socket }: Arriving, trustedProxies: Networks): string {
  let hop = peerOf(socket.remoteAddress)
  const given = headers['x-forwarded-for']
  if (given === undefined || !trustedProxies.has(hop)) return hop
  // WHY: several lines are one list, in their order; the parser of the listener has joined them.
  const chain = Array.isArray(given) ? given.join(',') : given
  let end = chain.length
  for (let hops = 0; hops < mostHops && end >= 0; hops++) {
    const comma = end === 0 ? -1 : chain.lastIndexOf(',', end - 1)
    const address = entryAddress(chain.slice(comma + 1, end))
    if (address === undefined) return hop
    hop = address
    if (!trustedProxies.has(address)) return hop
    end = comma
  }
  return hop
}

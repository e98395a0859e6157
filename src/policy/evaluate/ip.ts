/**
 * Which address or network does a text name?
 * Stops: an address that is read otherwise than Cedar reads it, such as octets with leading zeros.
 * Trusts: nothing.
 * Fails: a text that is neither is `unparsable`.
 * @see https://docs.cedarpolicy.com/policies/syntax-operators.html#ip-address-operators
 */
import { wrong, type CedarIp, type Wrong } from './values.ts'

/** The longest text that can be one: eight groups and a prefix. */
const longest = 43
const octet = /^(0|[1-9][0-9]{0,2})$/
const group = /^[0-9a-fA-F]{1,4}$/
const wholePrefix = /^(0|[1-9][0-9]{0,2})$/
const bitsOf = { 4: 32, 6: 128 } as const

function readV4(text: string): bigint | undefined {
  const octets = text.split('.')
  if (octets.length !== 4 || !octets.every((one) => octet.test(one) && Number(one) < 256)) return undefined
  return octets.reduce((bits, one) => (bits << 8n) | BigInt(one), 0n)
}

function readGroups(text: string): string[] | undefined {
  if (text === '') return []
  const groups = text.split(':')
  return groups.every((one) => group.test(one)) ? groups : undefined
}

function readV6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map(readGroups)
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined
  const told = head.length + (tail?.length ?? 0)
  // SPEC: RFC 4291 section 2.2: `::` stands for one group or more.
  if (tail === undefined ? told !== 8 : told > 7) return undefined
  const gap = Array.from({ length: 8 - told }, () => '0')
  return [...head, ...gap, ...(tail ?? [])].reduce((bits, one) => (bits << 16n) | BigInt(`0x${one}`), 0n)
}

/** Reads `10.0.0.1`, `10.0.0.0/8`, `::1` and `fe80::/10`; no zones, no IPv4 inside of IPv6. */
export function parseIp(text: string): CedarIp | Wrong {
  const bad = wrong('unparsable', 'a text is no IP address')
  if (text.length > longest) return bad
  const slash = text.indexOf('/')
  const address = slash === -1 ? text : text.slice(0, slash)
  const version = address.includes(':') ? 6 : 4
  const bits = version === 4 ? readV4(address) : readV6(address)
  if (bits === undefined) return bad
  if (slash === -1) return { kind: 'ip', version, bits, prefix: bitsOf[version] }
  const told = text.slice(slash + 1)
  const prefix = Number(told)
  return wholePrefix.test(told) && prefix <= bitsOf[version] ? { kind: 'ip', version, bits, prefix } : bad
}

/** Whether every address of `narrow` is one of `wide`. */
export function isInRange(narrow: CedarIp, wide: CedarIp): boolean {
  if (narrow.version !== wide.version || narrow.prefix < wide.prefix) return false
  const ignored = BigInt(bitsOf[wide.version] - wide.prefix)
  return narrow.bits >> ignored === wide.bits >> ignored
}

const loopback = { 4: parseIp('127.0.0.0/8') as CedarIp, 6: parseIp('::1/128') as CedarIp }
const multicast = { 4: parseIp('224.0.0.0/4') as CedarIp, 6: parseIp('ff00::/8') as CedarIp }

export function isLoopback(ip: CedarIp): boolean {
  return isInRange(ip, loopback[ip.version])
}

export function isMulticast(ip: CedarIp): boolean {
  return isInRange(ip, multicast[ip.version])
}

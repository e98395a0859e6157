import { Misuse } from '#kernel'
import { readAddress, type Words, writeV4, writeV6 } from './addresses.ts'

/** A set of IP networks. */
export interface Networks {
  /** Whether an address lies in one of them. An IPv4-mapped address counts as IPv4; what is no address lies in none. */
  has(address: string): boolean
  /** Whether any address lies in one of them and in this network, too. @throws Misuse `http.bad-network` */
  overlaps(network: string): boolean
}

interface Range {
  readonly family: 4 | 6
  readonly first: Words
  readonly last: Words
}

function compare(left: Words, right: Words): number {
  for (let word = 0; word < 4; word++) {
    const difference = (left[word] ?? 0) - (right[word] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function refuse(entry: string, key: string | undefined, problem: string, hint: string): Misuse {
  const where = key === undefined ? '' : ` in \`${key}\``
  return new Misuse('http.bad-network', `\`${entry}\`${where} is not a network: ${problem}`, hint)
}

/** The bits of a word that a prefix of `bits` leaves open. */
function openBits(word: number, bits: number): number {
  const fixed = Math.min(32, Math.max(0, bits - word * 32))
  return fixed === 32 ? 0 : 0xffff_ffff >>> fixed
}

function prefixOf(written: string, longest: number): number | undefined {
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(written) ? Number(written) : Number.NaN
  return bits <= longest ? bits : undefined
}

/** @throws Misuse `http.bad-network` */
function readNetwork(entry: string, key: string | undefined): Range {
  const [address = '', written, ...rest] = entry.split('/')
  const first = new Uint32Array(4)
  const family = address.includes('%') ? 0 : readAddress(address, first)
  const example = 'write `10.0.0.0/8`, `fd00::/8` or one address'
  if (family === 0 || rest.length > 0) throw refuse(entry, key, 'it does not begin with an IP address', example)
  const isMapped = family === 4 && address.includes(':')
  const longest = family === 6 || isMapped ? 128 : 32
  const given = written === undefined ? longest : prefixOf(written, longest)
  if (given === undefined) throw refuse(entry, key, `its length is not a number up to ${longest}`, example)
  if (isMapped && given < 96) {
    throw refuse(entry, key, 'an IPv4-mapped network has at least 96 bits', 'write it as an IPv4 network')
  }
  const bits = family === 6 ? given : given + (isMapped ? 0 : 96)
  if (family === 4) first.fill(0, 0, 3)
  const base = first.map((value, word) => (value & ~openBits(word, bits)) >>> 0)
  if (compare(base, first) !== 0) {
    const network = family === 4 ? writeV4(base[3] ?? 0) : writeV6(base)
    const length = family === 4 ? bits - 96 : bits
    const hint = `write \`${network}/${length}\`, or \`${address}\` for the one address`
    throw refuse(entry, key, `\`${address}\` has bits set beyond the first ${given}`, hint)
  }
  return { family, first, last: base.map((value, word) => (value | openBits(word, bits)) >>> 0) }
}

/** Sorted, and those that overlap as one: an address is then in at most one of them. */
function merged(ranges: readonly Range[]): Range[] {
  const sorted = ranges.toSorted((left, right) => compare(left.first, right.first))
  const result: Range[] = []
  for (const range of sorted) {
    const before = result.at(-1)
    if (before === undefined || compare(range.first, before.last) > 0) result.push(range)
    else if (compare(range.last, before.last) > 0) result[result.length - 1] = { ...before, last: range.last }
  }
  return result
}

function isInOne(ranges: readonly Range[], address: Words): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = ranges[middle]
    if (range === undefined || compare(range.first, address) > 0) high = middle
    else if (compare(range.last, address) >= 0) return true
    else low = middle + 1
  }
  return false
}

/**
 * The one spelling of a network, as `10.0.0.0/8`; of one address without a length. An IPv4-mapped one is IPv4.
 * @throws Misuse `http.bad-network`
 */
export function canonicalNetwork(entry: string): string {
  const { family, first, last } = readNetwork(entry, undefined)
  const open = first.reduce((sum, word, at) => sum + 32 - Math.clz32((word ^ (last[at] ?? 0)) >>> 0), 0)
  const [text, longest] = family === 4 ? [writeV4(first[3] ?? 0), 32] : [writeV6(first), 128]
  return open === 0 ? text : `${text}/${longest - open}`
}

/**
 * Compiles networks in CIDR notation, for both families; an address without a length is that one address.
 * @param key of the configuration they come from, for the message
 * @throws Misuse `http.bad-network` for what is no network, and for one with bits set beyond its length
 */
export function compileNetworks(list: readonly string[], key?: string): Networks {
  const ranges = list.map((entry) => readNetwork(entry, key))
  const v4 = merged(ranges.filter((range) => range.family === 4))
  const v6 = merged(ranges.filter((range) => range.family === 6))
  const words = new Uint32Array(4)
  return {
    has(address) {
      if (ranges.length === 0) return false
      const family = readAddress(address, words)
      if (family === 6) return isInOne(v6, words)
      if (family === 0) return false
      words.fill(0, 0, 3)
      return isInOne(v4, words)
    },
    overlaps(network) {
      const { family, first, last } = readNetwork(network, undefined)
      const those = family === 4 ? v4 : v6
      return those.some((range) => compare(range.first, last) <= 0 && compare(first, range.last) <= 0)
    },
  }
}

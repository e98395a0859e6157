/** Room for one IPv6 address as four numbers of 32 bits; of an IPv4 address the last is used. */
export type Words = Uint32Array

const colon = 58
const dot = 46
const groups = new Uint16Array(8)
const zonePattern = /^[0-9A-Za-z.:-]+$/

/** An IPv4 address in dotted decimals, without leading zeros, as a number; -1 for anything else. */
function readV4(text: string, from: number, to: number): number {
  let value = 0
  let octet = -1
  let dots = 0
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code === dot) {
      if (octet < 0 || dots === 3) return -1
      value = value * 256 + octet
      octet = -1
      dots++
      continue
    }
    const digit = code - 48
    // WHY: some readers take a leading zero for octal digits.
    if (digit < 0 || digit > 9 || octet === 0) return -1
    octet = octet < 0 ? digit : octet * 10 + digit
    if (octet > 255) return -1
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** Moves what follows `::` to the end. @returns false unless there are eight groups */
function stretch(count: number, gap: number): boolean {
  if (gap < 0) return count === 8
  if (count === 8) return false
  const tail = count - gap
  groups.copyWithin(8 - tail, gap, count)
  groups.fill(0, gap, 8 - tail)
  return true
}

function readV6(text: string, to: number): boolean {
  let count = 0
  let gap = -1
  let at = 0
  if (text.charCodeAt(0) === colon) {
    if (text.charCodeAt(1) !== colon) return false
    gap = 0
    at = 2
  }
  while (at < to) {
    if (count === 8) return false
    const from = at
    let value = 0
    for (; at < to && at - from < 4; at++) {
      const digit = hexDigit(text.charCodeAt(at))
      if (digit < 0) break
      value = value * 16 + digit
    }
    if (text.charCodeAt(at) === dot && at < to) {
      const v4 = count > 6 ? -1 : readV4(text, from, to)
      if (v4 < 0) return false
      groups[count++] = v4 >>> 16
      groups[count++] = v4 & 0xffff
      break
    }
    if (at === from) return false
    groups[count++] = value
    if (at === to) break
    if (text.charCodeAt(at++) !== colon || at === to) return false
    if (text.charCodeAt(at) !== colon) continue
    if (gap >= 0) return false
    gap = count
    at++
  }
  return stretch(count, gap)
}

/**
 * Reads an IP address into `words`. An IPv4-mapped IPv6 address is the IPv4 address it stands for (RFC 4291, section
 * 2.5.5.2); a zone is left out.
 * @returns its family, or 0 for what is no address
 */
export function readAddress(text: string, words: Words): 0 | 4 | 6 {
  const v4 = readV4(text, 0, text.length)
  if (v4 >= 0) {
    words[3] = v4
    return 4
  }
  const zone = text.indexOf('%')
  if (zone >= 0 && !zonePattern.test(text.slice(zone + 1))) return 0
  if (!readV6(text, zone < 0 ? text.length : zone)) return 0
  for (let word = 0; word < 4; word++) {
    words[word] = ((groups[word * 2] ?? 0) * 65_536 + (groups[word * 2 + 1] ?? 0)) >>> 0
  }
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff ? 4 : 6
}

export function writeV4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`
}

/** The longest run of zero groups, the first of equals; it has at least two. */
function longestZeros(all: readonly number[]): { from: number; to: number } {
  let best = { from: 0, to: 0 }
  for (let from = 0; from < all.length; from++) {
    let to = from
    while (all[to] === 0) to++
    if (to - from > Math.max(1, best.to - best.from)) best = { from, to }
    from = Math.max(from, to - 1)
  }
  return best
}

/** As RFC 5952 writes it. */
export function writeV6(words: Words): string {
  const all = [...words].flatMap((word) => [word >>> 16, word & 0xffff])
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':')
  const { from, to } = longestZeros(all)
  return from === to ? hex(all) : `${hex(all.slice(0, from))}::${hex(all.slice(to))}`
}

const scratch = new Uint32Array(4)

/** The one spelling of an address: IPv4 for IPv4-mapped, RFC 5952 for IPv6, without a zone; undefined for anything else. */
export function canonicalAddress(text: string): string | undefined {
  const family = readAddress(text, scratch)
  if (family === 0) return undefined
  return family === 4 ? writeV4(scratch[3] ?? 0) : writeV6(scratch)
}

/** Whether only programs on this machine can have this address. */
export function isLoopbackAddress(address: string): boolean {
  const family = readAddress(address, scratch)
  if (family === 4) return (scratch[3] ?? 0) >>> 24 === 127
  return family === 6 && scratch[0] === 0 && scratch[1] === 0 && scratch[2] === 0 && scratch[3] === 1
}

/**
 * The source that an address counts as where requests are counted: an IPv4 address, or the /64 of an IPv6 address, since
 * whoever has one address of it has them all (RFC 6177).
 */
export function sourceOf(address: string): string {
  const family = readAddress(address, scratch)
  if (family === 0) return 'elsewhere'
  if (family === 4) return address.includes(':') ? writeV4(scratch[3] ?? 0) : address
  if (scratch[0] === 0 && scratch[1] === 0 && scratch[2] === 0 && scratch[3] === 1) return '::1'
  // WHY: asked of every request, so it is written plainly: the four groups of the network, without zeros at their end.
  let network = ''
  let zeros = ''
  for (let at = 0; at < 4; at++) {
    const group = groups[at] ?? 0
    zeros += ':0'
    if (group === 0) continue
    network += `${zeros.slice(0, -1)}${group.toString(16)}`
    zeros = ''
  }
  return `${network.slice(1)}::/64`
}

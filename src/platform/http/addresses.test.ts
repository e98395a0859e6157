import { isIP, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalAddress, isLoopbackAddress, readAddress, sourceOf } from './addresses.ts'

/** The spelling that URLs give to an IPv6 address. */
function byUrl(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1)
}

const group = fc.oneof(fc.constant(0), fc.nat(0xffff))
const groups = fc.array(group, { minLength: 8, maxLength: 8 })
const octets = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 })
/** Eight groups, written in one of the ways there are. */
const spelled = fc
  .tuple(groups, fc.boolean(), fc.boolean(), fc.nat(8), fc.nat(8))
  .map(([all, isUpper, isPadded, from, count]) => {
    const to = Math.min(8, from + count)
    const texts = all.map((value) => (isPadded ? value.toString(16).padStart(4, '0') : value.toString(16)))
    const isGap = to > from && all.slice(from, to).every((value) => value === 0)
    const text = isGap ? `${texts.slice(0, from).join(':')}::${texts.slice(to).join(':')}` : texts.join(':')
    return { all, text: isUpper ? text.toUpperCase() : text }
  })

test('every spelling of an IPv6 address is read as the same one', () => {
  fc.assert(
    fc.property(spelled, ({ all, text }) => {
      const plain = all.map((value) => value.toString(16)).join(':')
      expect(canonicalAddress(text)).toBe(canonicalAddress(plain))
    }),
  )
})

test('an IPv6 address is written as URLs write it, unless it is an IPv4 address', () => {
  fc.assert(
    fc.property(groups, (all) => {
      const text = all.map((value) => value.toString(16)).join(':')
      fc.pre(!byUrl(text).startsWith('::ffff:'))
      expect(canonicalAddress(text)).toBe(byUrl(text))
    }),
  )
})

test('an IPv4 address is the same in decimals, mapped and mapped in hexadecimal digits', () => {
  fc.assert(
    fc.property(octets, (four) => {
      const text = four.join('.')
      const [a = 0, b = 0, c = 0, d = 0] = four
      const high = (a * 256 + b).toString(16)
      const low = (c * 256 + d).toString(16)
      for (const same of [text, `::ffff:${text}`, `::FFFF:${high}:${low}`, `0:0:0:0:0:ffff:${high}:${low}`]) {
        expect(canonicalAddress(same)).toBe(text)
        expect(sourceOf(same)).toBe(text)
      }
    }),
  )
})

const almost = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefF:.%'), maxLength: 45 }),
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.string({ maxLength: 60 }),
)

test('what Node takes for an address is one, and nothing else is', () => {
  fc.assert(
    fc.property(almost, (text) => {
      expect(readAddress(text, new Uint32Array(4)) !== 0).toBe(isIP(text) !== 0)
    }),
    { numRuns: 5_000 },
  )
})

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.04',
  '1.2.3.4 ',
  '0x1.2.3.4',
  '16909060',
  '1..2.3',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  ':1::',
  '1:',
  '::g',
  '::12345',
  '::1.2.3',
  '::1.2.3.4:5',
  '1:2:3:4:5:6:7:1.2.3.4',
  'fe80::1%',
  '[::1]',
  'localhost',
  'unknown',
])('%j is no address', (text) => {
  expect(canonicalAddress(text)).toBeUndefined()
  expect(isLoopbackAddress(text)).toBe(false)
  expect(sourceOf(text)).toBe('elsewhere')
  expect(isIPv6(text)).toBe(false)
})

test('a zone is left out', () => {
  expect(canonicalAddress('FE80::1%eth0')).toBe('fe80::1')
  expect(sourceOf('fe80::1%eth0')).toBe('fe80::/64')
})

test.each([
  ['127.0.0.1', true],
  ['127.255.255.255', true],
  ['::ffff:127.0.0.2', true],
  ['::1', true],
  ['126.255.255.255', false],
  ['128.0.0.0', false],
  ['::2', false],
  ['::127.0.0.1', false],
  ['0.0.0.0', false],
])('whether %s is of this machine: %s', (address, isLoopback) => {
  expect(isLoopbackAddress(address)).toBe(isLoopback)
})

test('addresses of one /64 are one source, of two are two', () => {
  expect(sourceOf('2001:db8:0:1::1')).toBe('2001:db8:0:1::/64')
  expect(sourceOf('2001:db8:0:1:ffff:ffff:ffff:ffff')).toBe('2001:db8:0:1::/64')
  expect(sourceOf('2001:db8:0:2::1')).toBe('2001:db8:0:2::/64')
  expect(sourceOf('::1')).toBe('::1')
})

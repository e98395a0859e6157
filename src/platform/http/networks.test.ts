import { BlockList } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileNetworks } from './networks.ts'

const v4 = fc.nat(0xffff_ffff)
const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
const v4Network = fc.tuple(v4, fc.nat(32)).map(([value, bits]) => {
  const base = bits === 0 ? 0 : (value & (0xffff_ffff << (32 - bits))) >>> 0
  return { base: dotted(base), bits, last: (base + 2 ** (32 - bits) - 1) >>> 0, first: base }
})

/** IPv6 networks of whole groups. */
const v6Network = fc
  .tuple(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), fc.integer({ min: 1, max: 8 }))
  .map(([groups, kept]) => {
    const text = (filler: string) => groups.map((group, at) => (at < kept ? group.toString(16) : filler)).join(':')
    return { network: `${text('0')}/${kept * 16}`, first: text('0'), last: text('ffff') }
  })

test('exactly the addresses from the first to the last of each network are in', () => {
  fc.assert(
    fc.property(fc.array(v4Network, { minLength: 1, maxLength: 30 }), v4, (list, other) => {
      const networks = compileNetworks(list.map(({ base, bits }) => `${base}/${bits}`))
      const reference = new BlockList()
      for (const { base, bits } of list) reference.addSubnet(base, bits)
      const edges = list.flatMap(({ first, last }) => [first, last, (first - 1) >>> 0, (last + 1) >>> 0])
      for (const address of [...edges, other].map(dotted)) {
        expect(networks.has(address)).toBe(reference.check(address))
        expect(networks.has(`::ffff:${address}`)).toBe(reference.check(address))
      }
    }),
  )
})

test('exactly the addresses of each IPv6 network are in, and no IPv4 address', () => {
  fc.assert(
    fc.property(fc.array(v6Network, { minLength: 1, maxLength: 20 }), fc.ipV6(), fc.ipV4(), (list, other, four) => {
      const networks = compileNetworks(list.map(({ network }) => network))
      const reference = new BlockList()
      for (const { network } of list) {
        const [base = '', bits] = network.split('/')
        reference.addSubnet(base, Number(bits), 'ipv6')
      }
      for (const { first, last } of list) {
        expect(networks.has(first)).toBe(true)
        expect(networks.has(last)).toBe(true)
      }
      fc.pre(!/^[:0]*:ffff:/i.test(other))
      expect(networks.has(other)).toBe(reference.check(other, 'ipv6'))
      expect(networks.has(four)).toBe(false)
    }),
  )
})

test('networks of both families stand beside each other', () => {
  const networks = compileNetworks(['10.0.0.0/8', 'fd00::/8', '192.0.2.7', '2001:db8::7'])
  for (const address of ['10.0.0.0', '10.255.255.255', 'fd00::', 'fdff:ffff::1', '192.0.2.7', '2001:DB8:0::7']) {
    expect(networks.has(address)).toBe(true)
  }
  for (const address of ['9.255.255.255', '11.0.0.0', 'fe00::', '192.0.2.6', '192.0.2.8', '2001:db8::8', '', 'x']) {
    expect(networks.has(address)).toBe(false)
  }
})

test('all of IPv4 is not all of IPv6, and neither holds what is no address', () => {
  const four = compileNetworks(['0.0.0.0/0'])
  const six = compileNetworks(['::/0'])
  expect([four.has('255.255.255.255'), four.has('::ffff:1.2.3.4'), four.has('::1')]).toEqual([true, true, false])
  expect([six.has('1.2.3.4'), six.has('::ffff:1.2.3.4'), six.has('::1')]).toEqual([false, false, true])
  for (const networks of [four, six, compileNetworks([])]) {
    for (const text of ['unknown', '', '1.2.3', '1.2.3.4/32', '1.2.3.4:80', '010.0.0.1']) {
      expect(networks.has(text)).toBe(false)
    }
  }
})

test('an IPv4-mapped network is the IPv4 network it stands for', () => {
  for (const written of ['::ffff:10.0.0.0/104', '::ffff:a00:0/104']) {
    const networks = compileNetworks([written])
    expect([networks.has('10.9.8.7'), networks.has('::ffff:10.9.8.7'), networks.has('11.0.0.0')]).toEqual([
      true,
      true,
      false,
    ])
  }
  expect(compileNetworks(['::ffff:192.0.2.7']).has('192.0.2.7')).toBe(true)
})

test('a zone of an address is left out, in a network it is refused', () => {
  expect(compileNetworks(['fe80::/10']).has('fe80::1%eth0')).toBe(true)
  expect(() => compileNetworks(['fe80::%eth0/10'])).toThrow(expect.objectContaining({ code: 'http.bad-network' }))
})

test.each([
  '',
  '/8',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/08',
  '10.0.0.0/8/8',
  '10.0.0.0/ 8',
  '10.0.0.0/255.0.0.0',
  '10.0.0/8',
  '010.0.0.0/8',
  '10.*',
  'fd00::/129',
  'fd00:/8',
  '::ffff:10.0.0.0/95',
  'localhost',
  'example.com/24',
])('%j is refused and named', (entry) => {
  expect(() => compileNetworks(['127.0.0.1', entry], 'gateway.allowedNetworks')).toThrow(
    expect.objectContaining({
      name: 'Misuse',
      code: 'http.bad-network',
      message: expect.stringContaining(`\`${entry}\` in \`gateway.allowedNetworks\` is not a network`),
    }),
  )
})

test.each([
  ['10.1.2.3/8', '10.0.0.0/8'],
  ['192.168.0.1/31', '192.168.0.0/31'],
  ['0.0.0.1/0', '0.0.0.0/0'],
  ['fd00::1/8', 'fd00::/8'],
  ['2001:db8::1/127', '2001:db8::/127'],
  ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
])('%s has bits set beyond its length: the hint is %s', (entry, network) => {
  expect(() => compileNetworks([entry])).toThrow(
    expect.objectContaining({ name: 'Misuse', hint: expect.stringContaining(`\`${network}\``) }),
  )
})

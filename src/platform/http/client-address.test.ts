import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clientAddressOf } from './client-address.ts'
import { compileNetworks } from './networks.ts'

const proxies = compileNetworks(['10.0.0.0/8', 'fd00::/8'])
const none = compileNetworks([])

function addressOf(peer: string | undefined, forwarded?: string, trusted = proxies): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return clientAddressOf({ headers, socket: { remoteAddress: peer } }, trusted)
}

test('without a trusted proxy the peer is the client, whatever it says', () => {
  expect(addressOf('192.0.2.1', '203.0.113.9')).toBe('192.0.2.1')
  expect(addressOf('10.0.0.1', '203.0.113.9', none)).toBe('10.0.0.1')
  expect(addressOf('::ffff:192.0.2.1')).toBe('192.0.2.1')
  expect(addressOf('2001:db8::1', '203.0.113.9')).toBe('2001:db8::1')
  expect(addressOf(undefined, '203.0.113.9')).toBe('unknown')
})

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['1.1.1.1, 203.0.113.9', '203.0.113.9'],
  ['1.1.1.1,203.0.113.9 ,\t10.0.0.2', '203.0.113.9'],
  ['10.9.9.9, 203.0.113.9, 10.0.0.2, fd00::2', '203.0.113.9'],
  ['10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['203.0.113.9:4711', '203.0.113.9'],
  ['[2001:DB8::9]:4711', '2001:db8::9'],
  ['[2001:db8::9]', '2001:db8::9'],
  ['2001:db8::9', '2001:db8::9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['[::ffff:cb00:7109]:1', '203.0.113.9'],
  ['::ffff:10.0.0.2', '10.0.0.2'],
  ['127.0.0.1, 203.0.113.9', '203.0.113.9'],
])('behind a proxy, %j makes %s the client', (forwarded, client) => {
  expect(addressOf('10.0.0.1', forwarded)).toBe(client)
  expect(addressOf('::ffff:10.0.0.1', forwarded)).toBe(client)
  expect(addressOf('fd00::1', forwarded)).toBe(client)
})

test.each([
  '',
  ' ',
  ',',
  'unknown',
  '_hidden',
  'localhost',
  '203.0.113.9,',
  '203.0.113.9, unknown',
  '203.0.113.9, 1.2.3',
  '203.0.113.9 10.0.0.2',
  '"203.0.113.9"',
  'for=203.0.113.9',
  '203.0.113.9:port',
  '203.0.113.9:123456',
  '[203.0.113.9',
  '0x7f.1',
  '2130706433',
  `${'1'.repeat(100)}, ${'1'.repeat(5_000)}`,
  `203.0.113.9${' '.repeat(500)}`,
])('an entry of the proxy that is no address, %j, makes the proxy the client', (forwarded) => {
  expect(addressOf('10.0.0.1', forwarded)).toBe('10.0.0.1')
})

test('an unreadable entry behind a second proxy makes that proxy the client', () => {
  expect(addressOf('10.0.0.1', '203.0.113.9, unknown, 10.0.0.2')).toBe('10.0.0.2')
})

test('proxies in a row are followed up to a bound, and no further', () => {
  const chain = (hops: number) => ['203.0.113.9', ...Array.from({ length: hops }, (_, at) => `10.1.0.${at}`)].join(', ')
  expect(addressOf('10.0.0.1', chain(31))).toBe('203.0.113.9')
  expect(addressOf('10.0.0.1', chain(32))).toBe('10.1.0.0')
  expect(addressOf('10.0.0.1', chain(200))).toBe('10.1.0.168')
})

test('whatever a client puts before what the proxy writes changes nothing', () => {
  const clients = fc.oneof(fc.ipV4(), fc.ipV6()).filter((client) => !proxies.has(client))
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000 }), clients, (lie, client) => {
      expect(addressOf('10.0.0.1', `${lie}, ${client}`)).toBe(addressOf('10.0.0.1', client))
    }),
  )
})

test('the answer is the peer or an address that the header holds, for any header', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.:[], abf'), maxLength: 200 }), (forwarded) => {
      const client = addressOf('10.0.0.1', forwarded)
      expect(client).toMatch(/^[\da-f.:]+$/)
      expect(addressOf('192.0.2.1', forwarded)).toBe('192.0.2.1')
    }),
  )
})

test('no other header has an effect', () => {
  const lies = [
    'x_forwarded_for',
    'x-forwarded',
    'forwarded',
    'forwarded-for',
    'x-real-ip',
    'x-client-ip',
    'true-client-ip',
    'cf-connecting-ip',
    'x-cluster-client-ip',
    'x-original-forwarded-for',
    'x-forwarded-host',
    'x-original-url',
  ]
  const headers = Object.fromEntries(lies.map((name) => [name, '203.0.113.9']))
  const socket = { remoteAddress: '10.0.0.1' }
  expect(clientAddressOf({ headers, socket }, proxies)).toBe('10.0.0.1')
})

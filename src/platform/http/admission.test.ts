import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AdmissionKeys, compileAdmission, isLoopbackHost, namesAddress } from './admission.ts'

const keys: AdmissionKeys = {
  publicUrl: 'https://gate.castle.test',
  port: 8090,
  allowedNetworks: ['0.0.0.0/0', '::/0'],
  trustedProxies: [],
  allowedHosts: ['inner.castle.test:9000', '[FD00:0::7]:8090'],
  allowedOrigins: ['https://app.castle.test', 'app://castle'],
}

const compile = (more: Partial<AdmissionKeys> = {}) => compileAdmission({ ...keys, ...more }, 'gateway')

test.each([
  'gate.castle.test',
  'gate.castle.test:443',
  'GATE.Castle.TEST',
  'gate.castle.test.',
  'gate.castle.test.:443',
  'gate.castle.test:',
  'inner.castle.test:9000',
  'localhost:8090',
  'LocalHost:8090',
  '127.0.0.1:8090',
  '[::1]:8090',
  '[0:0:0:0:0:0:0:1]:8090',
  '[fd00::7]:8090',
])('host %s is answered', (host) => {
  expect(compile().hosts.has(host)).toBe(true)
})

test.each([
  undefined,
  '',
  ' ',
  'evil.example',
  'gate.castle.test:80',
  'gate.castle.test:8090',
  'gate.castle.test:444',
  'gate.castle.test..',
  '.gate.castle.test',
  'gate.castle.test.evil.example',
  'evilgate.castle.test',
  'inner.castle.test',
  'localhost',
  'localhost:80',
  'localhost:8091',
  'localhost:80900',
  'localhost:-8090',
  'localhost:8090:8090',
  'localhost:8090/',
  'localhost:8090#',
  'user@gate.castle.test',
  'user:pass@localhost:8090',
  'a@b@localhost:8090',
  'localhost:8090@evil.example',
  'http://gate.castle.test',
  'gate.castle.test, evil.example',
  'gate.castle.test evil.example',
  '127.0.0.2:8090',
  '127.1:8090',
  '2130706433:8090',
  '0.0.0.0:8090',
  '::1:8090',
  '[::1',
  '[::1]8090',
  '[::ffff:127.0.0.1]:8090',
  'localhost\u0000:8090',
  'ⓛocalhost:8090',
])('host %j is not answered', (host) => {
  expect(compile().hosts.has(host)).toBe(false)
})

test.each([
  'https://gate.castle.test',
  'https://gate.castle.test:443',
  'HTTPS://Gate.Castle.Test',
  'https://app.castle.test',
  'app://castle',
])('origin %s may call', (origin) => {
  expect(compile().origins.has(origin)).toBe(true)
})

test.each([
  '',
  'null',
  'NULL',
  'http://gate.castle.test',
  'https://gate.castle.test:80',
  'https://gate.castle.test.evil.example',
  'https://gate.castle.test/',
  'https://gate.castle.test@evil.example',
  'https://evil.example/https://gate.castle.test',
  'https://gate.castle.test, https://evil.example',
  'https://app.castle.test https://evil.example',
  'gate.castle.test',
  '//gate.castle.test',
  'http://localhost:8090',
  'file://',
])('origin %j may not call', (origin) => {
  expect(compile().origins.has(origin)).toBe(false)
})

test('a port that the client was given for the public address is answered for loopback names, too', () => {
  const { hosts, origins } = compile({ publicUrl: 'http://localhost:9090' })
  expect(['localhost:9090', '127.0.0.1:9090', 'localhost:8090', 'localhost'].map((host) => hosts.has(host))).toEqual([
    true,
    true,
    true,
    false,
  ])
  expect([origins.has('http://localhost:9090'), origins.has('http://127.0.0.1:9090')]).toEqual([true, false])
})

test('no text that is not one of the hosts is answered', () => {
  const { hosts } = compile()
  const bits = fc.constantFrom(
    'gate.castle.test',
    'localhost',
    ':',
    '.',
    '@',
    '/',
    '8090',
    '443',
    '[::1]',
    ' ',
    '\\',
    '#',
  )
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 6 }), (parts) => {
      const host = parts.join('')
      if (!hosts.has(host)) return
      const url = new URL(`https://${host}`)
      expect([url.username, url.pathname, url.hash]).toEqual(['', '/', ''])
      expect(['gate.castle.test', 'gate.castle.test.', 'localhost', 'localhost.', '[::1]']).toContain(url.hostname)
    }),
  )
})

test.each([
  ['localhost:8091', 8091, true],
  ['127.0.0.1:8091', 8091, true],
  ['[::1]:8091', 8091, true],
  ['localhost', 80, true],
  ['localhost:80', 80, true],
  ['localhost', 8091, false],
  ['localhost:8092', 8091, false],
  ['evil.example:8091', 8091, false],
  ['a@localhost:8091', 8091, false],
])('whether %s names this machine at port %i: %s', (host, port, isOwn) => {
  expect(isLoopbackHost(host, port)).toBe(isOwn)
})

test.each([
  ['10.1.2.3:8091', true],
  ['10.1.2.3', false],
  ['10.1.2.4:8091', false],
  ['castle.test:8091', false],
  ['[::ffff:10.1.2.3]:8091', false],
  ['a@10.1.2.3:8091', false],
])('whether %s is the address 10.1.2.3 at port 8091: %s', (host, isIt) => {
  expect(namesAddress(host, '10.1.2.3', 8091)).toBe(isIt)
  expect(namesAddress(host, '::ffff:10.1.2.3', 8091)).toBe(isIt)
  expect(namesAddress(host, '', 8091)).toBe(false)
})

test('a network that is none is refused with its key', () => {
  const wrong = { trustedProxies: ['10.0.0.1/8'] }
  expect(() => compile(wrong)).toThrow(/`10\.0\.0\.1\/8` in `gateway\.trustedProxies` is not a network/)
})

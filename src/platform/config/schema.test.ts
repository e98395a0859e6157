import { join } from 'node:path'
import { expect, test } from 'vitest'
import { load, problemOf } from '../../../test/world/machine/configuration.ts'
import { type ConfigEntry, describeConfig, variableOf } from './describe-config.ts'
import { configJsonSchema } from './json-schema.ts'

const set = (key: string, text: string) => load({ env: { [variableOf(key)]: text } }).config
const refusal = (key: string, text: string) => problemOf({ env: { [variableOf(key)]: text } }).message

test.each([
  ['limits.bodyBytes', 1_024, 67_108_864],
  ['limits.headerBytes', 4_096, 262_144],
  ['limits.headersSeconds', 1, 30],
  ['limits.requestSeconds', 10, 3_600],
  ['limits.keepAliveSeconds', 1, 3_600],
  ['limits.connections', 1, 1_000_000],
  ['limits.connectionsPerAddress', 1, 1_000_000],
  ['limits.openStreams', 1, 1_000_000],
  ['limits.openStreamsPerPrincipal', 1, 1_000_000],
  ['limits.requestsPerMinutePerAddress', 1, 100_000_000],
  ['limits.requestsPerMinutePerPrincipal', 1, 100_000_000],
  ['limits.answerBytes', 1_024, 1_073_741_824],
  ['limits.upstreamSilenceSeconds', 1, 3_600],
  ['limits.streamSeconds', 1, 86_400],
  ['limits.openStreamSeconds', 1, 604_800],
  ['limits.openStreamIdleSeconds', 1, 604_800],
  ['limits.drainSeconds', 0, 600],
  ['telemetry.traceSampling', 0, 100],
])('%s takes %i to %i, and neither one less nor one more', (key, smallest, largest) => {
  for (const value of [smallest, largest]) expect(() => set(key, String(value))).not.toThrow()
  expect(refusal(key, String(smallest - 1))).toMatch(/: expected at (least|most) /)
  expect(refusal(key, String(largest + 1))).toMatch(/: expected at most /)
})

test('the time for the headers ends within the time for the whole request', () => {
  const yaml = (headers: number) => `limits: { headersSeconds: ${headers}, requestSeconds: 40 }`
  expect(load({ yaml: yaml(40) }).config.limits.headersSeconds).toBe(40)
  expect(problemOf({ yaml: yaml(41) }).message).toContain('1:27: `limits.headersSeconds`: expected at most `limits.req')
})

test('a list is a sequence in the file and separated by commas elsewhere', () => {
  const inFile = load({ yaml: 'gateway:\n  allowedNetworks:\n    - 10.0.0.0/8\n    - "fd00::/8"\n' })
  expect(inFile.config.gateway.allowedNetworks).toEqual(['10.0.0.0/8', 'fd00::/8'])
  expect(inFile.origins['gateway.allowedNetworks']).toBe('file castellan.yaml:3')
  expect(load({ yaml: 'gateway: { addresses: [127.0.0.1, ::1] }' }).config.gateway.addresses).toHaveLength(2)
  expect(set('gateway.trustedProxies', '10.0.0.1 , 10.0.0.2').gateway.trustedProxies).toEqual(['10.0.0.1', '10.0.0.2'])
  const yaml = 'admin: { allowedOrigins: ["https://a.example"] }'
  expect(load({ yaml, env: { CASTELLAN_ADMIN__ALLOWED_ORIGINS: '[]' } }).config.admin.allowedOrigins).toEqual([])
})

test.each([
  ['gateway:\n  allowedNetworks:\n    - 10.0.0.0/8\n    - 10.0.0.0/33', '4:7: `gateway.allowedNetworks`: entry 2: '],
  ['gateway: { allowedNetworks: 10.0.0.0/8 }', '1:12: `gateway.allowedNetworks` takes a list'],
  ['gateway: { allowedNetworks: }', '1:12: `gateway.allowedNetworks` takes a list'],
  ['gateway: { allowedNetworks: [[10.0.0.0/8]] }', '1:12: `gateway.allowedNetworks` takes a list'],
  ['gateway: { allowedNetworks: [a: b] }', '1:12: `gateway.allowedNetworks` takes a list'],
  ['gateway: { allowedNetworks: [] }', '1:29: `gateway.allowedNetworks`: expected at least 1'],
  ['gateway: { addresses: [] }', '1:23: `gateway.addresses`: expected at least 1'],
  ['gateway: { trustedProxies: [10] }', '1:29: `gateway.trustedProxies`: entry 1: expected a text'],
  ['gateway: { trustedProxies: [~] }', '1:29: `gateway.trustedProxies`: entry 1: expected a text'],
  ['gateway: { trustedProxies: [10.0.0.1, 10.0.0.1] }', '1:28: `gateway.trustedProxies`: expected each of them once'],
])('the list in %j is refused at its line and column', (yaml, message) => {
  expect(problemOf({ yaml }).message).toContain(`castellan.yaml:${message}`)
})

test('a list has up to 1000 entries', () => {
  const proxies = (many: number) => Array.from({ length: many }, (_, at) => `10.1.${at >> 8}.${at & 255}`).join(',')
  expect(set('gateway.trustedProxies', proxies(1_000)).gateway.trustedProxies).toHaveLength(1_000)
  expect(refusal('gateway.trustedProxies', proxies(1_001))).toContain('expected at most 1000')
})

test.each(['10.0.0.0/8', '0.0.0.0/0', '192.0.2.1', '192.0.2.1/32', '::/0', '::1', 'fd00::/8', '::ffff:10.0.0.0/104'])(
  'the network %s is taken',
  (network) => expect(set('admin.allowedNetworks', network).admin.allowedNetworks).toEqual([network]),
)

test.each(
  [
    '10.0.0.0/33 ::/129 10.0.0.0/ 10.0.0.0/-1 10.0.0.0/08 10.0.0.0/8/8 10.0.0/8 10.0.0.256',
    'fe80::1%eth0 localhost * any 10.0.0.0/255.0.0.0 010.0.0.1 https://10.0.0.1 1e1',
  ].flatMap((line) => line.split(' ')),
)('the network %s is refused', (network) =>
  expect(refusal('admin.allowedNetworks', network)).toContain('entry 1: expected an address or a network'),
)

test.each([
  ['allowedHosts', 'MCP.Example.com:8443', 'mcp.example.com:8443'],
  ['allowedHosts', '[::1]:8090', '[::1]:8090'],
  ['allowedOrigins', 'HTTPS://App.Example.com', 'https://app.example.com'],
  ['allowedOrigins', 'vscode-webview://panel', 'vscode-webview://panel'],
] as const)('%s takes %s in lower case', (name, text, value) => {
  expect(set(`gateway.${name}`, text).gateway[name]).toEqual([value])
})

test.each([
  ...['*', '*.example.com', 'https://example.com', 'a b', 'a/b', 'a:b', 'a@b', '-a', 'a:123456'].map((text) => [
    'allowedHosts',
    text,
  ]),
  ...['*', 'null', 'example.com', 'https://*', 'https://a.example/', 'https://u@a.example', 'https://'].map((text) => [
    'allowedOrigins',
    text,
  ]),
])('%s does not take %s', (name, text) => {
  expect(refusal(`gateway.${name}`, text)).toContain('entry 1: expected ')
})

const tls = { tlsCertificate: 'tls/chain.pem', tlsKey: 'tls/key.pem' }
const yamlOf = (gateway: object) => JSON.stringify({ gateway })

test('the files of TLS are named from where they are written, and make the public address https', () => {
  const { config, cwd } = load({ yaml: yamlOf(tls) })
  expect(config.gateway.tlsCertificate).toBe(join(cwd, 'tls/chain.pem'))
  expect(config.gateway.tlsKey).toBe(join(cwd, 'tls/key.pem'))
  expect([config.gateway.publicUrl, config.admin.publicUrl]).toEqual([
    'https://localhost:8090',
    'http://localhost:8091',
  ])
})

test.each([
  ['tlsKey', { tlsCertificate: '/chain.pem' }, '`gateway.tlsCertificate`: expected `gateway.tlsKey` too'],
  ['tlsCertificate', { tlsKey: '/key.pem' }, '`gateway.tlsKey`: expected `gateway.tlsCertificate` too'],
])('TLS without `%s` is refused', (_missing, given, message) => {
  expect(problemOf({ yaml: yamlOf(given) }).message).toContain(message)
})

test('a public address without TLS is refused where TLS is spoken', () => {
  const given = { ...tls, publicUrl: 'http://localhost:8090' }
  expect(problemOf({ yaml: yamlOf(given) }).message).toContain('`gateway.publicUrl`: expected `https://…`')
  expect(load({ yaml: yamlOf({ ...tls, publicUrl: 'https://mcp.example.com' }) }).config.gateway.publicUrl).toBe(
    'https://mcp.example.com',
  )
})

test.each([['0.0.0.0'], ['::'], ['192.0.2.1'], ['::1', '10.0.0.1'], ['::ffff:10.0.0.1']])(
  'plain HTTP on %s is refused unless it is spelled out',
  (...addresses) => {
    const problem = problemOf({ yaml: yamlOf({ addresses }) })
    expect(problem.message).toContain('`gateway.addresses`: expected `gateway.tlsCertificate` and `gateway.tlsKey`')
    expect(problem.message).toContain('`gateway.dangerouslyAllowPlainHttp: true`')
    for (const allowed of [{ dangerouslyAllowPlainHttp: true }, tls]) {
      expect(load({ yaml: yamlOf({ addresses, ...allowed }) }).config.gateway.addresses).toEqual(addresses)
    }
  },
)

test('plain HTTP on loopback needs nothing', () => {
  expect(load({ yaml: yamlOf({ addresses: ['127.0.0.1', '127.8.8.8', '::1'] }) }).config.gateway.addresses[1]).toBe(
    '127.8.8.8',
  )
})

test.each(['https://otel.example.com/otlp', 'http://localhost:4318', 'http://127.0.0.1:4318/', 'http://[::1]:4318'])(
  'telemetry is sent to %s',
  (url) => expect(set('telemetry.otlpEndpoint', url).telemetry.otlpEndpoint).toBe(new URL(url).href),
)

test.each(['http://otel.example.com', 'grpc://localhost:4317', 'https://u:p@otel.example.com', 'localhost:4318'])(
  'telemetry is not sent to %s',
  (url) => expect(refusal('telemetry.otlpEndpoint', url)).toContain('expected `https://host/path`'),
)

test('the schema for editors has every key with its bounds and nothing that is not a key', () => {
  const schema = configJsonSchema() as { properties: Record<string, { properties?: Record<string, object> }> }
  const keys = Object.entries(schema.properties).flatMap(([name, section]) =>
    section.properties === undefined ? [name] : Object.keys(section.properties).map((key) => `${name}.${key}`),
  )
  expect(keys).toEqual(describeConfig().map(({ key }) => key))
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
  expect(schema).not.toHaveProperty('required')
  expect(schema.properties['limits']?.properties?.['bodyBytes']).toEqual({
    default: 4_194_304,
    description: 'The largest body of a request, in bytes.',
    type: 'integer',
    minimum: 1_024,
    maximum: 67_108_864,
  })
  expect(schema.properties['gateway']?.properties?.['trustedProxies']).toMatchObject({
    type: 'array',
    items: { type: 'string' },
    maxItems: 1_000,
  })
  expect(JSON.stringify(schema)).not.toMatch(/isSecret|isPath/)
})

test('every number says its default, which it takes', () => {
  const numbers = describeConfig().filter(
    (entry): entry is ConfigEntry & { default: string } => entry.type === 'number',
  )
  expect(numbers.length).toBeGreaterThan(20)
  for (const { key, default: written } of numbers) expect(() => set(key, written), key).not.toThrow()
})

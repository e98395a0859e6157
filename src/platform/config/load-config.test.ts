import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { load, problemOf } from '../../../test/world/machine/configuration.ts'
import { temporaryFolder } from '../../../test/world/folder.ts'
import { describeConfig } from './describe-config.ts'
import { loadConfig } from './load-config.ts'

const listener = {
  addresses: ['127.0.0.1', '::1'],
  tlsMinVersion: 'TLSv1.2',
  dangerouslyAllowPlainHttp: false,
  trustedProxies: [],
  allowedHosts: [],
  allowedOrigins: [],
}

const identity = {
  sessionHours: 8,
  sessionIdleMinutes: 30,
  secondFactor: 'required',
  accessTokenDays: 30,
  serviceAccountDays: 366,
  sessionsPerPerson: 20,
  administratorsNeedPasskey: false,
  issuers: [],
  passkeyDomain: 'localhost',
}

const oauth = {
  accessTokenMinutes: 60,
  grantDays: 30,
  registration: 'open',
  registrationsPerHour: 20,
  metadataDocuments: true,
  assertionIssuers: [],
  metadataNetworks: [],
}

test('everything has a default', () => {
  const { config, origins, file } = load()
  expect(JSON.parse(JSON.stringify(config))).toEqual({
    dataDir: '/people/ana/.local/share/castellan',
    gateway: {
      port: 8090,
      publicUrl: 'http://localhost:8090',
      ...listener,
      allowedNetworks: ['0.0.0.0/0', '::/0'],
    },
    admin: {
      port: 8091,
      publicUrl: 'http://localhost:8091',
      ...listener,
      allowedNetworks: ['127.0.0.0/8', '::1/128'],
    },
    database: { url: '[secret]' },
    identity,
    oauth,
    limits: {
      bodyBytes: 4_194_304,
      headerBytes: 16_384,
      headersSeconds: 10,
      requestSeconds: 30,
      keepAliveSeconds: 65,
      connections: 4_096,
      connectionsPerAddress: 256,
      openStreams: 1_024,
      openStreamsPerPrincipal: 32,
      requestsPerMinutePerAddress: 100,
      requestsPerMinutePerPrincipal: 600,
      answerBytes: 67_108_864,
      upstreamSilenceSeconds: 300,
      streamSeconds: 3_600,
      openStreamSeconds: 28_800,
      openStreamIdleSeconds: 3_600,
      drainSeconds: 20,
    },
    upstreams: {
      healthSeconds: 30,
      breakerFailures: 5,
      breakerOpenSeconds: 60,
      connections: 128,
      waitingCalls: 256,
      idleSeconds: 600,
      eventsPerSecond: 1_000,
    },
    ledger: { origin: 'castellan' },
    policy: { timeZone: 'UTC', networks: [], rejudgedPerMillion: 1_000, fourEyes: false },
    telemetry: { logLevel: 'info', logFormat: 'auto', traceSampling: 100 },
    demo: true,
  })
  expect(config.database.url.reveal()).toBe('sqlite:')
  expect(new Set(Object.values(origins))).toEqual(new Set(['default']))
  expect(file).toBeUndefined()
})

test('flags win over the environment, which wins over the file, and each value tells where it came from', () => {
  const { config, origins, file, cwd } = load({
    yaml: 'gateway:\n  port: 1\nadmin:\n  port: 2\nidentity:\n  sessionHours: 3\n',
    env: { CASTELLAN_ADMIN__PORT: '20', CASTELLAN_GATEWAY__PORT: '10' },
    args: { 'gateway.port': '100' },
  })
  expect([config.gateway.port, config.admin.port, config.identity.sessionHours]).toEqual([100, 20, 3])
  expect(origins).toMatchObject({
    'gateway.port': 'flag --gateway-port',
    'admin.port': 'env CASTELLAN_ADMIN__PORT',
    'identity.sessionHours': 'file castellan.yaml:6',
    demo: 'default',
  })
  expect(file).toBe(join(cwd, 'castellan.yaml'))
})

test('the public address follows the port unless it is given', () => {
  expect(load({ args: { 'gateway.port': '9000' } }).config.gateway.publicUrl).toBe('http://localhost:9000')
  const given = load({ yaml: 'gateway: { publicUrl: "https://MCP.example.com/" }' })
  expect(given.config.gateway.publicUrl).toBe('https://mcp.example.com')
})

test.each([
  'http://mcp.example.com',
  'ftp://localhost',
  'https://a.example/path',
  'https://u:p@a.example',
  'https://a.example?x',
  'localhost:8090',
  'data:text/html,x',
])('the public address %s is refused', (url) => {
  const { code, message } = problemOf({ env: { CASTELLAN_GATEWAY__PUBLIC_URL: url } })
  expect([code, message]).toEqual(['config.value', expect.stringMatching(/^CASTELLAN_GATEWAY__PUBLIC_URL: /)])
})

test('an empty file and an empty section change nothing', () => {
  expect(load({ yaml: '' }).config.demo).toBe(true)
  expect(load({ yaml: '# nothing yet\n' }).config.demo).toBe(true)
  expect(load({ yaml: 'gateway:\nidentity: ~\n' }).config.gateway.port).toBe(8090)
})

test('an unknown key is refused with its place and the key that was meant', () => {
  const { code, message, hint } = problemOf({ yaml: 'demo: true\ngateway:\n  prot: 8090\n' })
  expect(code).toBe('config.unknown-key')
  expect(message).toMatch(/castellan\.yaml:3:3: `gateway\.prot` is not a key$/)
  expect(hint).toBe('did you mean `gateway.port`?')
  expect(problemOf({ yaml: 'constructor: 1' }).code).toBe('config.unknown-key')
  expect(problemOf({ yaml: '__proto__: 1' }).code).toBe('config.unknown-key')
})

test.each([
  ['gateway:\n  port: 80000', '2:9: `gateway.port`: expected at most 65535'],
  ['gateway:\n  port: "8090"', '2:9: `gateway.port`: expected a whole number'],
  ['gateway:\n  port: 80.5', '2:9: `gateway.port`: expected a whole number'],
  ['gateway:\n  port: null', '2:9: `gateway.port`: expected a whole number'],
  ['demo: yes', '1:7: `demo`: expected true or false'],
  ['identity:\n  secondFactor: never', '2:17: `identity.secondFactor`: expected `required` or `optional`'],
  ['identity: { sessionHours: 0 }', '1:27: `identity.sessionHours`: expected at least 1'],
  ['identity: { sessionHours: 25 }', '1:27: `identity.sessionHours`: expected at most 24'],
  ['identity: { accessTokenDays: 366 }', '1:30: `identity.accessTokenDays`: expected at most 365'],
  ['ledger: { origin: "a b" }', '1:19: `ledger.origin`: expected up to 255 printable characters without space or plus'],
  ['gateway: 8090', '1:10: `gateway` is not a section'],
  ['- demo', '1:1: the file is not a section'],
  ['demo: [true]', '1:1: `demo` takes one value'],
  ['demo:\n  deep: 1', '1:1: `demo` takes one value'],
  ['demo: true\ndemo: false', '2:1: map keys must be unique'],
  ['gateway:\n\tport: 1', '2:1: '],
  ['demo: "true', '1:12: missing closing "quote'],
  ['demo: true\n---\ndemo: false', '2:1: '],
])('the file %j is refused at its line and column', (yaml, message) => {
  expect(problemOf({ yaml }).message).toContain(`castellan.yaml:${message}`)
})

test('the limits themselves are allowed', () => {
  const yaml = 'gateway: { port: 65535 }\nadmin: { port: 0 }\nidentity: { sessionHours: 24, accessTokenDays: 365 }\n'
  expect(load({ yaml }).config.gateway.port).toBe(65_535)
  expect(load({ yaml: `ledger: { origin: ${'a'.repeat(255)} }` }).config.ledger.origin).toHaveLength(255)
  expect(() => load({ yaml: `ledger: { origin: ${'a'.repeat(256)} }` })).toThrow()
})

test('all wrong values are named at once', () => {
  const { message } = problemOf({ yaml: 'demo: 1\n', env: { CASTELLAN_GATEWAY__PORT: 'x' } })
  expect(message).toContain('castellan.yaml:1:7: `demo`')
  expect(message).toContain('CASTELLAN_GATEWAY__PORT: `gateway.port`')
})

test('both listeners on one port are refused', () => {
  expect(problemOf({ args: { 'gateway.port': '8091' } }).message).toContain('expected another port than `gateway.port`')
  expect(load({ args: { 'gateway.port': '0', 'admin.port': '0' } }).config.admin.port).toBe(0)
})

test.each([
  ['8O90', 'expected a whole number'],
  ['-1', 'expected at least 0'],
  ['65536', 'expected at most 65535'],
  ['0x1f', 'expected a whole number'],
  [' 1', 'expected a whole number'],
])('the variable for a port does not take %j', (text, expected) => {
  const { message } = problemOf({ env: { CASTELLAN_GATEWAY__PORT: text } })
  expect(message).toBe(`CASTELLAN_GATEWAY__PORT: \`gateway.port\`: ${expected}`)
})

test('an unknown variable is refused with the one that was meant', () => {
  const { code, hint } = problemOf({ env: { CASTELLAN_GATEWAY_PORT: '9' } })
  expect([code, hint]).toEqual(['config.unknown-variable', 'did you mean CASTELLAN_GATEWAY__PORT?'])
  expect(problemOf({ env: { CASTELLAN_GATEWAY__PORT_FILE: '/x' } }).code).toBe('config.unknown-variable')
  expect(problemOf({ args: { 'gateway.prot': '9' } }).code).toBe('config.unknown-key')
})

test('variables that Kubernetes sets for a service of this name are passed over', () => {
  const { config } = load({
    env: {
      CASTELLAN_SERVICE_HOST: '10.0.0.1',
      CASTELLAN_SERVICE_PORT: '8090',
      CASTELLAN_SERVICE_PORT_HTTP: '8090',
      CASTELLAN_PORT: 'tcp://10.0.0.1:8090',
      CASTELLAN_PORT_8090_TCP: 'tcp://10.0.0.1:8090',
      CASTELLAN_PORT_8090_TCP_ADDR: '10.0.0.1',
      CASTELLAN_ADMIN_PORT: 'tcp://10.0.0.2:8091',
    },
  })
  expect(config.gateway.port).toBe(8090)
})

const databaseUrl = 'postgres://ana:kettle-orbit-92-marzipan@db/castellan'

test('a secret comes from a file when its variable ends in _FILE', () => {
  const path = join(temporaryFolder(), 'url')
  writeFileSync(path, `${databaseUrl}\n`, { mode: 0o400 })
  const { config, origins } = load({ env: { CASTELLAN_DATABASE__URL_FILE: path } })
  expect(config.database.url.reveal()).toBe(databaseUrl)
  expect(origins['database.url']).toBe('env CASTELLAN_DATABASE__URL_FILE')
})

test('a secret that is set twice, or whose file is missing, is refused', () => {
  const env = { CASTELLAN_DATABASE__URL_FILE: '/nowhere/url' }
  expect(problemOf({ env }).code).toBe('config.unreadable')
  expect(problemOf({ env: { ...env, CASTELLAN_DATABASE__URL: databaseUrl } }).code).toBe('config.set-twice')
})

test('a secret is not printed, neither when it is right nor when it is wrong', () => {
  const { config } = load({ env: { CASTELLAN_DATABASE__URL: databaseUrl } })
  expect(JSON.stringify(config) + inspect(config, { depth: 9 }) + String(config.database.url)).not.toContain(
    'kettle-orbit-92-marzipan',
  )
  for (const wrong of ['mysql://ana:kettle-orbit-92-marzipan@db/x', 'postgres://ana:kettle-orbit-92-marzipan@[/x']) {
    expect(JSON.stringify(problemOf({ env: { CASTELLAN_DATABASE__URL: wrong } }))).not.toContain(
      'kettle-orbit-92-marzipan',
    )
    expect(JSON.stringify(problemOf({ yaml: `database: { url: "${wrong}" }` }))).not.toContain(
      'kettle-orbit-92-marzipan',
    )
  }
})

test('an empty variable counts as unset', () => {
  expect(load({ env: { CASTELLAN_GATEWAY__PORT: '', CASTELLAN_DATABASE__URL_FILE: '' } }).config.gateway.port).toBe(
    8090,
  )
})

test('the data folder is absolute: relative to the file, to the working folder, or to the home', () => {
  const fromFile = load({ yaml: 'dataDir: ./state' })
  expect(fromFile.config.dataDir).toBe(join(fromFile.cwd, 'state'))
  expect(load({ yaml: 'dataDir: ~/state' }).config.dataDir).toBe('/people/ana/state')
  const fromEnv = load({ env: { CASTELLAN_DATA_DIR: 'here' } })
  expect(fromEnv.config.dataDir).toBe(join(fromEnv.cwd, 'here'))
  expect(load({ env: { XDG_DATA_HOME: '/var/xdg' } }).config.dataDir).toBe('/var/xdg/castellan')
  expect(load({ env: { XDG_DATA_HOME: 'relative' } }).config.dataDir).toBe('/people/ana/.local/share/castellan')
})

test('the file is the named one, else the one in the working folder, else the one of the account', () => {
  const home = temporaryFolder()
  const cwd = temporaryFolder()
  const named = join(temporaryFolder(), 'other.yaml')
  mkdirSync(join(home, '.config/castellan'), { recursive: true })
  const ofAccount = join(home, '.config/castellan/castellan.yaml')
  writeFileSync(ofAccount, 'demo: false')
  expect(loadConfig({ env: {}, cwd, home }).file).toBe(ofAccount)
  writeFileSync(join(cwd, 'castellan.yaml'), 'demo: true')
  expect(loadConfig({ env: {}, cwd, home }).file).toBe(join(cwd, 'castellan.yaml'))
  writeFileSync(named, 'demo: false')
  const loaded = loadConfig({ env: { CASTELLAN_CONFIG: named }, cwd, home })
  expect([loaded.file, loaded.config.demo, loaded.origins['demo']]).toEqual([named, false, 'file other.yaml:1'])
})

test('a named file that is missing, or one that is too large, is refused', () => {
  expect(problemOf({ env: { CASTELLAN_CONFIG: 'missing.yaml' } }).code).toBe('config.unreadable')
  const fill = (bytes: number) => `demo: false\n#${'x'.repeat(bytes - 13)}`
  expect(load({ yaml: fill(1024 * 1024) }).config.demo).toBe(false)
  expect(problemOf({ yaml: fill(1024 * 1024 + 1) }).code).toBe('config.unreadable')
})

test('a file that calls itself over and over is refused without being unfolded', () => {
  const bomb = [
    'a: &a [x, x]',
    ...'bcdefgh'.split('').map((name, at) => `${name}: &${name} [*${'abcdefg'[at]}, *${'abcdefg'[at]}]`),
  ]
  expect(problemOf({ yaml: bomb.join('\n') }).code).toBe('config.unknown-key')
  expect(problemOf({ yaml: 'demo: &d true\ngateway: { port: *d }' }).code).toBe('config.value')
})

test('every key is described, and no secret has its value in the description', () => {
  const entries = describeConfig()
  expect(entries.map(({ key }) => key)).toContain('gateway.publicUrl')
  for (const entry of entries) expect(entry.docs).toMatch(/\.$/)
  expect(entries.filter(({ isSecret }) => isSecret).map(({ key }) => key)).toEqual([
    'database.url',
    'telemetry.otlpHeaders',
    'telemetry.metricsToken',
  ])
  expect(entries.find(({ key }) => key === 'identity.secondFactor')).toMatchObject({
    type: 'choice',
    default: 'required',
    variable: 'CASTELLAN_IDENTITY__SECOND_FACTOR',
  })
})

test('each key can be set by the variable that its description names', () => {
  const samples: Record<string, string> = {
    dataDir: '/data',
    publicUrl: 'https://mcp.example.com',
    addresses: '127.0.0.2, ::1',
    tlsCertificate: '/tls/chain.pem',
    tlsKey: '/tls/key.pem',
    tlsMinVersion: 'TLSv1.3',
    allowedNetworks: '10.0.0.0/8,fd00::/8',
    trustedProxies: '10.0.0.1',
    allowedHosts: 'mcp.example.com',
    allowedOrigins: 'https://app.example.com',
    url: 'sqlite:/x',
    secondFactor: 'optional',
    passkeyDomain: 'example.com',
    issuers: '[{"issuer":"https://id.example.com"}]',
    timeZone: 'Europe/Berlin',
    networks: '[{"name":"office","addresses":["10.0.0.0/8"]}]',
    registration: 'closed',
    assertionIssuers: 'https://id.example.com',
    metadataNetworks: '10.0.0.0/8',
    region: 'eu',
    origin: 'north',
    logLevel: 'debug',
    logFormat: 'json',
    otlpEndpoint: 'https://otel.example.com/',
    otlpHeaders: 'authorization=Bearer 5f1c0e7a94',
    metricsToken: '7Qm2vR9xKp4LwZ8tNc3YbH6sJd1FgA5e',
  }
  const byType: Record<string, string> = { boolean: 'false' }
  const entries = describeConfig()
  const text = ({ key, type, default: written }: (typeof entries)[number], at: number) =>
    samples[key.split('.').at(-1) ?? ''] ?? byType[type] ?? String(Number(written) - (at % 3))
  const env = Object.fromEntries(entries.map((entry, at) => [entry.variable, text(entry, at)]))
  const { config, origins } = load({ env })
  for (const { key, variable } of entries) expect(origins[key]).toBe(`env ${variable}`)
  expect(config.gateway.addresses).toEqual(['127.0.0.2', '::1'])
  expect(config.telemetry.metricsToken?.reveal()).toBe(samples['metricsToken'])
})

test('a list of sections is read from the file and from the environment, and each mistake is told where it is', () => {
  const issuer = 'https://id.example.com/realms/acme'
  const yaml = `identity:\n  issuers:\n    - issuer: ${issuer}\n      roles: { staff: [reader] }\n    - issuer: http://elsewhere.example\n      clockSkewSeconds: 61\n      nonsense: 1\n`
  const { message } = problemOf({ yaml })
  expect(message).toMatch(/castellan\.yaml:5:7: `identity\.issuers`: entry 2, `issuer`: expected `https:/)
  expect(message).toContain('entry 2, `clockSkewSeconds`: expected at most 60')
  expect(message).toContain('entry 2: `nonsense` is not a key of an issuer')
  const good = load({ yaml: yaml.slice(0, yaml.indexOf('    - issuer: http:')) })
  const given = load({
    env: { CASTELLAN_IDENTITY__ISSUERS: JSON.stringify([{ issuer, roles: { staff: ['reader'] } }]) },
  })
  expect(good.config.identity.issuers).toEqual(given.config.identity.issuers)
  expect(good.config.identity.issuers).toMatchObject([
    { issuer, typ: 'at+jwt', scopes: ['mcp'], clockSkewSeconds: 30, requireMfa: false, roles: { staff: ['reader'] } },
  ])
  const place = (list: string) => problemOf({ yaml: `identity:\n  issuers: ${list}\n` }).message
  expect(place('[a, b]')).toContain('`identity.issuers` takes a list of sections')
  expect(place(`[{ issuer: ${issuer} }, { issuer: ${issuer} }]`)).toContain('expected each issuer once')
  expect(place('[{ issuer: "http://localhost:8090" }]')).toContain('expected another issuer than this gateway itself')
  expect(place(`[{ issuer: ${issuer}, algorithms: [HS256] }]`)).toContain('expected one of ES256')
  expect(place(`[{ issuer: ${issuer}, audiences: { x: /admin } }]`)).toContain('expected the path of a server')
})

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { load, problemOf } from '../../../test/world/machine/configuration.ts'
import { temporaryFolder } from '../../../test/world/folder.ts'

test.each([
  ['gatway:\n  port: 1', 'gateway'],
  ['gateway:\n  prot: 1', 'gateway.port'],
  ['gateway:\n  tls_certificate: a', 'gateway.tlsCertificate'],
  ['limits:\n  bodybyte: 1', 'limits.bodyBytes'],
  ['port: 1', 'gateway.port'],
  ['gateway:\n  bodyBytes: 1', 'limits.bodyBytes'],
  ['telemetry:\n  loglevel: info', 'telemetry.logLevel'],
])('for the unknown key in %j, %s is proposed', (yaml, meant) => {
  const { code, hint } = problemOf({ yaml })
  expect([code, hint]).toEqual(['config.unknown-key', `did you mean \`${meant}\`?`])
})

test.each([
  ['a key twice in a section', 'limits:\n  bodyBytes: 2048\n  bodyBytes: 4096', '3:3: map keys must be unique'],
  ['a section twice', 'limits:\n  bodyBytes: 2048\nlimits:\n  openStreams: 1', '3:1: map keys must be unique'],
  ['the same key in two spellings', 'demo: true\n"demo": false', '2:1: map keys must be unique'],
  ['an alias for a section', 'gateway: &one\n  port: 1\nadmin: *one', '3:8: `admin` is not a section'],
  ['an alias in a list', 'gateway:\n  trustedProxies: [&a 10.0.0.1, *a]', '2:3: `gateway.trustedProxies` takes a list'],
  ['a merge', 'gateway: &one { port: 1 }\nadmin:\n  <<: *one', '3:3: `admin.<<` is not a key'],
  ['a type of its own', 'dataDir: !!js/function "x"', '1:10: unresolved tag'],
  ['a type that hides a value', 'ledger:\n  origin: !kettle orbit', '2:11: unresolved tag'],
  ['a key that is no text', '? [a, b]\n: 1', '1:3: `?` is not a key'],
  ['tabs', 'gateway:\n\tport: 1', '2:1: '],
  ['a control character', 'dataDir: "a\u0007b"', '1:12: a control character'],
  ['an escaped control character', 'dataDir: "a\\0b"', '1:10: `dataDir`: expected no control characters'],
])('%s is refused at its place', (_what, yaml, message) => {
  expect(problemOf({ yaml }).message).toContain(`castellan.yaml:${message}`)
})

test.each([
  'database: { url: "kettle-orbit',
  'database:\n  url: kettle-orbit: x',
  '@kettle-orbit',
  'demo: "\\kettle-orbit"',
])('the syntax error in %j does not show what is written there', (yaml) => {
  const { code, message, hint } = problemOf({ yaml })
  expect(code).toBe('config.syntax')
  expect(message + hint).not.toContain('kettle')
})

test('line ends of every system and a byte order mark are read', () => {
  const yaml = '\uFEFFgateway:\r\n  port: 1\r\n  trustedProxies:\r\n    - 10.0.0.1\r\ndemo: false\r\n'
  const { config, origins } = load({ yaml })
  expect([config.gateway.port, config.gateway.trustedProxies, config.demo]).toEqual([1, ['10.0.0.1'], false])
  expect(origins['demo']).toBe('file castellan.yaml:5')
})

test.each([
  ['UTF-16', Buffer.from('\uFEFFdemo: true', 'utf16le')],
  ['a stray byte', Buffer.from([...Buffer.from('demo: true # '), 0xff])],
  ['an overlong form', Buffer.from([...Buffer.from('demo: true # '), 0xc0, 0xaf])],
])('a file in %s is refused', (_what, bytes) => {
  expect(problemOf({ yaml: bytes }).message).toMatch(/castellan\.yaml` cannot be read: it is not UTF-8$/)
})

function named(path: string) {
  return problemOf({ env: { CASTELLAN_CONFIG: path } })
}

test('a folder, a device and a pipe are no configuration, and nobody waits for them', () => {
  const folder = temporaryFolder()
  expect(named(folder).message).toMatch(/cannot be read: it is a folder$/)
  expect(named('/dev/zero').message).toMatch(/cannot be read: it is not a plain file$/)
  const pipe = join(folder, 'pipe')
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
  expect(named(pipe).message).toMatch(/cannot be read: it is not a plain file$/)
})

test('a folder of that name is passed over where a file is looked for', () => {
  const home = temporaryFolder()
  mkdirSync(join(home, 'castellan.yaml'))
  expect(load().file).toBeUndefined()
})

test('a file is read up to its limit of 1 MiB', () => {
  const fill = (bytes: number) => `demo: false\n#${'x'.repeat(bytes - 13)}`
  expect(load({ yaml: fill(1024 * 1024) }).config.demo).toBe(false)
  expect(problemOf({ yaml: fill(1024 * 1024 + 1) }).message).toMatch(/it is larger than 1048576 bytes$/)
})

test('a bomb of aliases and a tower of brackets are refused at once', () => {
  const startedAt = performance.now()
  const names = 'abcdefghijklmnopqrstuvwxy'.split('')
  const bomb = names.map((name, at) => `${name}: &${name} [${at === 0 ? 'x' : `*${names[at - 1]}, *${names[at - 1]}`}]`)
  expect(problemOf({ yaml: bomb.join('\n') }).code).toBe('config.unknown-key')
  expect(problemOf({ yaml: `demo: ${'['.repeat(20_000)}` }).code).toMatch(/^config\./)
  expect(problemOf({ yaml: `a:\n${'- '.repeat(20_000)}` }).code).toMatch(/^config\./)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

const url = 'postgres://ana:kettle-orbit-92-marzipan@db/castellan'
const secret = (name: string, text: string | Uint8Array, mode = 0o600) => {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}
const from = (path: string) => ({ env: { CASTELLAN_DATABASE__URL_FILE: path } })

test.each([0o600, 0o400, 0o440, 0o640])('a secret in a file with mode %o is taken', (mode) => {
  expect(load(from(secret('url', `${url}\n`, mode))).config.database.url.reveal()).toBe(url)
})

test.each([0o604, 0o644, 0o666, 0o444])('a secret in a file with mode %o is refused with what to do', (mode) => {
  const path = secret('url', url, mode)
  const { code, message, hint } = problemOf(from(path))
  expect(code).toBe('config.exposed')
  expect(message).toBe('the file named by CASTELLAN_DATABASE__URL_FILE can be read by every account of this machine')
  expect(hint).toContain(`chmod 600 ${path}`)
})

test('a secret in castellan.yaml is refused when everybody can read it', () => {
  const given = (text: string, mode: number) => ({ env: { CASTELLAN_CONFIG: secret('castellan.yaml', text, mode) } })
  const yaml = `database:\n  url: "${url}"\n`
  expect(load(given(yaml, 0o640)).config.database.url.reveal()).toBe(url)
  const { code, message, hint } = problemOf(given(yaml, 0o644))
  expect(code).toBe('config.exposed')
  expect(message).toMatch(/castellan\.yaml` holds `database\.url` and can be read by every account of this machine$/)
  expect(hint).toContain('CASTELLAN_DATABASE__URL_FILE')
  expect(message + hint).not.toContain('kettle')
  for (const open of ['database: { url: "sqlite:/data/x.db" }', 'database: { url: "postgres://ana@localhost/x" }']) {
    expect(load(given(open, 0o644)).config.database.url.reveal()).toContain(':')
  }
})

test.each([
  ['empty', '', 'expected `sqlite:`'],
  ['two lines', `${url}\n${url}\n`, 'expected no control characters'],
  ['no UTF-8', Buffer.from([0xff, 0xfe]), 'it is not UTF-8'],
  ['too large', 'x'.repeat(64 * 1024 + 1), 'it is larger than 65536 bytes'],
])('a file with a secret that is %s is refused without showing it', (_what, bytes, reason) => {
  const { message, hint } = problemOf(from(secret('url', bytes)))
  expect(message).toContain('CASTELLAN_DATABASE__URL_FILE')
  expect(message).toContain(reason)
  expect(message + hint).not.toContain('kettle')
})

test('a folder as the file with a secret is refused', () => {
  expect(problemOf(from(temporaryFolder())).message).toMatch(/URL_FILE cannot be read: it is a folder$/)
})

test.each(['DATABASE__URL', 'TELEMETRY__METRICS_TOKEN', 'TELEMETRY__OTLP_HEADERS'])(
  'the secret of CASTELLAN_%s may come from a file',
  (name) => {
    const token = '7Qm2vR9xKp4LwZ8tNc3YbH6sJd1FgA5e'
    const texts: Record<string, string> = { DATABASE__URL: url, TELEMETRY__OTLP_HEADERS: `authorization=${token}` }
    const path = secret('given', `${texts[name] ?? token}\n`)
    const { origins } = load({ env: { [`CASTELLAN_${name}_FILE`]: path } })
    expect(Object.values(origins)).toContain(`env CASTELLAN_${name}_FILE`)
  },
)

import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { load, problemOf } from '../../../test/world/machine/configuration.ts'
import { weaknessOf } from './weak-secret.ts'

const password = { leastChars: 12 }

const placeholders = `
  changeme ChangeMe123! change-me-please password P@ssw0rd1 Passw0rd2024 postgres postgres123 secret secret-api-key
  my-super-secret-password my_secret_key admin admin123! castellan example example-password your-password-here
  replace_me_with_a_password letmein hunter2 default <password> \${DB_PASSWORD} {{password}} $(cat) %PASSWORD% [redacted]
  ........ ******** placeholder TODO:set-a-password xxxxxxxx-xxxx-xxxx insecure-dev-token token root test1234
  correct-horse-battery-staple CORRECT_HORSE_BATTERY_STAPLE not-a-real-secret dummy-token-for-tests`

test.each(placeholders.trim().split(/\s+/))('%j is a placeholder', (secret) => {
  expect(weaknessOf(secret, password)).toBe('is a placeholder or a known default')
})

const guessable = `
  yyyyyyyyyyyyyyyy ubububububububub xkcxkcxkcxkcxkc abcdefghijklmnop zyxwvutsrqponmlk 1234567890123456 qwertyuiopasdfgh
  0000000000000000 9876543210987654 x7Kp2x7Kp2x7Kp2 111122223333444455 0123456789abcdef`

test.each(guessable.trim().split(/\s+/))('%j can be guessed', (secret) => {
  expect(weaknessOf(secret, password)).toBe('can be guessed: it repeats itself or follows a sequence')
})

test('what is empty, short or the name of the account is weak', () => {
  expect(weaknessOf('', password)).toBe('is empty')
  expect(weaknessOf(' \t', password)).toBe('is empty')
  expect(weaknessOf('x7Kp2mQ9vLt', password)).toBe('is shorter than 12 characters')
  expect(weaknessOf('x7Kp2mQ9vLtw', password)).toBeUndefined()
  expect(weaknessOf('Mallory-of-Fen', { ...password, names: ['', 'mallory-of-fen'] })).toBe('repeats a name')
})

test.each(['kettle-orbit-92-marzipan', 'gobbledygook orchid tram', 'Vq3$wZ8!rTn5', '48a1c5e09b7d', 'Tr0ub4dor&3xile'])(
  '%j is taken',
  (secret) => expect(weaknessOf(secret, password)).toBeUndefined(),
)

test('what a random source gives is taken', () => {
  for (let round = 0; round < 500; round++) {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      expect(weaknessOf(randomBytes(24).toString(encoding), { leastChars: 32 })).toBeUndefined()
      expect(weaknessOf(randomBytes(12).toString(encoding), password)).toBeUndefined()
    }
  }
})

const database = (url: string) => ({ env: { CASTELLAN_DATABASE__URL: url } })

test.each([
  'postgres://castellan:changeme@db/castellan',
  'postgres://castellan:castellan@localhost/castellan',
  'postgres://postgres:postgres@127.0.0.1:5432/castellan',
  'postgresql://ana:p%61ssword@db/castellan',
  'postgres://ana@db/castellan?password=changeme',
  'postgres://ana:x7Kp2mQ9vLt@db/castellan',
  'postgres://north-wind-9:north-wind-9@db/castellan',
  'postgres://ana:abcdefghijklmnop@%2Fvar%2Frun%2Fpostgresql/castellan',
])('a start with the database %s is refused without telling the password', (url) => {
  const { code, message, hint } = problemOf(database(url))
  expect(code).toBe('config.value')
  expect(message).toMatch(/^CASTELLAN_DATABASE__URL: `database.url`: the password /)
  expect(message + hint).not.toMatch(/changeme|ssword@|p%61|x7Kp2|north-wind|abcdef|:castellan|:postgres/)
})

test.each(['db', '10.0.0.7', '[fd00::1]', 'db.example.com:5432'])(
  'a database on %s needs a password or a certificate',
  (host) => {
    expect(problemOf(database(`postgres://ana@${host}/castellan`)).message).toContain('expected a password')
    const url = `postgres://ana@${host}/castellan?sslcert=/tls/ana.crt&sslkey=/tls/ana.key`
    expect(load(database(url)).config.database.url.reveal()).toBe(url)
  },
)

test.each([
  'postgres://ana@localhost/castellan',
  'postgres://ana@127.0.0.1:5432/castellan',
  'postgres://ana@[::1]/castellan',
  'postgres://ana@%2Fvar%2Frun%2Fpostgresql/castellan',
  'postgres:///castellan?host=/var/run/postgresql',
  'postgres:///castellan',
])('the database %s of this machine may trust its accounts', (url) => {
  expect(load(database(url)).config.database.url.reveal()).toBe(url)
})

test('a host in the query decides where the database is', () => {
  expect(problemOf(database('postgres://ana@localhost/x?host=10.0.0.7')).message).toContain('expected a password')
  expect(problemOf(database('postgres://ana@localhost/x?host=/run&host=10.0.0.7')).message).toContain('password')
})

const good = '7Qm2vR9xKp4LwZ8tNc3YbH6sJd1FgA5e'

test('the token for metrics has at least 32 characters of its own', () => {
  const token = (text: string) => ({ env: { CASTELLAN_TELEMETRY__METRICS_TOKEN: text } })
  expect(load(token(good)).config.telemetry.metricsToken?.reveal()).toBe(good)
  for (const weak of [good.slice(1), 'a'.repeat(32), 'changeme'.repeat(4), `${good} `, `${good},`, `<${good}>`]) {
    const { message, hint } = problemOf(token(weak))
    expect(message).toMatch(/`telemetry.metricsToken`: the token (is|has|can) .*`openssl rand -hex 32` makes one$/)
    expect(message + hint).not.toContain(weak)
  }
})

test('the headers for a receiver are pairs, and none has a placeholder', () => {
  const headers = (text: string) => ({ env: { CASTELLAN_TELEMETRY__OTLP_HEADERS: text } })
  const given = `authorization=Bearer ${good}, x-scope=north`
  expect(load(headers(given)).config.telemetry.otlpHeaders?.reveal()).toBe(given)
  for (const wrong of [good, `=${good}`, `a b=${good}`, 'a=', `a=${good},`, `a=x\u0000`]) {
    const { message, hint } = problemOf(headers(wrong))
    expect(message).toMatch(/expected (`name=value,name=value`|no control characters)$/)
    expect(message + hint).not.toContain(good)
  }
  for (const weak of ['api-key=changeme', 'x=1,api-key=<your key>', 'api-key=your-api-key']) {
    expect(problemOf(headers(weak)).message).toContain('a value is a placeholder or a known default')
  }
})

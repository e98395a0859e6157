import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openTelemetry } from '../../../test/world/telemetry.ts'
import { prettyLine } from './log-line.ts'

interface Line {
  readonly time: string
  readonly level: string
  readonly msg: string
  readonly 'event.name': string
  readonly [name: string]: unknown
}

const parse = (line: string) => JSON.parse(line) as Line

test('a line is one JSON object with time, level, event and sentence', async () => {
  const { telemetry, lines } = await openTelemetry()
  const ids = { request_id: '01a203e8-3947-70e9-ae22-453517bb2174', trace_id: '0af7651916cd43dd8448eb211c80319c' }
  telemetry.log.info('test.noted', 'something was noted', { ...ids, span_id: 'b7ad6b7169203331', count: 3 })
  expect(lines).toHaveLength(1)
  const line = parse(lines[0] ?? '')
  expect(line).toMatchObject({
    level: 'info',
    'event.name': 'test.noted',
    msg: 'something was noted',
    ...ids,
    count: 3,
  })
  expect(new Date(line.time).toISOString()).toBe(line.time)
  expect(Object.keys(line)).not.toContain('hostname')
})

const canaries = {
  token: `cst_${'k'.repeat(43)}`,
  session: `css_${'k'.repeat(43)}`,
  password: 'correct-horse-battery-staple',
  code: '492817',
  cookie: 'sid=canary-cookie',
}

test('no secret reaches the log, at any depth, in fields, names, errors and sentences', async () => {
  const { telemetry, lines } = await openTelemetry({ logLevel: 'debug' })
  const { token, session, password, code, cookie } = canaries
  const deep = {
    a: [{ b: { c: { headers: { authorization: `Bearer ${token}`, cookie } }, password, code, [token]: 1 } }],
  }
  telemetry.log.error('test.broken', `it broke with ${token}`, {
    deep,
    error: new Error(`refused ${session}`, { cause: new Error(`password=${password}`) }),
    request_id: token,
    trace_id: password,
    url: `https://ana:${password}@books.test/?token=${token}`,
  })
  const text = lines.join('')
  for (const secret of [...Object.values(canaries), password]) expect(text).not.toContain(secret)
  expect(text).toContain('test.broken')
})

test('no value can begin a line, end one, or steer a terminal', async () => {
  const { telemetry, lines } = await openTelemetry()
  const hostile = 'a\r\n{"level":"info","msg":"forged"}\u001b[2J\u009b2J\u2028\u202e\u0000\u007f'
  telemetry.log.warn('test.noted', hostile, { [hostile]: hostile, list: [hostile] })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^[\u0020-\u007e]*\n$/)
  expect(parse(lines[0] ?? '').msg).toBe(hostile)
})

test('whatever is logged, the log has as many lines as there were calls, each of them plain JSON', async () => {
  const { telemetry, lines } = await openTelemetry()
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'binary' }),
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
      async (says, fields) => {
        const before = lines.length
        telemetry.log.info('test.noted', says, fields)
        expect(lines).toHaveLength(before + 1)
        const line = lines.at(-1) ?? ''
        expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(line).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
        expect(parse(line)).toMatchObject({ level: 'info', 'event.name': 'test.noted' })
        expect(prettyLine(line).split('\n')).toHaveLength(2)
      },
    ),
  )
})

test('a field cannot stand in for what the line itself says', async () => {
  const { telemetry, lines } = await openTelemetry()
  telemetry.log.info('test.noted', 'true', { level: 'error', time: 'never', msg: 'false', 'event.name': 'other' })
  expect(lines[0]?.match(/"level"|"time"|"msg"|"event\.name"/g)).toHaveLength(4)
  expect(parse(lines[0] ?? '')).toMatchObject({ level: 'info', msg: 'true', 'event.name': 'test.noted' })
})

test('the level changes from one line to the next', async () => {
  const { telemetry, lines } = await openTelemetry({ logLevel: 'warn' })
  const { log } = telemetry
  log.info('test.noted', 'one')
  log.setLevel('debug')
  expect(log.isOn('debug')).toBe(true)
  log.debug('test.noted', 'two')
  log.setLevel('error')
  log.warn('test.noted', 'three')
  expect(lines.map((line) => parse(line).msg)).toEqual(['two'])
})

test('for eyes a line has the time of day, the level and what it says', () => {
  const json =
    '{"level":"warn","time":"2026-01-02T03:04:05.678Z","event.name":"a.b","count":3,"msg":"it \\u001b[2J went"}\n'
  expect(prettyLine(json)).toBe('03:04:05.678 WARN  it \\u001b[2J went event.name=a.b count=3\n')
})

import { expect, test } from 'vitest'
import { parseDecimal } from './decimal.ts'
import { parseDatetime, parseDuration, toDate, toTime, wholeUnits } from './time.ts'

const dayMs = 86_400_000n
const bad = { kind: 'wrong', because: 'unparsable' }

test.each([
  ['1970-01-01', 0n],
  ['1969-12-31', -dayMs],
  ['2024-02-29', BigInt(Date.UTC(2024, 1, 29))],
  ['0000-01-01', -62_167_219_200_000n],
  ['9999-12-31T23:59:59.999Z', 253_402_300_799_999n],
  ['1970-01-01T01:02:03Z', 3_723_000n],
  ['1970-01-01T00:00:00.004Z', 4n],
  ['1970-01-01T00:00:00+0100', -3_600_000n],
  ['1970-01-01T00:00:00-0130', 5_400_000n],
  ['1970-01-01T00:00:00.001+2359', 1n - 86_340_000n],
])('the moment %s is %s', (text, ms) => {
  expect(parseDatetime(text)).toEqual({ kind: 'datetime', ms })
})

test.each([
  '',
  '1970-1-1',
  '1970-13-01',
  '1970-00-01',
  '1970-02-30',
  '2023-02-29',
  '1970-01-01T24:00:00Z',
  '1970-01-01T23:60:00Z',
  '1970-01-01T23:59:60Z',
  '1970-01-01T00:00:00',
  '1970-01-01T00:00:00.1Z',
  '1970-01-01T00:00:00+2400',
  '1970-01-01T00:00:00+2360',
  '1970-01-01T00:00:00+01:00',
  ' 1970-01-01',
  '1970-01-01\n',
  '１970-01-01',
])('%j is no moment', (text) => {
  expect(parseDatetime(text)).toEqual({ ...bad, says: 'a text is no datetime' })
})

test.each([
  ['1d2h3m4s5ms', 93_784_005n],
  ['-1d', -dayMs],
  ['0ms', 0n],
  ['-0s', 0n],
  ['90m', 5_400_000n],
  ['1ms', 1n],
  ['9223372036854775807ms', 2n ** 63n - 1n],
  ['-9223372036854775808ms', -(2n ** 63n)],
  [`${'0'.repeat(107)}1ms`, 1n],
])('the duration %s is %s', (text, ms) => {
  expect(parseDuration(text)).toEqual({ kind: 'duration', ms })
})

test.each(['', '-', '1', '1h1d', '1.5h', '+1h', '1H', ' 1h', '1d 1h', `${'0'.repeat(108)}1ms`])(
  '%j is no duration',
  (text) => {
    expect(parseDuration(text)).toEqual({ ...bad, says: 'a text is no duration' })
  },
)

test('a duration of more than 64 bits is none', () => {
  for (const text of ['9223372036854775808ms', '-9223372036854775809ms', '106751991168d']) {
    expect(parseDuration(text)).toEqual({ ...bad, says: 'a duration is beyond 64 bits' })
  }
})

test.each([
  [0n, 0n, 0n],
  [1n, 0n, 1n],
  [dayMs, dayMs, 0n],
  [-1n, -dayMs, dayMs - 1n],
  [-dayMs, -dayMs, 0n],
  [-dayMs - 1n, -2n * dayMs, dayMs - 1n],
])('%s has its midnight at %s, and its time is %s', (ms, midnight, since) => {
  expect(toDate({ kind: 'datetime', ms })).toEqual({ kind: 'datetime', ms: midnight })
  expect(toTime({ kind: 'datetime', ms })).toEqual({ kind: 'duration', ms: since })
})

test('a midnight beyond 64 bits overflows, and units are cut towards zero', () => {
  expect(toDate({ kind: 'datetime', ms: -(2n ** 63n) })).toEqual({
    kind: 'wrong',
    because: 'overflow',
    says: 'a datetime is beyond 64 bits',
  })
  const duration = { kind: 'duration', ms: -3_661_001n } as const
  const units = (['d', 'h', 'm', 's', 'ms'] as const).map((unit) => wholeUnits(duration, unit))
  expect(units).toEqual([0n, -1n, -61n, -3_661n, -3_661_001n])
})

test.each([
  ['1.0', 10_000n],
  ['-1.5', -15_000n],
  ['0.0001', 1n],
  ['-0.0', 0n],
  ['12.3456', 123_456n],
  ['007.10', 71_000n],
  ['922337203685477.5807', 2n ** 63n - 1n],
  ['-922337203685477.5808', -(2n ** 63n)],
])('the decimal %s is %s ten-thousandths', (text, units) => {
  expect(parseDecimal(text)).toEqual({ kind: 'decimal', units })
})

test.each(['', '1', '1.', '.5', '1.23456', '+1.0', '1,0', '1e3', ' 1.0', '1.0 ', '--1.0'])(
  '%j is no decimal',
  (text) => {
    expect(parseDecimal(text)).toEqual({ ...bad, says: 'a text is no decimal' })
  },
)

test('a decimal of more than 64 bits is none', () => {
  for (const text of ['922337203685477.5808', '-922337203685477.5809']) {
    expect(parseDecimal(text)).toEqual({ ...bad, says: 'a decimal is beyond 64 bits' })
  }
})

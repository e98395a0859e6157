import { expect, test } from 'vitest'
import { readCount, readDuration, showTime } from './duration.ts'

test.each([
  ['90s', 90],
  ['30m', 1_800],
  ['1h', 3_600],
  ['7d', 604_800],
  ['3650d', 315_360_000],
])('%s is %i seconds', (text, seconds) => {
  expect(readDuration(text)).toBe(seconds)
})

test.each(['', '0s', '1', '1w', '-1h', '1.5h', '1h30m', '3651d', '1 h', '９h'])('%j is not a duration', (text) => {
  expect(() => readDuration(text)).toThrow(expect.objectContaining({ code: 'cli.bad-duration' }))
})

test('a number keeps to its bounds', () => {
  const bounds = { name: '--days', min: 1, max: 365 }
  expect(readCount('1', bounds)).toBe(1)
  expect(readCount('365', bounds)).toBe(365)
  for (const text of ['0', '366', '-1', '1.5', '', '1e2', ' 1']) {
    expect(() => readCount(text, bounds)).toThrow(expect.objectContaining({ code: 'cli.bad-number' }))
  }
})

test('times are shown in UTC, and what is no time is shown as it is', () => {
  expect(showTime(0)).toBe('1970-01-01T00:00:00Z')
  expect(showTime('2030-01-02T03:04:05.678Z')).toBe('2030-01-02T03:04:05Z')
  expect(showTime('soon')).toBe('soon')
  expect(showTime(null)).toBeUndefined()
})

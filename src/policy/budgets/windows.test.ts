import { expect, test } from 'vitest'
import { createWindows } from './windows.ts'

const iso = ({ startsAt, endsAt }: { startsAt: number; endsAt: number }) =>
  [startsAt, endsAt].map((ms) => new Date(ms).toISOString())

test('days are those of the zone, also where they have 23 or 25 hours', () => {
  const find = createWindows('Europe/Berlin')
  const day = (at: string) => iso(find('day', Date.parse(at)))
  expect(day('2026-03-29T12:00:00Z')).toEqual(['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'])
  expect(day('2026-10-25T00:30:00Z')).toEqual(['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'])
  expect(day('2026-10-25T22:59:59.999Z')).toEqual(['2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'])
  expect(day('2026-10-25T23:00:00Z')).toEqual(['2026-10-25T23:00:00.000Z', '2026-10-26T23:00:00.000Z'])
})

test('a day that begins at one, because the clock leaves midnight out, begins there', () => {
  const find = createWindows('Asia/Beirut')
  expect(iso(find('day', Date.parse('2026-03-29T09:00:00Z')))).toEqual([
    '2026-03-28T22:00:00.000Z',
    '2026-03-29T21:00:00.000Z',
  ])
})

test('months are those of the zone, of any length', () => {
  const find = createWindows('America/New_York')
  const month = (at: string) => iso(find('month', Date.parse(at)))
  expect(month('2026-03-01T04:59:59.999Z')).toEqual(['2026-02-01T05:00:00.000Z', '2026-03-01T05:00:00.000Z'])
  expect(month('2026-03-31T12:00:00Z')).toEqual(['2026-03-01T05:00:00.000Z', '2026-04-01T04:00:00.000Z'])
  expect(month('2028-02-29T12:00:00Z')).toEqual(['2028-02-01T05:00:00.000Z', '2028-03-01T05:00:00.000Z'])
})

test('hours are those of UTC and follow one another without a gap, in every zone', () => {
  const find = createWindows('Asia/Kolkata')
  expect(iso(find('hour', Date.parse('2026-10-25T01:59:59.999Z')))).toEqual([
    '2026-10-25T01:00:00.000Z',
    '2026-10-25T02:00:00.000Z',
  ])
  expect(iso(find('hour', Date.parse('2026-10-25T02:00:00Z')))).toEqual([
    '2026-10-25T02:00:00.000Z',
    '2026-10-25T03:00:00.000Z',
  ])
})

test('a clock that is set back finds the window it is in', () => {
  const find = createWindows('UTC')
  const day = (at: string) => iso(find('day', Date.parse(at)))[0]
  expect(day('2026-05-02T00:00:00Z')).toBe('2026-05-02T00:00:00.000Z')
  expect(day('2026-05-01T23:59:59.999Z')).toBe('2026-05-01T00:00:00.000Z')
})

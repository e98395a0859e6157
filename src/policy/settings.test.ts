import { expect, test } from 'vitest'
import { createSurroundings } from './settings.ts'

const networks = [
  { name: 'office', addresses: ['10.0.0.0/8', '2001:db8::/32'] },
  { name: 'desk', addresses: ['10.1.2.3'] },
]
const make = (timeZone = 'UTC') => createSurroundings({ policy: { timeZone, networks } })

test('unless it is told otherwise, one person changes the policy and nothing is judged again', () => {
  expect(make()).toMatchObject({
    timeZone: 'UTC',
    networkNames: ['office', 'desk'],
    isFourEyes: false,
    rejudgeShare: 0,
  })
  const told = createSurroundings({
    policy: { timeZone: 'UTC', networks: [], fourEyes: true, rejudgedPerMillion: 250_000 },
  })
  expect(told).toMatchObject({ networkNames: [], isFourEyes: true, rejudgeShare: 0.25 })
})

test.each([
  ['10.1.2.3', ['office', 'desk']],
  ['10.1.2.4', ['office']],
  ['::ffff:10.1.2.3', ['office', 'desk']],
  ['2001:db8::1', ['office']],
  ['11.0.0.1', []],
  ['no address', []],
])('%s lies in %j', (address, names) => {
  const zones = make().zonesOf(address)
  expect(['office', 'desk'].filter((name) => zones.has(name))).toEqual(names)
  expect(zones.size).toBe(names.length)
})

test.each([
  ['UTC', '2026-07-15T00:00:00Z', { date: '2026-07-15', weekday: 'wednesday', hour: 0, minute: 0 }],
  ['UTC', '2026-07-15T23:59:59.999Z', { date: '2026-07-15', weekday: 'wednesday', hour: 23, minute: 59 }],
  ['Europe/Berlin', '2026-07-15T22:30:00Z', { date: '2026-07-16', weekday: 'thursday', hour: 0, minute: 30 }],
  ['Europe/Berlin', '2026-03-29T00:59:00Z', { date: '2026-03-29', weekday: 'sunday', hour: 1, minute: 59 }],
  ['Europe/Berlin', '2026-03-29T01:00:00Z', { date: '2026-03-29', weekday: 'sunday', hour: 3, minute: 0 }],
  ['Europe/Berlin', '2026-10-25T01:00:00Z', { date: '2026-10-25', weekday: 'sunday', hour: 2, minute: 0 }],
  ['Asia/Kathmandu', '2026-12-31T18:15:00Z', { date: '2027-01-01', weekday: 'friday', hour: 0, minute: 0 }],
  ['America/St_Johns', '2026-01-01T03:29:00Z', { date: '2025-12-31', weekday: 'wednesday', hour: 23, minute: 59 }],
  ['UTC', '1969-12-31T23:59:59Z', { date: '1969-12-31', weekday: 'wednesday', hour: 23, minute: 59 }],
])('in %s it is, at %s, %j', (timeZone, at, expected) => {
  const { timeAt } = make(timeZone)
  const shown = () => {
    const time = timeAt(Date.parse(at))
    return Object.fromEntries([...time.names()].map((name) => [name, time.get(name)]))
  }
  expect(shown()).toEqual(expected)
  expect(shown()).toEqual(expected)
})

test('one minute is told from the next', () => {
  const { timeAt } = make()
  const at = Date.parse('2026-07-15T10:20:59.999Z')
  expect(timeAt(at)).toBe(timeAt(at - 59_999))
  expect([timeAt(at).get('minute'), timeAt(at + 1).get('minute'), timeAt(at).get('minute')]).toEqual([20, 21, 20])
})

test('what is no zone and what is no network is refused', () => {
  expect(() => make('Europe/Nowhere')).toThrow(RangeError)
  const odd = [{ name: 'odd', addresses: ['10.0.0.0/33'] }]
  expect(() => createSurroundings({ policy: { timeZone: 'UTC', networks: odd } })).toThrow(/policy\.networks/)
})

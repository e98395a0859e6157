import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { createAllowances } from './allowances.ts'

const windowMs = 60_000

function world(maxKeys = 1_000) {
  const clock = createTestClock()
  const ended: [string, number][] = []
  const allowances = createAllowances<string>({
    clock,
    windowMs,
    maxKeys,
    keyOf: (name) => name.toLowerCase(),
    onExceeded: ({ subject, more }) => void ended.push([subject, more]),
  })
  onTestFinished(() => allowances.close())
  return { clock, ended, allowances }
}

test('as many as allowed pass, one more does not, and after the time it is told one does', () => {
  const { clock, allowances } = world()
  for (let sent = 0; sent < 100; sent++) expect(allowances.spend('a', 100)).toBeUndefined()
  expect(allowances.spend('a', 100)).toEqual({ retryAfterSeconds: 60, isFirst: true })
  clock.advance(1_500)
  expect(allowances.spend('a', 100)).toEqual({ retryAfterSeconds: 59, isFirst: false })
  clock.advance(58_499)
  expect(allowances.spend('a', 100)).toEqual({ retryAfterSeconds: 1, isFirst: false })
  clock.advance(1)
  expect(allowances.spend('a', 100)).toBeUndefined()
})

test('what has one key shares one allowance, another key has its own', () => {
  const { allowances } = world()
  expect([allowances.spend('a', 1), allowances.spend('A', 1) === undefined]).toEqual([undefined, false])
  expect(allowances.spend('b', 1)).toBeUndefined()
})

test('a limit that changes counts at once', () => {
  const { allowances } = world()
  expect([allowances.spend('a', 2), allowances.spend('a', 2)]).toEqual([undefined, undefined])
  expect(allowances.spend('a', 3)).toBeUndefined()
  expect(allowances.spend('a', 2)).toMatchObject({ isFirst: true })
})

test('the end of a window tells once how many came after the first refusal', async () => {
  const { clock, ended, allowances } = world()
  for (let sent = 0; sent < 10; sent++) allowances.spend('a', 2)
  allowances.spend('b', 2)
  clock.advance(windowMs)
  expect(ended).toEqual([])
  await vi.waitFor(() => expect(ended).toEqual([['a', 7]]), { timeout: 5_000 })
  expect(allowances.size).toBe(0)
})

test('closing tells what is open, and a key that comes again tells its last window', () => {
  const { clock, ended, allowances } = world()
  for (let sent = 0; sent < 3; sent++) allowances.spend('a', 1)
  clock.advance(windowMs)
  allowances.spend('a', 1)
  expect(ended).toEqual([['a', 1]])
  allowances.spend('a', 1)
  allowances.close()
  expect(ended).toEqual([
    ['a', 1],
    ['a', 0],
  ])
})

test('memory is bounded: the oldest window is forgotten, and a newcomer is never refused for it', () => {
  const { ended, allowances } = world(100)
  allowances.spend('first', 1)
  allowances.spend('first', 1)
  for (let key = 0; key < 10_000; key++) expect(allowances.spend(`key ${key}`, 1)).toBeUndefined()
  expect(allowances.size).toBe(100)
  expect(ended).toEqual([['first', 0]])
})

test('a clock that is set back locks nobody out', () => {
  const { clock, allowances } = world()
  allowances.spend('a', 1)
  clock.advance(-3_600_000)
  expect(allowances.spend('a', 1)).toBeUndefined()
  expect(allowances.spend('a', 1)).toMatchObject({ retryAfterSeconds: 60 })
})

test('in no window do more pass than allowed, and whoever waits as told is served', () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(40_000), isObedient: fc.boolean() }), { maxLength: 200 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 5 }), (all, limit) => {
      const { clock, allowances } = world()
      let startedAt = Number.NEGATIVE_INFINITY
      let passed = 0
      for (const { waitMs, isObedient } of all) {
        const beyond = allowances.spend('a', limit)
        if (clock.now() >= startedAt + windowMs) {
          startedAt = clock.now()
          passed = 0
        }
        if (beyond === undefined) passed += 1
        expect(passed).toBeLessThanOrEqual(limit)
        if (beyond !== undefined && isObedient) {
          clock.advance(beyond.retryAfterSeconds * 1_000)
          expect(allowances.spend('a', limit)).toBeUndefined()
          startedAt = clock.now()
          passed = 1
        }
        clock.advance(waitMs)
      }
      allowances.close()
    }),
    { numRuns: 200 },
  )
})

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createPace } from './pace.ts'
import { createMeter } from './progress.ts'

test('how far it has come goes by the stretch of the ledger, and never back', () => {
  const meter = createMeter({ first: 101, before: 201 })
  expect(meter.read(0)).toMatchObject({ before: 201, done: 0 })
  expect(meter.read(0)).not.toHaveProperty('secondsLeft')
  meter.reach(176)
  expect(meter.read(3)).toMatchObject({ before: 176, done: 0.25 })
  meter.reach(190)
  expect(meter.read(3)).toMatchObject({ before: 176, done: 0.25 })
  meter.reach(101)
  expect(meter.read(9)).toMatchObject({ before: 101, done: 1, secondsLeft: 0 })
  meter.reach(1)
  expect(meter.read(9)).toMatchObject({ before: 1, done: 1 })
})

test('where a number of calls ends it, whichever comes first counts', () => {
  const meter = createMeter({ first: 1, before: 101, mostCalls: 10 })
  meter.reach(91)
  expect(meter.read(5).done).toBe(0.5)
  expect(meter.read(10).done).toBe(1)
  expect(meter.read(11).done).toBe(1)
  meter.reach(11)
  expect(meter.read(5).done).toBe(0.9)
})

test('a stretch of nothing is done', () => {
  expect(createMeter({ first: 5, before: 5 }).read(0).done).toBe(1)
  expect(createMeter({ first: 7, before: 5 }).read(0).done).toBe(1)
  expect(createMeter({ first: 4, before: 5 }).read(0).done).toBe(0)
})

test('the pace, the time it took and the time that is left are told in seconds; progress is due once a second', async () => {
  const began = performance.now()
  const meter = createMeter({ first: 1, before: 101 })
  expect(meter.isDue()).toBe(false)
  meter.reach(76)
  await sleep(500)
  meter.isDue()
  await sleep(510)
  expect(meter.isDue()).toBe(true)
  expect(meter.isDue()).toBe(false)
  const { seconds, callsPerSecond, secondsLeft = 0 } = meter.read(500)
  const passed = (performance.now() - began) / 1_000
  expect(seconds).toBeGreaterThanOrEqual(1)
  expect(seconds).toBeLessThanOrEqual(passed + 0.06)
  expect(seconds * 10).toBeCloseTo(Math.round(seconds * 10), 5)
  expect(callsPerSecond).toBeGreaterThan(500 / (passed + 0.1))
  expect(callsPerSecond).toBeLessThanOrEqual(500 / 1)
  expect(Number.isInteger(callsPerSecond)).toBe(true)
  expect(secondsLeft).toBeGreaterThanOrEqual(3)
  expect(secondsLeft).toBeLessThanOrEqual(Math.ceil(3 * passed))
})

function work(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('who works waits as long as the share asks for, and not before its slice is used up', async () => {
  const { signal } = new AbortController()
  const rest = createPace({ sliceMs: 20, share: 0.25 }, signal)
  expect(rest()).toBeUndefined()
  work(21)
  const began = performance.now()
  const waiting = rest()
  expect(waiting).toBeInstanceOf(Promise)
  await waiting
  expect(performance.now() - began).toBeGreaterThanOrEqual(60)
  expect(performance.now() - began).toBeLessThan(2_000)
  // WHY: the time that was waited is no work.
  expect(rest()).toBeUndefined()
})

test('a share of all of the time waits for nothing but its turn', async () => {
  const rest = createPace({ sliceMs: 5, share: 1 }, new AbortController().signal)
  work(40)
  const began = performance.now()
  await rest()
  expect(performance.now() - began).toBeLessThan(1_000)
})

test('who stops it does not wait for it', async () => {
  const stop = new AbortController()
  const rest = createPace({ sliceMs: 5, share: 0.001 }, stop.signal)
  work(20)
  const began = performance.now()
  const waiting = rest()
  stop.abort()
  await waiting
  expect(performance.now() - began).toBeLessThan(2_000)
})

import { expect, test } from 'vitest'
import { EventRate } from './event-rate.ts'

test('two seconds of events may come at once; one more is held back', () => {
  const rate = new EventRate(1_000, 0)
  expect(rate.count(2_000, 1_000, 0)).toBeUndefined()
  expect(rate.count(1, 1_000, 0)).toEqual({ atOnce: 0, holdMs: 1 })
})

test('the rate can be kept up for ever', () => {
  const rate = new EventRate(1_000, 0)
  for (let second = 1; second <= 3_600; second += 1) expect(rate.count(1_000, 1_000, second * 1_000)).toBeUndefined()
})

test('who comes again after each pause with more than the rate is given up after ten seconds of pauses', () => {
  const rate = new EventRate(1_000, 0)
  let nowMs = 0
  let heldMs = 0
  for (;;) {
    const pace = rate.count(4_000, 1_000, nowMs)
    if (pace === 'too-fast') break
    heldMs += pace?.holdMs ?? 0
    nowMs += pace?.holdMs ?? 0
  }
  expect(heldMs).toBeGreaterThanOrEqual(10_000)
  expect(heldMs).toBeLessThan(30_000)
})

test('pauses are forgotten once the source has kept to the rate for a whole burst', () => {
  const rate = new EventRate(100, 0)
  let nowMs = 0
  for (let times = 0; times < 20; times += 1) {
    expect(rate.count(700, 100, nowMs)).toEqual({ atOnce: 200, holdMs: 5_000 })
    nowMs += 7_000
  }
})

test('a rate that was changed meanwhile counts from then on', () => {
  const rate = new EventRate(10, 0)
  expect(rate.count(120, 10, 0)).toEqual({ atOnce: 20, holdMs: 10_000 })
  expect(rate.count(50, 1_000, 1_000)).toBeUndefined()
})

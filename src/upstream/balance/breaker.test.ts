import { expect, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { Breaker } from './breaker.ts'

function world() {
  const clock = createTestClock()
  const told: string[] = []
  const settings = { current: { breakerFailures: 5, breakerOpenMs: 60_000 } }
  const onOpened = () => void told.push('opened')
  const breaker = new Breaker({ clock, settings, onOpened, onClosed: () => void told.push('closed') })
  const fail = (times: number) => {
    for (let time = 0; time < times; time += 1) breaker.failed(false)
  }
  return { clock, told, settings, breaker, fail }
}

test('four failures in a row leave it closed, the fifth opens it', () => {
  const { breaker, told, fail } = world()
  fail(4)
  expect([breaker.isPassable, breaker.isOpen]).toEqual([true, false])
  fail(1)
  expect([breaker.isPassable, breaker.isOpen, breaker.waitMs]).toEqual([false, true, 60_000])
  expect(told).toEqual(['opened'])
})

test('a call that ends well in between begins the count anew', () => {
  const { breaker, fail } = world()
  fail(4)
  breaker.succeeded(false)
  fail(4)
  expect(breaker.isOpen).toBe(false)
})

test('after 60 seconds, and not before, one call passes and no other', () => {
  const { breaker, clock, fail } = world()
  fail(5)
  clock.advance(59_999)
  expect(breaker.isPassable).toBe(false)
  clock.advance(1)
  expect(breaker.isPassable).toBe(true)
  breaker.beginProbe()
  expect(breaker.isPassable).toBe(false)
})

test('a probe that ends well closes it, one that fails opens it for another period', () => {
  const { breaker, clock, told, fail } = world()
  fail(5)
  clock.advance(60_000)
  breaker.beginProbe()
  breaker.failed(true)
  expect(breaker.waitMs).toBe(60_000)
  clock.advance(60_000)
  breaker.beginProbe()
  breaker.succeeded(true)
  expect([breaker.isOpen, breaker.isPassable]).toEqual([false, true])
  expect(told).toEqual(['opened', 'closed'])
  fail(4)
  expect(breaker.isOpen).toBe(false)
})

test('a probe whose caller left lets the next call be one; a probe that never ends keeps others out for one period', () => {
  const { breaker, clock, fail } = world()
  fail(5)
  clock.advance(60_000)
  breaker.beginProbe()
  breaker.probeLeft()
  expect(breaker.isPassable).toBe(true)
  breaker.beginProbe()
  clock.advance(59_999)
  expect(breaker.isPassable).toBe(false)
  clock.advance(1)
  expect(breaker.isPassable).toBe(true)
})

test('what calls of before the opening come to, changes nothing', () => {
  const { breaker, clock, told, fail } = world()
  fail(5)
  clock.advance(30_000)
  breaker.succeeded(false)
  fail(5)
  expect([breaker.isOpen, breaker.waitMs]).toEqual([true, 30_000])
  expect(told).toEqual(['opened'])
})

test('a clock that jumps back keeps it open for one period and no longer', () => {
  const { breaker, clock, fail } = world()
  fail(5)
  clock.advance(-2 * 3_600_000)
  expect(breaker.waitMs).toBe(60_000)
  clock.advance(60_000)
  expect(breaker.isPassable).toBe(true)
})

test('other settings count from the next question on', () => {
  const { breaker, clock, settings, fail } = world()
  settings.current = { breakerFailures: 2, breakerOpenMs: 1_000 }
  fail(2)
  expect(breaker.isOpen).toBe(true)
  clock.advance(1_000)
  expect(breaker.isPassable).toBe(true)
})

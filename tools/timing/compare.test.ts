import { expect, test } from 'vitest'
import { compare } from './compare.ts'

const around = (middle: number, count: number) =>
  Array.from({ length: count }, (_, at) => middle + Math.sin(at * 12.9898) * 5)

test('times of one kind are told apart by nobody', () => {
  const { likelihood, deviation } = compare(around(50, 4_000), around(50, 4_000).toReversed())
  expect(Math.abs(likelihood - 0.5)).toBeLessThan(3 * deviation)
})

test('a twentieth of difference is found', () => {
  const { likelihood, p50Ms } = compare(around(52.5, 4_000), around(50, 4_000))
  expect(likelihood).toBeGreaterThan(0.55)
  expect(p50Ms[0]).toBeGreaterThan(p50Ms[1])
})

test('equal times share their rank', () => {
  expect(compare([1, 1, 1], [1, 1]).likelihood).toBe(0.5)
  expect(compare([2, 2], [1, 1]).likelihood).toBe(1)
  expect(compare([1, 1], [2, 2]).likelihood).toBe(0)
})

test('pairs that are slow together do not hide that one of each is slower', () => {
  const slow = around(50, 4_000).map((ms, pair) => ms * (1 + (pair % 40)))
  const { pairedLikelihood, likelihood } = compare(
    slow.map((ms) => ms + 0.1),
    slow,
  )
  expect(Math.abs(likelihood - 0.5)).toBeLessThan(0.01)
  expect(pairedLikelihood).toBe(1)
  expect(compare([1, 2, 3], [1, 2, 3]).pairedLikelihood).toBe(0.5)
})

import { expect, test } from 'vitest'
import { median, quantile, spread } from './statistics.ts'

test('a median is the middle sample, or the mean of the two in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7]), median([])]).toEqual([2, 2.5, 7, 0])
})

test('a quantile is a sample, the highest at most', () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([quantile(sorted, 0), quantile(sorted, 0.5), quantile(sorted, 0.99), quantile(sorted, 1)]).toEqual([
    1, 51, 100, 100,
  ])
  expect(quantile([], 0.5)).toBe(0)
})

test('a spread is the distance of the extremes as a share of the median', () => {
  expect([spread([90, 100, 110]), spread([5]), spread([])]).toEqual([0.2, 0, 0])
})

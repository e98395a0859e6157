import { expect, test } from 'vitest'
import { createDecisionCache } from './decision-cache.ts'

test('what is asked for again stays, what is not is forgotten', () => {
  const cache = createDecisionCache<number>(4)
  cache.set('kept', 1)
  cache.set('idle', 2)
  for (let index = 0; index < 20; index++) {
    cache.set(`other ${index}`, index)
    expect(cache.get('kept')).toBe(1)
  }
  expect(cache.get('idle')).toBeUndefined()
})

function filled(entries: number) {
  const cache = createDecisionCache<number>(4)
  for (let key = 1; key <= entries; key++) cache.set(String(key), key)
  return cache
}

test('a cache holds its limit, and one more entry pushes the oldest generation out', () => {
  expect([1, 2, 3, 4].map((key) => filled(4).get(String(key)))).toEqual([1, 2, 3, 4])
  expect([1, 2, 3, 4, 5].map((key) => filled(5).get(String(key)))).toEqual([undefined, undefined, 3, 4, 5])
})

import { expect, test } from 'vitest'
import { sum } from './uses.ts'

const early = { uses: 2, lastAt: 10, seq: 7, ledger: 'a' }
const late = { uses: 3, lastAt: 11, seq: 1, ledger: 'b' }

test('of several uses the latest is told, with the uses of all', () => {
  expect(sum([])).toBeUndefined()
  expect(sum([undefined, undefined])).toBeUndefined()
  expect(sum([undefined, early, undefined])).toEqual(early)
  expect(sum([early, late])).toEqual({ ...late, uses: 5 })
  expect(sum([late, undefined, early])).toEqual({ ...late, uses: 5 })
  expect(sum([early, late, early])).toEqual({ ...late, uses: 7 })
})

test('of two at one moment the first is told', () => {
  expect(sum([early, { ...late, lastAt: 10 }])).toEqual({ ...early, uses: 5 })
})

import { describe, expect, test } from 'vitest'
import { andOf, eitherOf, mayBeFalse, mayBeTrue, mayBeWrong, mayOf, notOf, orOf } from './certainty.ts'
import { neverFalse, neverTrue, type Result, unknown, wrong } from './values.ts'

type Outcome = typeof mayBeTrue | typeof mayBeFalse | typeof mayBeWrong

const failed = wrong('type', 'this one')
/** What may come of each, written out. */
const all: readonly (readonly [Result, readonly Outcome[]])[] = [
  [true, [mayBeTrue]],
  [false, [mayBeFalse]],
  [failed, [mayBeWrong]],
  [7, [mayBeWrong]],
  ['yes', [mayBeWrong]],
  [unknown, [mayBeTrue, mayBeFalse, mayBeWrong]],
  [neverTrue, [mayBeFalse, mayBeWrong]],
  [neverFalse, [mayBeTrue, mayBeWrong]],
]

const sum = (outcomes: Iterable<number>) => [...new Set(outcomes)].reduce((total, one) => total + one, 0)

/** A connective on outcomes, as Cedar defines it: the right side is not looked at once the left one decides. */
function combined(decides: Outcome, left: readonly Outcome[], right: readonly Outcome[]): number {
  return sum(left.flatMap((one) => (one === decides || one === mayBeWrong ? [one] : right)))
}

describe('what may come of a connective', () => {
  test('of each single result is what it says', () => {
    for (const [result, outcomes] of all) expect(mayOf(result)).toBe(sum(outcomes))
  })

  test('is what may come of its sides, one by one', () => {
    for (const [left, ofLeft] of all) {
      for (const [right, ofRight] of all) {
        const named = `${JSON.stringify(left)} ${JSON.stringify(right)}`
        if (left !== false) expect(mayOf(andOf(left, right)), named).toBe(combined(mayBeFalse, ofLeft, ofRight))
        if (left !== true) expect(mayOf(orOf(left, right)), named).toBe(combined(mayBeTrue, ofLeft, ofRight))
      }
    }
  })

  test('is turned by a not', () => {
    const turned = { [mayBeTrue]: mayBeFalse, [mayBeFalse]: mayBeTrue, [mayBeWrong]: mayBeWrong }
    for (const [result, outcomes] of all)
      expect(mayOf(notOf(result)), JSON.stringify(result)).toBe(sum(outcomes.map((one) => turned[one])))
    expect(notOf(failed)).toBe(failed)
  })

  test('keeps what is wrong, of the side that is', () => {
    const other = wrong('type', 'the other one')
    expect(andOf(failed, true)).toBe(failed)
    expect(andOf(true, other)).toBe(other)
    expect(orOf(failed, true)).toBe(failed)
    expect(orOf(false, other)).toBe(other)
    expect(orOf(7, true)).toMatchObject({ kind: 'wrong', because: 'type', says: 'expected true or false' })
  })
})

describe('what may come of a choice', () => {
  test('is what may come of the branches that can be reached, and of the question', () => {
    for (const [condition, asked] of all) {
      if (typeof condition === 'boolean' || mayOf(condition) === mayBeWrong) continue
      for (const [yes, ofYes] of all) {
        for (const [no, ofNo] of all) {
          const reached = [
            ...(asked.includes(mayBeTrue) ? [[yes, ofYes]] : []),
            ...(asked.includes(mayBeFalse) ? [[no, ofNo]] : []),
          ]
          const found = eitherOf(condition, { yes: () => yes, no: () => no })
          const named = [condition, yes, no].map((one) => JSON.stringify(one)).join(' ')
          if (reached.some(([one]) => one === 7 || one === 'yes')) expect(found, named).toBe(unknown)
          else
            expect(mayOf(found), named).toBe(
              sum([mayBeWrong, ...reached.flatMap(([, outcomes]) => outcomes as readonly Outcome[])]),
            )
        }
      }
    }
  })

  test('a branch that cannot be reached is not looked at', () => {
    const never = (): Result => {
      throw new Error('looked at')
    }
    expect(mayOf(eitherOf(neverFalse, { yes: () => true, no: never }))).toBe(mayBeTrue | mayBeWrong)
    expect(mayOf(eitherOf(neverTrue, { yes: never, no: () => true }))).toBe(mayBeTrue | mayBeWrong)
    expect(eitherOf(failed, { yes: never, no: never })).toBe(failed)
  })
})

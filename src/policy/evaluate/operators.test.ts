import { describe, expect, test } from 'vitest'
import { binaries, recordLiteral, setLiteral, spoiled, unaries } from './operators.ts'
import { long, type Result, unknown, wrong } from './values.ts'

const binary = (name: string, left: Result, right: Result) => binaries.get(name)?.(left, right)
const unary = (name: string, arg: Result) => unaries.get(name)?.(arg)
const bad = wrong('type', 'of before')
const set = (...members: Result[]) => setLiteral(members)
const moment = (ms: bigint): Result => ({ kind: 'datetime', ms })
const span = (ms: bigint): Result => ({ kind: 'duration', ms })
const [most, least] = [2n ** 63n - 1n, -(2n ** 63n)]

describe('what is wrong goes before what is unknown, and that before a wrong type', () => {
  const expected = wrong('type', 'expected numbers')
  test.each([
    [[1, bad], bad],
    [[unknown, bad], bad],
    [[bad, unknown], bad],
    [[1, unknown], unknown],
    [['a', unknown], unknown],
    [[1, 'a'], expected],
    [[], expected],
  ] as [Result[], Result][])('%o', (operands, result) => {
    expect(spoiled('numbers', ...operands)).toEqual(result)
  })
})

test.each([
  ['<', [true, false, false]],
  ['<=', [true, true, false]],
  ['>', [false, false, true]],
  ['>=', [false, true, true]],
])('%s compares numbers, long numbers, moments and spans', (name, [less, same, more]) => {
  const pairs: [Result, Result][] = [
    [1, 2],
    [most - 1n, most],
    [-1, most],
    [moment(1n), moment(2n)],
    [span(1n), span(2n)],
  ]
  for (const [low, high] of pairs) {
    expect(binary(name, low, high)).toBe(less)
    expect(binary(name, low, low)).toBe(same)
    expect(binary(name, high, low)).toBe(more)
  }
})

test('what is of two types is not compared', () => {
  const says = wrong('type', 'expected two numbers, datetimes or durations')
  expect(binary('<', moment(1n), span(2n))).toEqual(says)
  expect(binary('<', span(1n), 2)).toEqual(says)
  expect(binary('<', 1, moment(2n))).toEqual(says)
  expect(binary('<', 'a', 'b')).toEqual(says)
  expect(binary('<', true, false)).toEqual(says)
  expect(binary('<', set(1), set(2))).toEqual(says)
  expect(binary('<', 1, unknown)).toBe(unknown)
  expect(binary('<', bad, unknown)).toBe(bad)
})

test('equality is told of any two values, and not of what is none', () => {
  expect([binary('==', 'a', 'a'), binary('!=', 'a', 'a')]).toEqual([true, false])
  expect([binary('==', 'a', 'b'), binary('!=', 'a', 'b')]).toEqual([false, true])
  expect([binary('==', '1', 1), binary('!=', '1', 1)]).toEqual([false, true])
  expect([binary('==', set(1, 2), set(2, 1, 1)), binary('!=', set(1), set(2))]).toEqual([true, true])
  expect([binary('==', 'a', unknown), binary('==', unknown, unknown)]).toEqual([unknown, unknown])
  expect([binary('!=', unknown, bad), binary('==', 'a', bad)]).toEqual([bad, bad])
})

test('numbers end at 64 bits', () => {
  expect(binary('+', long(most - 1n), 1)).toEqual(long(most))
  expect(binary('+', long(most), 1)).toMatchObject({ kind: 'wrong' })
  expect(binary('-', long(least + 1n), 1)).toEqual(long(least))
  expect(binary('-', long(least), 1)).toMatchObject({ kind: 'wrong' })
  expect(binary('*', long(2n ** 62n), -2)).toEqual(long(least))
  expect(binary('*', long(2n ** 62n), 2)).toMatchObject({ kind: 'wrong' })
  expect(unary('neg', long(most))).toEqual(long(-most))
  expect(unary('neg', long(least))).toMatchObject({ kind: 'wrong' })
  expect([unary('neg', 5), Object.is(unary('neg', 0), 0), unary('neg', 'a')]).toEqual([
    -5,
    true,
    wrong('type', 'expected a number'),
  ])
  expect(binary('+', 2 ** 52, 2 ** 52)).toEqual(long(2n ** 53n))
  expect([binary('+', 2, 3), binary('-', 2, 3), binary('*', 2, 3), binary('*', -1, 0)]).toEqual([5, -1, 6, 0])
})

test('sets are asked for what they hold', () => {
  expect([binary('contains', set(1, 2), 2), binary('contains', set(1, 2), 3)]).toEqual([true, false])
  expect(binary('contains', 1, 1)).toEqual(wrong('type', 'expected a set'))
  expect([binary('contains', set(1), unknown), binary('contains', set(1), bad)]).toEqual([unknown, bad])
  const all = (left: Result, right: Result) => binary('containsAll', left, right)
  expect([all(set(1, 2, 3), set(3, 1)), all(set(1, 2), set(1, 2)), all(set(1), set())]).toEqual([true, true, true])
  expect([all(set(1), set(1, 2)), all(set(1, 2), set(3)), all(set(), set(1))]).toEqual([false, false, false])
  expect(all(set(1), 1)).toEqual(wrong('type', 'expected sets'))
  const any = (left: Result, right: Result) => binary('containsAny', left, right)
  expect([any(set(1, 2, 3), set(3)), any(set(3), set(1, 2, 3)), any(set(1, 2), set(2, 3))]).toEqual([true, true, true])
  expect([any(set(1), set(2)), any(set(), set(1)), any(set(1, 2), set())]).toEqual([false, false, false])
  expect([unary('isEmpty', set()), unary('isEmpty', set(1))]).toEqual([true, false])
  expect([unary('isEmpty', 'a'), unary('isEmpty', unknown)]).toEqual([wrong('type', 'expected a set'), unknown])
})

test('a list or record with something wrong in it is that, and with something unknown is unknown', () => {
  expect([set(unknown, bad), set(1, unknown)]).toEqual([bad, unknown])
  expect([recordLiteral(['a', 'b'], [unknown, bad]), recordLiteral(['a'], [unknown])]).toEqual([bad, unknown])
  const record = recordLiteral(['a', 'b'], [1, false])
  if (typeof record !== 'object' || record.kind !== 'record') throw new Error('no record')
  expect([...record.names(), record.get('a'), record.get('b'), record.get('c')]).toEqual([
    'a',
    'b',
    1,
    false,
    undefined,
  ])
})

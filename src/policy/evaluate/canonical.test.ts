import { expect, test } from 'vitest'
import { canonical, isSame, keyPart, setOf, settle } from './canonical.ts'
import { confused, recordOf, type Result, textSet, uid, unknown, type Value, wrong } from './values.ts'

const record = (members: Record<string, Result>) => recordOf(new Map(Object.entries(members)))
const numbers = (length: number, from = 0) => setOf(Array.from({ length }, (_, index) => index + from))

const different: readonly Value[] = [
  '',
  'a',
  'ab',
  't',
  true,
  false,
  1,
  11,
  -1,
  10n ** 18n,
  uid('A', 'b'),
  uid('Ab', ''),
  uid('', 'Ab'),
  textSet(new Set()),
  textSet(new Set([''])),
  textSet(new Set(['a', 'b'])),
  textSet(new Set(['ab'])),
  textSet(new Set(['1:a', 'b'])),
  setOf([1, 'a']),
  setOf(['1', 'a']),
  record({}),
  record({ a: 'b' }),
  record({ ab: '' }),
  record({ a: 'b', c: 'd' }),
  record({ a: 'b1:c', d: '' }),
  { kind: 'ip', version: 4, bits: 1n, prefix: 32 },
  { kind: 'ip', version: 4, bits: 1n, prefix: 31 },
  { kind: 'ip', version: 6, bits: 1n, prefix: 32 },
  { kind: 'decimal', units: 1n },
  { kind: 'datetime', ms: 1n },
  { kind: 'duration', ms: 1n },
]

test('different values have different texts, and are the same as themselves alone', () => {
  expect(new Set(different.map(canonical)).size).toBe(different.length)
  expect(new Set(different.map(keyPart)).size).toBe(different.length)
  for (const [at, one] of different.entries()) {
    for (const [place, other] of different.entries()) expect(isSame(one, other), `${at} ${place}`).toBe(at === place)
  }
})

test('what cannot be reckoned with has a text of its own', () => {
  const spoiled: Result[] = [
    unknown,
    { kind: 'unknown', may: 'never-true' },
    wrong('type', 'x'),
    confused('x'),
    wrong('type', 'xy'),
  ]
  expect(new Set([...spoiled, ...different].map(canonical)).size).toBe(spoiled.length + different.length)
  expect(keyPart(undefined)).toBe('-')
})

test('order and doubles do not count', () => {
  expect(canonical(setOf([1, 'a', true]))).toBe(canonical(setOf([true, 'a', 1, 'a', 1])))
  expect(isSame(setOf([1, 'a']), setOf(['a', 1, 1]))).toBe(true)
  expect(isSame(setOf([1, 'a']), setOf(['a', 2]))).toBe(false)
  expect(isSame(setOf([1]), setOf([1, 2]))).toBe(false)
  expect(isSame(textSet(new Set(['a', 'b'])), setOf(['b', 'a']))).toBe(true)
  expect(canonical(record({ a: 1, b: 2 }))).toBe(canonical(record({ b: 2, a: 1 })))
  expect(isSame(record({ a: setOf([1, 2]) }), record({ a: setOf([2, 1]) }))).toBe(true)
  expect([...setOf([1, 1, 'a']).values()]).toEqual([1, 'a'])
  expect(setOf([1, 1]).size).toBe(1)
  expect([setOf([1, 'a']).has('a'), setOf([1, 'a']).has('1'), setOf([1]).has(2)]).toEqual([true, false, false])
})

test('a long value counts as its hash, from one length on', () => {
  const text = (length: number) => 'x'.repeat(length - 4)
  expect(keyPart(text(256))).toBe(canonical(text(256)))
  expect(keyPart(text(257))).toMatch(/^#[A-Za-z0-9+/]{43}=$/)
  expect(keyPart(text(257))).toBe(keyPart(text(257)))
  expect(keyPart(`${text(257)}a`)).not.toBe(keyPart(`${text(257)}b`))
})

test('a set of more than a thousand counts as itself, a smaller one as what it holds', () => {
  expect(keyPart(numbers(1_000))).toBe(keyPart(numbers(1_000)))
  expect(keyPart(numbers(1_000))).not.toBe(keyPart(numbers(1_000, 1)))
  const many = numbers(1_001)
  expect(keyPart(many)).toBe(keyPart(many))
  expect(keyPart(many)).toMatch(/^@\d+;$/)
  expect(keyPart(many)).not.toBe(keyPart(numbers(1_001)))
  expect(isSame(many, numbers(1_001))).toBe(true)
})

test('a record with something unknown or wrong in it is that, what is wrong before what is unknown', () => {
  const bad = wrong('missing', 'x')
  const whole = record({ a: 1, b: record({ c: 'd' }) })
  expect(settle(whole)).toBe(whole)
  expect(settle('a')).toBe('a')
  expect(settle(record({ a: 1, b: unknown }))).toBe(unknown)
  expect(settle(record({ a: unknown, b: bad }))).toBe(bad)
  expect(settle(record({ a: bad, b: unknown }))).toBe(bad)
  expect(settle(record({ a: 1, b: record({ c: bad }) }))).toBe(bad)
  expect(settle(record({ a: record({ c: unknown }), b: 1 }))).toBe(unknown)
  expect(settle({ kind: 'record', get: () => undefined, names: () => ['a'] })).toBe(unknown)
})

test('values that are made twice are the same, whatever they are', () => {
  const made: readonly (() => Value)[] = [
    () => 'a',
    () => 10n ** 18n,
    () => uid('A', 'b'),
    () => textSet(new Set(['a', 'b'])),
    () => setOf([1, 'a']),
    () => record({ a: 'b', c: 1 }),
    () => ({ kind: 'ip', version: 4, bits: 1n, prefix: 32 }),
    () => ({ kind: 'decimal', units: 1n }),
    () => ({ kind: 'datetime', ms: 1n }),
    () => ({ kind: 'duration', ms: 1n }),
  ]
  for (const [at, make] of made.entries()) expect(isSame(make(), make()), String(at)).toBe(true)
  expect(isSame(uid('A', 'b'), uid('A', 'c'))).toBe(false)
  expect(isSame(uid('A', 'b'), uid('B', 'b'))).toBe(false)
  expect(isSame(setOf([1, 2]), setOf([1]))).toBe(false)
  expect(isSame(setOf([1]), setOf([1, 2]))).toBe(false)
})

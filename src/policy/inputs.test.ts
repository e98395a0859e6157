import { expect, test } from 'vitest'
import { parseIp } from './evaluate/ip.ts'
import { setOf } from './evaluate/canonical.ts'
import { confused, recordOf, type Result, textSet, uid, unknown } from './evaluate/values.ts'
import { showInputs } from './inputs.ts'

const shown = (value: Result) => showInputs([{ place: 'it', value }])['it']

test.each<[string, Result, unknown]>([
  ['a text', 'a', 'a'],
  ['a text of 500', 'x'.repeat(500), 'x'.repeat(500)],
  ['a longer one', 'x'.repeat(501), `${'x'.repeat(500)}…`],
  ['a number', 7, 7],
  ['a flag', false, false],
  ['a large number', 2n ** 60n, '1152921504606846976'],
  ['an entity', uid('T', 'a"b'), 'T::"a\\"b"'],
  ['a set', setOf([1, 'a', true]), [1, 'a', true]],
  ['an empty set', textSet(new Set()), []],
  ['a datetime', { kind: 'datetime', ms: 5n }, '5'],
  ['a duration', { kind: 'duration', ms: -5n }, '-5'],
  ['a decimal', { kind: 'decimal', units: 12_345n }, '12345'],
  ['nothing told', unknown, '(not told)'],
  ['something confused', confused('it is something else'), '(it is something else)'],
])('%s is shown as a person would write it', (_, value, expected) => {
  expect(shown(value)).toEqual(expected)
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['255.255.255.255', '255.255.255.255'],
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.1.2.3/32', '10.1.2.3'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['2001:db8::ff00/120', '2001:db8:0:0:0:0:0:ff00/120'],
  ['2001:db8::1/128', '2001:db8:0:0:0:0:0:1'],
])('the address %s is shown as %s', (text, expected) => {
  expect(shown(parseIp(text))).toBe(expected)
})

test('a set of more than a hundred is shown in part, and a record with what is missing or unknown in it', () => {
  expect(shown(textSet(new Set(Array.from({ length: 101 }, (_, index) => `t${index}`))))).toHaveLength(100)
  const record = recordOf(
    new Map<string, Result>([
      ['a', 1],
      ['b', unknown],
      ['c', recordOf(new Map([['d', 'e']]))],
    ]),
  )
  expect(shown(record)).toEqual({ a: 1, b: '(not told)', c: { d: 'e' } })
  expect(shown({ kind: 'record', get: () => undefined, names: () => ['a'] })).toEqual({ a: '(none)' })
})

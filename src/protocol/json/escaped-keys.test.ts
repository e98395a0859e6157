import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSlowly, valueText } from '../../../test/world/wire/json-texts.ts'
import { hasEscapedKey, readEscapedKeys } from './escaped-keys.ts'
import { isProblem, readMessage, readUpstreamMessage } from '../message.ts'

const call = (params: string): string => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`

test('a key written with escapes is what it spells, whatever keys were read before it', () => {
  for (const [planted, spelled] of [
    ['{"name":"a","\\\\u00":1}', '{"title":"a","\\u006eame":"b"}'],
    ['{"title":"a","\\\\u00":1}', '{"title":"a","\\u006eame":"b"}'],
    ['{"title":"a","na\\\\u":1}', '{"title":"a","na\\u006de":"b"}'],
    ['{"title":"a","nam\\\\":1}', '{"title":"a","nam\\u0065":"b"}'],
  ] as const) {
    expect(isProblem(readMessage(call(planted)))).toBe(false)
    for (const read of [readMessage, readUpstreamMessage]) {
      expect(read(call(spelled))).toMatchObject({ params: { title: 'a', name: 'b' } })
    }
  }
})

test('a key that is spelled in two ways appears twice, whatever keys were read before it', () => {
  readMessage(call('{"name":"a","\\\\u00":1}'))
  for (const read of [readMessage, readUpstreamMessage]) {
    const twice = read(call('{"name":"a","\\u006eame":"b"}'))
    expect(isProblem(twice) && twice.problem).toBe('a key appears twice in one object')
  }
})

test('any text is read as a slow and simple reader reads it', () => {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== 'object' || value === null) return value
    return Object.entries(value).map(([key, member]) => [key, plain(member)])
  }
  const slow = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(slow)
    if (typeof value !== 'object' || value === null) return value
    if ('number' in value) return Number(value.number)
    if ('literal' in value) return JSON.parse(String(value.literal)) as unknown
    return (value as { members: [string, unknown][] }).members.map(([key, member]) => [key, slow(member)])
  }
  fc.assert(
    fc.property(valueText, (text) => {
      const expected = readSlowly(text)
      const { value, hasDuplicateKey } = readEscapedKeys(text)
      expect(hasDuplicateKey).toBe(expected.hasDuplicateKey)
      const isSameOrder = !hasDuplicateKey && !/"\d+"|"[^"]*\\u003/.test(text)
      if (isSameOrder) expect(plain(value)).toEqual(slow(expected.value))
    }),
    { numRuns: 2_000 },
  )
})

test('escapes in keys are seen, and those in texts are not', () => {
  expect(hasEscapedKey('{"a":"\\u0061","b":["\\"c\\":"]}')).toBe(false)
  expect(hasEscapedKey('{"a":[{"\\u0061" : 1}]}')).toBe(true)
})

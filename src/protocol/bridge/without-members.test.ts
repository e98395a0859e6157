import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withoutMembers, withoutMeta } from './without-members.ts'

test('a member goes with its comma, wherever it stands, and the others stay as they were written', () => {
  const drop = (text: string) => withoutMembers(text, ['a'], (name) => name.startsWith('x'))
  expect(drop('{"a":{"x":1,"b":1.0}}')).toBe('{"a":{"b":1.0}}')
  expect(drop('{"a": { "b" : 1e400 , "x":[1,{"x":2}] } , "x":3}')).toBe('{"a": {"b" : 1e400} , "x":3}')
  expect(drop('{"a":{"x":1,"x2":"}\\""}}')).toBe('{"a":{}}')
  expect(drop('{"a":{ "b":1 }}')).toBe('{"a":{ "b":1 }}')
  expect(drop('{"a":[{"x":1}]}')).toBe('{"a":[{"x":1}]}')
  expect(drop('{"b":{"x":1}}')).toBe('{"b":{"x":1}}')
})

test('a key that is written with escapes goes, too', () => {
  expect(withoutMembers('{"\\u0078":1,"y":2}', [], (name) => name === 'x')).toBe('{"y":2}')
})

test('what is left of any object is what a reader would have found in it', () => {
  const objects = fc.dictionary(fc.string(), fc.jsonValue())
  fc.assert(
    fc.property(objects, fc.integer({ min: 1, max: 4 }), fc.nat(2), (object, step, indent) => {
      const isDropped = (name: string): boolean => name.length % step === 0
      const text = JSON.stringify({ object }, null, indent)
      const kept = Object.fromEntries(Object.entries(object).filter(([name]) => !isDropped(name)))
      const left = withoutMembers(text, ['object'], isDropped)
      expect(JSON.parse(left)).toEqual(JSON.parse(JSON.stringify({ object: kept })))
    }),
  )
})

test('`_meta` goes when nothing is left in it, and only then', () => {
  const drop = (text: string) => withoutMeta(text, 'result', (name) => name === 'x')
  expect(drop('{"result":{"_meta":{"x":1},"a":2}}')).toBe('{"result":{"a":2}}')
  expect(drop('{"result":{"_meta":{"x":1,"y":2}}}')).toBe('{"result":{"_meta":{"y":2}}}')
  expect(drop('{"result":{"_meta":{}}}')).toBe('{"result":{"_meta":{}}}')
  expect(drop('{"params":{"_meta":{"x":1}}}')).toBe('{"params":{"_meta":{"x":1}}}')
})

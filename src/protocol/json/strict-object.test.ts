import { expect, test } from 'vitest'
import { readStrictObject } from './strict-object.ts'

test.each([
  ['{}', {}],
  [' {"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]} ', { a: 1, b: { a: 2 }, c: [{ a: 3 }, { a: 4 }] }],
  ['{"\\u0061":1,"b":"\\ud83d\\ude00"}', { a: 1, b: '😀' }],
  ['{"exp":1767603600.5}', { exp: 1767603600.5 }],
])('%s is read', (text, value) => {
  expect(readStrictObject(text)).toEqual(value)
})

test.each([
  ['', 'nothing'],
  ['[]', 'a list'],
  ['null', 'null'],
  ['"a"', 'a text'],
  ['{"a":1}{"a":1}', 'two objects'],
  ['{"a":1,"a":1}', 'a key twice'],
  ['{"a":1,"\\u0061":2}', 'a key twice, once escaped'],
  ['{"x":[{"a":1,"a":2}]}', 'a key twice further in'],
  ['{"__proto__":{"a":1}}', 'a key that other objects inherit from'],
  ['{"\\u005f_proto__":1}', 'that key, escaped'],
  ['{"a":"\\ud83d"}', 'half a character'],
  ['{"exp":1e400}', 'a number beyond all'],
  ['{"exp":9007199254740993}', 'a number that a double cannot hold'],
  ['{"a":NaN}', 'no number'],
  ['\u{feff}{}', 'a byte order mark'],
  [`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'a tower'],
])('%s is not read: %s', (text) => {
  expect(readStrictObject(text)).toBeUndefined()
})

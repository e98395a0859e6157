import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyEdits, elementSpans, memberEdit, spanOf } from './edit-text.ts'

const slice = (text: string, span: readonly [number, number] | undefined) => span && text.slice(...span)

test('a path finds the value of a member however its key is written and whatever stands around it', () => {
  const text = ' { "a" : [{"b":"}\\"]"}, 1e400] ,"r\\u0065sult":{ "x":-0 , "y" : "z" } } '
  expect(slice(text, spanOf(text, ['result', 'x']))).toBe('-0')
  expect(slice(text, spanOf(text, ['a']))).toBe('[{"b":"}\\"]"}, 1e400]')
  expect(spanOf(text, ['result', 'missing'])).toBeUndefined()
  expect(spanOf(text, ['a', 'b'])).toBeUndefined()
})

test('the elements of an array are found as they are written', () => {
  const text = '[ 18446744073709551615 ,"a,]", [ ], {"b":[1,2]}]'
  expect(elementSpans(text, [0, text.length]).map((span) => text.slice(...span))).toEqual([
    '18446744073709551615',
    '"a,]"',
    '[ ]',
    '{"b":[1,2]}',
  ])
  expect(elementSpans('[ ]', [0, 3])).toEqual([])
})

test('a member is replaced where it is, and added where it is not', () => {
  const edit = (text: string) => {
    const made = memberEdit(text, ['result'], 'scope', '"private"')
    return made === undefined ? undefined : applyEdits(text, [made])
  }
  expect(edit('{"result":{"a":1.0,"scope":"public"}}')).toBe('{"result":{"a":1.0,"scope":"private"}}')
  expect(edit('{"result":{"a":1.0}}')).toBe('{"result":{"scope":"private","a":1.0}}')
  expect(edit('{"result":{ }}')).toBe('{"result":{"scope":"private" }}')
  expect(edit('{"result":[]}')).toBeUndefined()
})

test('every element of every array is found, in any spelling of white space', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t'), (values, indent) => {
      const text = JSON.stringify({ result: { items: values } }, undefined, indent)
      const span = spanOf(text, ['result', 'items'])
      expect(span).toBeDefined()
      const found = span === undefined ? [] : elementSpans(text, span).map((one) => JSON.parse(text.slice(...one)))
      expect(found).toEqual(JSON.parse(text).result.items)
    }),
  )
})

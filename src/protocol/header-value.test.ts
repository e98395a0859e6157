import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'

test('any text survives the way through a header, which stays printable ASCII', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const header = encodeHeaderValue(text)
      expect(header).toMatch(/^[\x20-\x7e]+$/)
      expect(decodeHeaderValue(header)).toBe(text)
    }),
  )
})

test('a text that looks like the sentinel is encoded itself', () => {
  const text = '=?base64?ZWNobw==?='
  expect(decodeHeaderValue(text)).toBe('echo')
  expect(decodeHeaderValue(encodeHeaderValue(text))).toBe(text)
})

test.each(['=?base64?ZWNobw?=', '=?base64?ZWNob*==?=', '=?base64?ZWNobx==?=', '=?base64?/w==?='])(
  '%s stands for nothing',
  (header) => {
    expect(decodeHeaderValue(header)).toBeUndefined()
  },
)

test.each(['=?BASE64?ZWNobw==?=', '=?base64?ZWNobw==', 'base64?ZWNobw==?='])('%s is taken literally', (header) => {
  expect(decodeHeaderValue(header)).toBe(header)
})

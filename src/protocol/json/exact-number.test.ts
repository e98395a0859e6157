import fc from 'fast-check'
import { expect, test } from 'vitest'
import { numberText, readSlowly } from '../../../test/world/wire/json-texts.ts'
import { isExactNumber } from './exact-number.ts'

const isExact = (text: string): boolean => isExactNumber(`[${text}]`, 1, 1 + text.length)

test('a number is exact when a comparison of fractions says so', () => {
  fc.assert(
    fc.property(numberText, (text) => {
      expect(isExact(text), text).toBe(!readSlowly(text).hasInexactNumber)
    }),
    { numRuns: 5_000 },
  )
})

test('every double is exact as a script writes it, and every amount of money is', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = JSON.stringify(value)
      expect(isExact(text), text).toBe(!Number.isInteger(value) || Number.isSafeInteger(value) || text.includes('e'))
    }),
  )
  fc.assert(
    fc.property(fc.nat(), fc.nat({ max: 99 }), (units, cents) => {
      expect(isExact(`${units}.${cents}`)).toBe(true)
    }),
  )
})

test.each(['9007199254740991', '-9007199254740991', '0', '-0', '1E2', '100.0', '1e22', '2.5e-8'])('%s is', (text) => {
  expect(isExact(text)).toBe(true)
})

test.each(['9007199254740992', '-9007199254740993', '1e309', '1e-325', '0.10000000000000001', '1.00000000000000001'])(
  '%s is not',
  (text) => {
    expect(isExact(text)).toBe(false)
  },
)

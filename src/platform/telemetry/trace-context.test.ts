import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isInShare, randomHex, readTraceParent, writeTraceParent } from './trace-context.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'
const span = 'b7ad6b7169203331'

test('a place in a trace is read and written', () => {
  const place = readTraceParent(`00-${trace}-${span}-01`)
  expect(place).toEqual({ traceId: trace, spanId: span, isSampled: true })
  expect(place && writeTraceParent(place)).toBe(`00-${trace}-${span}-01`)
  expect(readTraceParent(`00-${trace}-${span}-00`)?.isSampled).toBe(false)
  expect(readTraceParent(`01-${trace}-${span}-03-later`)?.isSampled).toBe(true)
})

test.each([
  '',
  `00-${trace}-${span}`,
  `00-${trace}-${span}-01-more`,
  `ff-${trace}-${span}-01`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  ` 00-${trace}-${span}-01`,
  `00-${trace}-${span}-01\n`,
  `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
  `01-${trace}-${span}-01-${'x'.repeat(100)}`,
  `00-${trace}-${span}-1`,
  `00_${trace}_${span}_01`,
])('anything else is none: %j', (given) => {
  expect(readTraceParent(given)).toBeUndefined()
})

test('nothing that is given breaks it, and what it reads is always well-formed', () => {
  fc.assert(
    fc.property(fc.anything(), (given) => {
      expect(readTraceParent(given)).toBeUndefined()
    }),
  )
  const part = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdefg-'), minLength: length, maxLength: length })
  fc.assert(
    fc.property(part(2), part(32), part(16), part(2), (version, traceId, spanId, flags) => {
      const read = readTraceParent([version, traceId, spanId, flags].join('-'))
      if (read === undefined) return
      expect(read.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/)
      expect(read.spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/)
    }),
  )
})

test('fresh ids do not repeat', () => {
  const ids = Array.from({ length: 10_000 }, () => randomHex(16))
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true)
  expect(randomHex(8)).toMatch(/^[0-9a-f]{16}$/)
})

test('a share of the traces is kept: none, all, or about as many as it says, and always the same ones', () => {
  const ids = Array.from({ length: 20_000 }, () => randomHex(16))
  const kept = (percent: number) => ids.filter((id) => isInShare(id, percent))
  expect(kept(0)).toHaveLength(0)
  expect(kept(100)).toHaveLength(ids.length)
  expect(kept(10).length / ids.length).toBeCloseTo(0.1, 1)
  expect(kept(10)).toEqual(kept(10))
})

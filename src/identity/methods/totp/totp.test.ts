import { expect, test } from 'vitest'
import { oneTimeCode } from '../../../../test/world/one-time-code.ts'
import { inGroups, toBase32 } from '../base32.ts'
import { createTotpSecret, describeTotp, matchingSteps, readTotpCode, stepAt, totpCode } from './totp.ts'

const vectors: readonly (readonly [number, string])[] = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
]
const secret = Buffer.from('12345678901234567890')

test.each(vectors)('the code at %i seconds is the one of RFC 6238, appendix B', (seconds, code) => {
  expect(totpCode(secret, stepAt(seconds * 1000), 8)).toBe(code)
})

test('base32 is the one of RFC 4648, section 10', () => {
  const words = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar']
  const encoded = ['', 'my', 'mzxq', 'mzxw6', 'mzxw6yq', 'mzxw6ytb', 'mzxw6ytboi']
  expect(words.map((word) => toBase32(Buffer.from(word)))).toEqual(encoded)
})

test('a code matches in its step, one before and one after, and not beyond', () => {
  const step = 57_000_000
  const code = totpCode(secret, step)
  const at = (other: number) => matchingSteps(secret, code, other * 30_000)
  expect([at(step - 1), at(step), at(step + 1)]).toEqual([[step], [step], [step]])
  expect([at(step - 2), at(step + 2)]).toEqual([[], []])
  expect(matchingSteps(secret, code, (step + 2) * 30_000 - 1)).toEqual([step])
})

test('spaces around and inside a code are removed, and nothing else is a code', () => {
  expect(['123456', ' 123 456 ', '123\u00a0456', '1 2 3 4 5 6\n'].map(readTotpCode)).toEqual(Array(4).fill('123456'))
  for (const typed of ['', '12345', '1234567', '12345a', '１２３４５６', '-12345', '123456'.padStart(65)]) {
    expect(readTotpCode(typed)).toBeUndefined()
  }
})

test('an authenticator is told the same secret in the link and in letters', () => {
  const fresh = createTotpSecret()
  const told = describeTotp('ada', fresh)
  const url = new URL(told.otpauthUri)
  expect(url.protocol + url.host + url.pathname).toBe('otpauth:totp/Castellan:ada')
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    issuer: 'Castellan',
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  })
  expect(told.secret.replaceAll(' ', '')).toBe(url.searchParams.get('secret'))
  expect(told.secret).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/)
  expect(totpCode(fresh, stepAt(1_800_000_000_000))).toBe(oneTimeCode(told.secret, 1_800_000_000_000))
})

test('groups of four keep the last short one', () => {
  expect(inGroups('abcdefghij', '-')).toBe('abcd-efgh-ij')
})

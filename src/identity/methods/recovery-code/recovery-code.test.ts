import { expect, test } from 'vitest'
import { createArgon2id, saltOf } from '../argon2id.ts'
import { createRecoveryCodes, readRecoveryCode } from './recovery-code.ts'

test('there are ten different codes of 80 bits, kept as hashes with one salt', async () => {
  const argon2id = createArgon2id()
  const { codes, hashes } = await createRecoveryCodes(argon2id)
  expect(new Set(codes).size).toBe(10)
  for (const code of codes) expect(code).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/)
  const [first = ''] = hashes
  expect(new Set(hashes).size).toBe(10)
  expect(new Set(hashes.map((hash) => Buffer.from(saltOf(hash) ?? []).toString('hex'))).size).toBe(1)
  expect(await argon2id.hash(readRecoveryCode(codes[0] ?? '') ?? '', saltOf(first))).toBe(first)
})

test('case, spaces and hyphens of a typed code do not matter, and nothing else is a code', () => {
  const typed = ['abcd-efgh-2345-ijkl', ' ABCD EFGH 2345 IJKL ', 'abcdefgh2345ijkl', 'abcd\u2013efgh\u20102345-ijkl']
  expect(typed.map(readRecoveryCode)).toEqual(Array(4).fill('abcdefgh2345ijkl'))
  for (const other of ['', '123456', 'abcdefgh2345ijk', 'abcdefgh2345ijklm', 'abcdefgh2345ijk1', 'abcdefgh2345ijkİ']) {
    expect(readRecoveryCode(other)).toBeUndefined()
  }
})

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createKeyring } from './keyring.ts'

const rootKey = Buffer.alloc(32, 7)
const place = 'second_factors/secret/0190-row'
const secret = Buffer.from('GEZDGNBVGY3TQOJQ')

test('opens what it sealed, in the same place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ minLength: 1 }), (plain, row) => {
      const sealer = createKeyring({ rootKey })
      const where = `sessions/${row}`
      expect(sealer.open(sealer.seal(plain, where), where)).toEqual(Buffer.from(plain))
    }),
  )
})

test('the sealed form names algorithm and key and is safe in a column', () => {
  const sealed = createKeyring({ rootKey }).seal(secret, place)
  expect(sealed).toMatch(/^a256gcm\.[\w-]{11}\.[\w-]+$/)
  expect(sealed).not.toContain(secret.toString())
})

test('the same value sealed twice looks different', () => {
  const sealer = createKeyring({ rootKey })
  expect(sealer.seal(secret, place)).not.toBe(sealer.seal(secret, place))
})

test('a keyring made again from the same root key opens what the first one sealed', () => {
  const sealed = createKeyring({ rootKey }).seal(secret, place)
  expect(createKeyring({ rootKey: Buffer.from(rootKey) }).open(sealed, place)).toEqual(secret)
})

test('a value moved to another row, column or table does not open', () => {
  const sealer = createKeyring({ rootKey })
  const sealed = sealer.seal(secret, place)
  for (const elsewhere of [
    'second_factors/secret/0190-other',
    'second_factors/other/0190-row',
    'enrolments/secret/0190-row',
    'second_factors',
    `${place}/`,
  ]) {
    expect(sealer.open(sealed, elsewhere)).toBeUndefined()
  }
})

test('a value sealed under another root key does not open', () => {
  const sealed = createKeyring({ rootKey: randomBytes(32) }).seal(secret, place)
  expect(createKeyring({ rootKey }).open(sealed, place)).toBeUndefined()
})

test('a value of another key that is relabelled with ours does not open', () => {
  const ours = createKeyring({ rootKey })
  const theirs = createKeyring({ rootKey: randomBytes(32) }).seal(secret, place)
  const [algorithm, keyId] = ours.seal(secret, place).split('.')
  expect(ours.open(`${algorithm}.${keyId}.${theirs.split('.')[2]}`, place)).toBeUndefined()
})

test('no single altered character opens', () => {
  const sealer = createKeyring({ rootKey })
  const sealed = sealer.seal(secret, place)
  for (let at = 0; at < sealed.length; at++) {
    const other = sealed[at] === 'A' ? 'B' : 'A'
    expect(sealer.open(sealed.slice(0, at) + other + sealed.slice(at + 1), place)).toBeUndefined()
  }
})

test('a shortened or lengthened value does not open', () => {
  const sealer = createKeyring({ rootKey })
  const sealed = sealer.seal(secret, place)
  for (let length = 0; length < sealed.length; length++) {
    expect(sealer.open(sealed.slice(0, length), place)).toBeUndefined()
  }
  expect(sealer.open(`${sealed}A`, place)).toBeUndefined()
  expect(sealer.open(`${sealed}\n`, place)).toBeUndefined()
})

test('an empty value needs its tag: without it nothing opens', () => {
  const sealer = createKeyring({ rootKey })
  const empty = sealer.seal(new Uint8Array(), place)
  expect(sealer.open(empty, place)).toEqual(Buffer.alloc(0))
  expect(sealer.open(empty.slice(0, -2), place)).toBeUndefined()
})

test('text that was never sealed opens as undefined and never throws', () => {
  const sealer = createKeyring({ rootKey })
  fc.assert(fc.property(fc.string(), (text) => sealer.open(text, place) === undefined))
})

test('a value without a place is not sealed', () => {
  expect(() => createKeyring({ rootKey }).seal(secret, '')).toThrow(TypeError)
  expect(() => createKeyring({ rootKey }).seal(secret, '/row')).toThrow(TypeError)
})

test.each([0, 16, 31, 33])('a root key of %i bytes is refused', (length) => {
  expect(() => createKeyring({ rootKey: new Uint8Array(length) })).toThrow(
    expect.objectContaining({ code: 'secrets.root-key' }),
  )
})

test('the caller may wipe its copy of the root key', () => {
  const copy = Buffer.from(rootKey)
  const sealer = createKeyring({ rootKey: copy })
  const sealed = sealer.seal(secret, place)
  copy.fill(0)
  expect(sealer.open(sealed, place)).toEqual(secret)
  expect(createKeyring({ rootKey }).open(sealed, place)).toEqual(secret)
})

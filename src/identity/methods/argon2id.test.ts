import { expect, test } from 'vitest'
import { createArgon2id } from './argon2id.ts'

const plain = createArgon2id()

test('a text verifies against its own string and nothing else does', async () => {
  const phc = await plain.hash('four walls')
  expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(await plain.verify(phc, 'four walls')).toBe(true)
  for (const other of ['Four walls', 'four walls ', 'four wall', '']) expect(await plain.verify(phc, other)).toBe(false)
})

test('texts are compared exactly as typed, without Unicode normalisation', async () => {
  expect(await plain.verify(await plain.hash('caf\u00e9 au lait'), 'cafe\u0301 au lait')).toBe(false)
})

test('no string, an unreadable one and one with other costs match nothing', async () => {
  const phc = await plain.hash('four walls')
  for (const other of [undefined, '', 'four walls', phc.replace('t=2', 't=1'), phc.slice(0, -4), `${phc}$`]) {
    expect(await plain.verify(other, 'four walls')).toBe(false)
  }
})

test('a string made with a pepper is worth nothing without it, with another, and the other way round', async () => {
  const peppered = createArgon2id(Buffer.alloc(32, 1))
  const phc = await peppered.hash('four walls')
  expect(phc).toContain(',keyid=')
  expect(await peppered.verify(phc, 'four walls')).toBe(true)
  expect(await plain.verify(phc, 'four walls')).toBe(false)
  expect(await createArgon2id(Buffer.alloc(32, 2)).verify(phc, 'four walls')).toBe(false)
  expect(await peppered.verify(await plain.hash('four walls'), 'four walls')).toBe(false)
})

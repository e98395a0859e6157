import { expect, test } from 'vitest'

import { createHeadSigner, createHeadVerifier, type Head, isOrigin, makeLedgerKey } from './heads.ts'

const head: Head = {
  origin: 'castellan.example/ledger',
  size: 12,
  root: Buffer.alloc(32, 5),
  number: 3,
  time: '2026-01-05T09:00:00.000Z',
}
const signer = createHeadSigner(makeLedgerKey().toString(), head.origin)
const verifier = createHeadVerifier(signer.verifierKey)

test('a signed head is read back with the public line alone', () => {
  expect(verifier?.read(signer.write(head))).toEqual(head)
  expect(signer.write(head)).toMatch(
    /^castellan\.example\/ledger\n12\n\S{44}\nhead 3 \S+\n\n— castellan\.example\/ledger \S{92}\n$/,
  )
})

test('a head with any character changed, left out or added is not read', () => {
  const note = signer.write(head)
  for (let at = 0; at <= note.length; at++) {
    const rest = note.slice(at + 1)
    for (const part of ['', '0', 'A', '\n', ' ', '+']) {
      const changed = note.slice(0, at) + part + rest
      if (changed !== note) expect(verifier?.read(changed), changed).toBeUndefined()
      if (part !== '') expect(verifier?.read(note.slice(0, at) + part + note.slice(at))).toBeUndefined()
    }
  }
})

test('a head of another key or another ledger is not read', () => {
  const stranger = createHeadSigner(makeLedgerKey().toString(), head.origin)
  expect(verifier?.read(stranger.write(head))).toBeUndefined()
  expect(verifier?.read(signer.write({ ...head, origin: 'other' }))).toBeUndefined()
})

test('a public line that does not fit together is no key', () => {
  const [, origin = '', id = '', key = ''] = /^([^+]*)\+([^+]*)\+(.*)\n$/.exec(signer.verifierKey) ?? []
  expect(createHeadVerifier(`${origin}+${id}+${key}`)).toBeDefined()
  for (const line of ['', 'x', `${origin}+00000000+${key}`, `other+${id}+${key}`, `${origin}+${id}+${key.slice(4)}`])
    expect(createHeadVerifier(line), line).toBeUndefined()
})

test('an origin has no space and no plus, and at most 100 characters', () => {
  expect(['castellan', 'a.example/x', 'x'.repeat(100)].every(isOrigin)).toBe(true)
  expect(['', 'a b', 'a+b', 'a\n', 'é', 'x'.repeat(101)].some(isOrigin)).toBe(false)
})

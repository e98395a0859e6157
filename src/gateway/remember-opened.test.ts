import { expect, test } from 'vitest'
import { createKeyring } from '#secrets'
import { rememberOpened } from './remember-opened.ts'

function counted() {
  const keyring = createKeyring({ rootKey: new Uint8Array(32) })
  let opened = 0
  const sealer = rememberOpened({
    seal: keyring.seal,
    open(sealed, place) {
      opened += 1
      return keyring.open(sealed, place)
    },
  })
  return { sealer, opened: () => opened }
}

const read = (value: Uint8Array | undefined) => (value === undefined ? undefined : Buffer.from(value).toString())

test('a value that was opened is not deciphered again', () => {
  const { sealer, opened } = counted()
  const sealed = sealer.seal(Buffer.from('session'), 'mcp-session/books/ana')
  expect([1, 2, 3].map(() => read(sealer.open(sealed, 'mcp-session/books/ana')))).toEqual(Array(3).fill('session'))
  expect(opened()).toBe(1)
})

test('a remembered value does not open in another place, before or after', () => {
  const { sealer } = counted()
  const sealed = sealer.seal(Buffer.from('session'), 'mcp-session/books/ana')
  expect(sealer.open(sealed, 'mcp-session/books/ben')).toBeUndefined()
  expect(read(sealer.open(sealed, 'mcp-session/books/ana'))).toBe('session')
  expect(sealer.open(sealed, 'mcp-session/books/ben')).toBeUndefined()
  expect(read(sealer.open(sealed, 'mcp-session/books/ana'))).toBe('session')
})

test('what does not open is asked for each time', () => {
  const { sealer, opened } = counted()
  const invented = `${sealer.seal(Buffer.from('session'), 'mcp-session/books/ana')}x`
  expect([1, 2].map(() => sealer.open(invented, 'mcp-session/books/ana'))).toEqual([undefined, undefined])
  expect(opened()).toBe(2)
})

test('10,000 are remembered, and one more pushes out the oldest', () => {
  const { sealer, opened } = counted()
  const sealed = Array.from({ length: 10_001 }, (_, index) => sealer.seal(Buffer.from(`${index}`), 'mcp-session/b/a'))
  for (const one of sealed) sealer.open(one, 'mcp-session/b/a')
  sealer.open(sealed[1] ?? '', 'mcp-session/b/a')
  expect(opened()).toBe(10_001)
  expect(read(sealer.open(sealed[0] ?? '', 'mcp-session/b/a'))).toBe('0')
  expect(opened()).toBe(10_002)
})

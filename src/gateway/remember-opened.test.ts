import { expect, test } from 'vitest'
import { createKeyring } from '#secrets'
import { rememberOpened } from './remember-opened.ts'

function counted() {
  const keyring = createKeyring({ rootKey: new Uint8Array(32) })
  let opened = 0
  const opener = rememberOpened({
    open(sealed, place) {
      opened += 1
      return keyring.open(sealed, place)
    },
  })
  const seal = (text: string, place: string) => keyring.seal(Buffer.from(text), place)
  return { seal, open: opener.openText, opened: () => opened }
}

test('a value that was opened is not deciphered again', () => {
  const { seal, open, opened } = counted()
  const sealed = seal('session', 'mcp-session/books/ana')
  expect([1, 2, 3].map(() => open(sealed, 'mcp-session/books/ana'))).toEqual(Array(3).fill('session'))
  expect(opened()).toBe(1)
})

test('a remembered value does not open in another place, before or after', () => {
  const { seal, open } = counted()
  const sealed = seal('session', 'mcp-session/books/ana')
  expect(open(sealed, 'mcp-session/books/ben')).toBeUndefined()
  expect(open(sealed, 'mcp-session/books/ana')).toBe('session')
  expect(open(sealed, 'mcp-session/books/ben')).toBeUndefined()
  expect(open(sealed, 'mcp-session/books/ana')).toBe('session')
})

test('what does not open is asked for each time', () => {
  const { seal, open, opened } = counted()
  const invented = `${seal('session', 'mcp-session/books/ana')}x`
  expect([1, 2].map(() => open(invented, 'mcp-session/books/ana'))).toEqual([undefined, undefined])
  expect(opened()).toBe(2)
})

test('10,000 are remembered, and one more pushes out the oldest', () => {
  const { seal, open, opened } = counted()
  const sealed = Array.from({ length: 10_001 }, (_, index) => seal(`${index}`, 'mcp-session/b/a'))
  for (const one of sealed) open(one, 'mcp-session/b/a')
  open(sealed[1] ?? '', 'mcp-session/b/a')
  expect(opened()).toBe(10_001)
  expect(open(sealed[0] ?? '', 'mcp-session/b/a')).toBe('0')
  expect(opened()).toBe(10_002)
})

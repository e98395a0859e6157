import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestTerminal } from '../../../test/world/terminal.ts'
import { openSessionStore } from './session-store.ts'

const here = 'http://localhost:8091'
const session = { token: 'css_secret', name: 'ana', expiresAt: 2_000 }
let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'castellan-cli-'))
})
afterEach(() => rmSync(home, { recursive: true }))

const open = (nowMs = 1_000) => openSessionStore(createTestTerminal({ home, nowMs }))

test('a session is found again, at the address it was made for only', () => {
  open().save(here, session)
  expect(open().find(here)).toEqual(session)
  expect(open().find('http://localhost:9999')).toBeUndefined()
  expect(open().find('https://localhost:8091')).toBeUndefined()
})

test('the file and its folder are for the owner only', () => {
  const store = open()
  store.save(here, session)
  expect(statSync(store.path).mode & 0o777).toBe(0o600)
  expect(statSync(join(store.path, '..')).mode & 0o777).toBe(0o700)
})

test('a file that others can read is refused, not used', () => {
  const store = open()
  store.save(here, session)
  chmodSync(store.path, 0o644)
  expect(() => store.find(here)).toThrow(expect.objectContaining({ code: 'cli.session-exposed' }))
})

test('a session ends in the millisecond of its expiry', () => {
  open().save(here, session)
  expect(open(1_999).find(here)).toEqual(session)
  expect(open(2_000).find(here)).toBeUndefined()
})

test('sessions at several addresses are kept apart, and the file goes with the last one', () => {
  const store = open()
  store.save(here, session)
  store.save('http://localhost:9091', { ...session, name: 'bo' })
  store.remove(here)
  expect(store.find(here)).toBeUndefined()
  expect(store.find('http://localhost:9091')?.name).toBe('bo')
  store.remove('http://localhost:9091')
  expect(statSync(store.path, { throwIfNoEntry: false })).toBeUndefined()
})

test.each(['', 'not json', '{"sessions":{"http://localhost:8091":{"token":1}}}', '[]'])(
  'a damaged file holds no session: %j',
  (text) => {
    const store = open()
    store.save(here, session)
    writeFileSync(store.path, text)
    expect(store.find(here)).toBeUndefined()
  },
)

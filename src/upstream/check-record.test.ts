import { expect, test } from 'vitest'
import { checkRecord, type UpstreamDraft } from './check-record.ts'

const good: UpstreamDraft = { name: 'files', command: ['npx', '-y', '@modelcontextprotocol/server-filesystem', '/srv'] }

const codeOf = (change: Partial<UpstreamDraft>) => checkRecord({ ...good, ...change })?.code
const url = (text: string) => codeOf({ command: undefined, url: text })

test.each(['a', 'files', 'a1-b', `a${'b'.repeat(30)}`])('%s is a name', (name) => {
  expect(codeOf({ name })).toBeUndefined()
})

test.each(['', 'A', '1a', '-a', 'a_b', 'a__b', 'a/b', 'a b', 'ä', 'a\n', '..', `a${'b'.repeat(31)}`])(
  '%j is no name',
  (name) => {
    expect(codeOf({ name })).toBe('upstream.name-invalid')
  },
)

test.each(['castellan', 'mcp', 'servers', 'bundles'])('%s is kept for castellan', (name) => {
  expect(codeOf({ name })).toBe('upstream.name-reserved')
})

test('an upstream has a command or a url, not both and not none', () => {
  expect(codeOf({ url: 'https://example.org/mcp' })).toBe('upstream.address-missing')
  expect(codeOf({ command: undefined })).toBe('upstream.address-missing')
})

test.each([
  [['/usr/bin/node', 'server.js']],
  [['node', '; rm -rf /', '$(id)', '`id`', '|', '&', '', "'"]],
  [['python3.12', '-m', 'server']],
])('%j can be run', (command) => {
  expect(codeOf({ command })).toBeUndefined()
})

test.each([
  [[]],
  [['']],
  [['node server.js']],
  [['sh;id']],
  [['$(id)']],
  [['a|b']],
  [['a&']],
  [['./server']],
  [['bin/server']],
  [['..']],
  [['-c']],
  [['node', 'a\u0000b']],
  [['node', 1 as unknown as string]],
])('%j cannot be run', (command) => {
  expect(codeOf({ command })).toBe('upstream.command-invalid')
})

test('a command has 256 elements at most and 32 KiB', () => {
  expect(codeOf({ command: Array<string>(256).fill('a') })).toBeUndefined()
  expect(codeOf({ command: Array<string>(257).fill('a') })).toBe('upstream.command-invalid')
  expect(codeOf({ command: ['a', 'b'.repeat(32 * 1024 - 1)] })).toBeUndefined()
  expect(codeOf({ command: ['a', 'b'.repeat(32 * 1024)] })).toBe('upstream.command-invalid')
})

test.each(['https://example.org/mcp', 'http://localhost:3000/mcp?tenant=1', 'http://[::1]:3000/'])(
  '%s is a url',
  (text) => {
    expect(url(text)).toBeUndefined()
  },
)

test.each([
  'example.org',
  'ftp://example.org',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'https://user@example.org/',
  'https://user:password@example.org/',
  'https://@example.org/',
  'https://example.org/#a',
  'https://example.org/#',
  'https://',
])('%s is refused', (text) => {
  expect(url(text)).toBe('upstream.url-invalid')
})

test('a url is 2048 characters long at most', () => {
  const stem = 'https://example.org/'
  expect(url(stem + 'a'.repeat(2048 - stem.length))).toBeUndefined()
  expect(url(stem + 'a'.repeat(2049 - stem.length))).toBe('upstream.url-invalid')
})

test('an environment has names of letters, digits and underscores, and belongs to a command', () => {
  expect(codeOf({ environment: { API_KEY: 'x y', _a1: '' } })).toBeUndefined()
  for (const environment of [{ '1A': 'x' }, { 'A=B': 'x' }, { '': 'x' }, { A: 'a\u0000' }]) {
    expect(codeOf({ environment })).toBe('upstream.environment-invalid')
  }
  const environment = { A: 'x' }
  expect(codeOf({ command: undefined, url: 'https://example.org', environment })).toBe('upstream.environment-invalid')
})

test('an environment has 64 names at most', () => {
  const of = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`A${index}`, 'x']))
  expect(codeOf({ environment: of(64) })).toBeUndefined()
  expect(codeOf({ environment: of(65) })).toBe('upstream.environment-invalid')
})

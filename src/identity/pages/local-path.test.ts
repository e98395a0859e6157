import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readLocalPath } from './local-path.ts'

test.each([
  ['/account', '/account'],
  ['/consent/abc_-1', '/consent/abc_-1'],
  ['/device?user_code=ABCD-EFGH', '/device?user_code=ABCD-EFGH'],
  ['/a/../account', '/account'],
  ['/account?x=http://evil.example/', '/account?x=http://evil.example/'],
  ['/account#part', '/account'],
])('%s leads to %s', (given, path) => {
  expect(readLocalPath(given)).toBe(path)
})

test.each([
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  'https://evil.example/',
  'javascript:alert(1)',
  'evil.example',
  '',
  ' /account',
  '/\t/evil.example',
  '/\n/evil.example',
  '/account\r\nset-cookie: a=b',
  '/a\\..\\..\\\\evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/%2e%2e//evil.example',
  '/ä',
  `/${'a'.repeat(2048)}`,
])('%j leads nowhere', (given) => {
  expect(readLocalPath(given)).toBeUndefined()
})

test('what is absent leads nowhere', () => {
  expect(readLocalPath(undefined)).toBeUndefined()
  expect(readLocalPath(null)).toBeUndefined()
})

test('whatever is let through stays on its own origin, as a browser reads it', () => {
  const parts = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '%2e',
    '%2f',
    '%5c',
    '@',
    ':',
    '?',
    '#',
    '\t',
    'evil.example',
    'a',
  )
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 8 }), (pieces) => {
      const path = readLocalPath(`/${pieces.join('')}`)
      if (path === undefined) return
      expect(new URL(path, 'https://gate.example').origin).toBe('https://gate.example')
      expect(path).not.toMatch(/^\/[/\\]|[\r\n\t]/)
    }),
    { numRuns: 2000 },
  )
})

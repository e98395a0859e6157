import fc from 'fast-check'
import { expect, test } from 'vitest'

import { longestTextChars, maskText, writeMasked } from './mask-text.ts'

const pem = ['-----BEGIN RSA PRIVATE KEY-----', 'MIIEpAIBAAKCAQEA7', 'c2VjcmV0', '-----END RSA PRIVATE KEY-----'].join(
  '\n',
)
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r'
const random = 'Zk3v9QbT7xWm2LpR8sYd4NcH6jFgA1uEoVi5'

const planted: readonly (readonly [mask: string, secret: string])[] = [
  ['[private-key]', pem],
  ['[private-key]', pem.replaceAll('RSA ', '')],
  ['[jwt]', jwt],
  ['[secret]', `cst_${random}4567890`],
  ['[secret]', `css_${random}4567890`],
  ['[secret]', `cse_${random}4567890`],
  ['[secret]', ['AKIA', 'IOSFODNN7EXAMPLE'].join('')],
  ['[secret]', `ghp_${random}`],
  ['[secret]', `github_pat_${random}`],
  ['[secret]', `xoxb-123456789012-${random}`],
  ['[secret]', `AIza${random.slice(0, 35)}`],
  ['[secret]', `sk-${random}`],
  ['[secret]', `sk-proj-${random}_x`],
  ['[secret]', `sk_live_${random}`],
  ['[card]', '4111111111111111'],
  ['[card]', '4111 1111 1111 1111'],
  ['[card]', '5500-0000-0000-0004'],
  ['[card]', '378282246310005'],
  ['[iban]', 'DE89370400440532013000'],
  ['[iban]', 'GB82 WEST 1234 5698 7654 32'],
  ['[email]', 'ana.maria+notes@mail.example.com'],
  ['[email]', 'jörg@bücher.example'],
  ['[phone]', '+49 171 1234567'],
  ['[phone]', '+1 (555) 010-9999'],
  ['[phone]', '(555) 234-5678'],
  ['[phone]', '0171 12345678'],
  ['[ssn]', '536-90-4399'],
]

test.each(planted)('%s stands for %j, and nothing around it is touched', (mask, secret) => {
  expect(maskText(secret)).toBe(mask)
  expect(maskText(`see ${secret}, please`)).toBe(`see ${mask}, please`)
  expect(maskText(`(${secret})\n${secret}`)).toBe(`(${mask})\n${mask}`)
})

test.each([
  ['Authorization: Bearer abcdef123456', 'Authorization: [secret]'],
  ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: [secret]'],
  ['curl -H "Authorization: Basic dXNlcjpwYXNz" x', 'curl -H "Authorization: [secret]" x'],
  ['send bearer abcdef123456 along', 'send bearer [secret] along'],
  ['Cookie: a=1; session=xyz\nHost: h', 'Cookie: [secret]\nHost: h'],
  ['https://ana:p%40ss@host.example/x', 'https://[secret]@host.example/x'],
  ['postgres://app:p@ss@db:5432/x', 'postgres://[secret]@db:5432/x'],
  ['https://h.example/?access_token=abc&x=1', 'https://h.example/?access_token=[secret]&x=1'],
  ['password=hunter2 user=ana', 'password=[secret] user=ana'],
  ['{"password":"two words","user":"ana"}', '{"password":[secret],"user":"ana"}'],
  ["{'api_key': 'a\\'b', 'x': 1}", "{'api_key': [secret], 'x': 1}"],
  ['API-KEY: abc', 'API-KEY: [secret]'],
  ['my DB_PASSWORD = "x y"', 'my DB_PASSWORD = [secret]'],
])('%j is recorded as %j', (text, masked) => {
  expect(maskText(text)).toBe(masked)
  expect(maskText(masked)).toBe(masked)
})

test.each([
  'the budget meeting is at 10:30 on 2026-01-05T09:00:00.000Z',
  '0190aaaa-bbbb-7ccc-8ddd-000000000012',
  '01a20355-2438-7c65-899e-f0ed56afdde9',
  '1767603600000 1767603600000123456',
  '4111111111111112',
  'DE89370400440532013001',
  'package@1.2.3 and @scope/name',
  'https://host.example:8090/servers/notes/mcp',
  '192.168.100.200:8080, ::1, 2001:db8::1',
  'risk-based-and-task-oriented-approach',
  'max_tokens: 500, footprint: small',
  'role:notes-reader#1',
  '3.14159265358979 and 1234567890',
  'sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
])('%j stays readable', (text) => {
  expect(maskText(text)).toBe(text)
})

test(`a text of ${longestTextChars} characters is kept, one more is cut and says how much`, () => {
  const longest = 'a '.repeat(longestTextChars / 2)
  expect(maskText(longest)).toBe(longest)
  expect(maskText(`${longest}b`)).toBe(`${longest}[cut: 1 characters]`)
})

test('a secret across the cut is masked as a whole', () => {
  for (const [mask, secret] of planted)
    for (let kept = 1; kept < secret.length; kept++) {
      const padding = `${'x'.repeat(longestTextChars - kept - 1)} `
      const masked = maskText(`${padding}${secret} and more`)
      expect(masked.startsWith(padding + mask), `${secret} kept ${kept}`).toBe(true)
    }
})

test('no secret survives between any other text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(...planted),
      fc.string({ unit: 'binary' }),
      (before, [, secret], after) => {
        expect(maskText(`${before} ${secret} ${after}`)).not.toContain(secret)
      },
    ),
    { numRuns: 1000 },
  )
})

test('hostile text takes time by its length: a megabyte, or 100,000 characters kept whole, less than 200 ms', () => {
  const pieces = [
    'a',
    '1',
    '1 ',
    '@',
    'a@a',
    '://',
    '-----BEGIN PRIVATE KEY-----',
    'eyJ',
    'password=',
    '"',
    "token='",
    '\\',
  ]
  const more = [
    '+1',
    '0123 ',
    'DE89',
    'bearer ',
    ' ',
    'a.',
    '-',
    'cookie:',
    '(',
    'é',
    '\ud800',
    'cst_',
    'AKIA',
    'sk-',
    '=:',
  ]
  for (const piece of [...pieces, ...more]) {
    const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
    // WHY: time of the processor, because the machine may be busy with something else.
    const spentMs = (work: () => unknown): number => {
      const before = process.threadCpuUsage()
      work()
      const { user, system } = process.threadCpuUsage(before)
      return (user + system) / 1000
    }
    expect(
      spentMs(() => maskText(text)),
      piece,
    ).toBeLessThan(200)
    expect(
      spentMs(() => maskText(text.slice(0, 100_000), 100_000)),
      piece,
    ).toBeLessThan(200)
  }
})

test('text that is not well formed becomes well formed', () => {
  expect(maskText('a\ud800b')).toBe('a\ufffdb')
  expect(maskText(`${'x'.repeat(longestTextChars - 1)}😀`).isWellFormed()).toBe(true)
})

test('a text is written alike the first time, again, and after thousands of others', () => {
  const texts = [
    'tools/call',
    '',
    'a "quoted" one',
    'ana@example.com',
    '2025-11-25',
    'half \ud800',
    'x'.repeat(13),
    'x'.repeat(41),
  ]
  const first = texts.map((text) => writeMasked(text, 40))
  expect(texts.map((text) => writeMasked(text, 40))).toEqual(first)
  for (let number = 0; number < 10_000; number++) expect(writeMasked(`text ${number}`, 40)).toBe(`"text ${number}"`)
  expect(texts.map((text) => writeMasked(text, 40))).toEqual(first)
  expect(first.map((text) => JSON.parse(text) as unknown)).toEqual(texts.map((text) => maskText(text, 40)))
})

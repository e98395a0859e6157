import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSlowly, valueText } from '../../../test/world/wire/json-texts.ts'
import { readJson } from './escaped-keys.ts'
import { isProblem, readMessage, readUpstreamMessage } from '../message.ts'
import { countMembers, maxJsonDepth, scanJson } from './strict-json.ts'

const params = (text: string): string => `{"jsonrpc":"2.0","id":1,"method":"x","params":{"given":${text}}}`

type Read = (text: string) => ReturnType<typeof readMessage>

function problemOf(text: string, read: Read = readMessage): string | undefined {
  const message = read(text)
  return isProblem(message) ? message.problem : undefined
}

test('a text is read exactly when a slow and simple reader finds nothing that readers disagree about', () => {
  fc.assert(
    fc.property(valueText, (text) => {
      const found = readSlowly(text)
      const isAmbiguous = found.hasDuplicateKey || found.hasInexactNumber || found.hasHalfPair || found.hasProtoKey
      expect(problemOf(params(text)) !== undefined, text).toBe(isAmbiguous)
      expect(problemOf(params(text), readUpstreamMessage) !== undefined, text).toBe(found.hasDuplicateKey)
    }),
    { numRuns: 3_000 },
  )
})

test('members are counted as they are written, and the outermost id is found', () => {
  fc.assert(
    fc.property(valueText, valueText, (before, after) => {
      const text = `{"before":${before}, "id" : "the id" ,"after":${after}}`
      const { idSpan, memberCount } = scanJson(text, false)
      expect(idSpan && text.slice(...idSpan)).toBe('"the id"')
      const isDuplicate = readSlowly(text).hasDuplicateKey
      expect(memberCount > countMembers(readJson(text).value as object)).toBe(isDuplicate)
    }),
    { numRuns: 2_000 },
  )
})

test('any text at all is looked at to its end, JSON or not', () => {
  const piece = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '-',
    '1',
    'e',
    'id',
    '"id"',
    ' ',
    '\u0000',
    'é',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('')
      expect(scanJson(text, true)).toBeDefined()
      expect(isProblem(readMessage(text))).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['a key twice', '{"a":1,"a":1}', 'twice'],
  ['a key twice, once with an escape', '{"a":1,"\\u0061":1}', 'twice'],
  ['a key twice, far down', '[[{"b":[{"a":{"c":1,"c":2}}]}]]', 'twice'],
  ['an empty key twice', '{"":1,"":2}', 'twice'],
  ['a key twice, with members between', `{"a":1,${'"b":1,'.replace('b', 'c')}"a":2}`, 'twice'],
  ['a key of digits twice', '{"1":1,"1":2}', 'twice'],
  ['a high half', '"\\ud800"', 'surrogate'],
  ['a low half', '"\\uDC00"', 'surrogate'],
  ['halves in the wrong order', '"\\udc00\\ud800"', 'surrogate'],
  ['half a pair in a key', '{"\\ud83d":1}', 'surrogate'],
  ['half a pair after an escaped backslash', '"\\\\\\ud83d"', 'surrogate'],
  ['the prototype', '{"__proto__":{"isAdmin":true}}', '__proto__'],
  ['the prototype with escapes', '[{"\\u005f_pr\\u006fto__":1}]', '__proto__'],
  ['an integer beyond 2^53', '9007199254740992', 'exactly'],
  ['a negative one', '-9007199254740992', 'exactly'],
  ['too large a number', '1e400', 'exactly'],
  ['too small a number', '1e-400', 'exactly'],
  ['too long a fraction', '0.1000000000000000055', 'exactly'],
  ['an integer written as a fraction', '9007199254740993.0', 'exactly'],
])('%s is refused', (_what, text, says) => {
  expect(problemOf(params(text))).toContain(says)
})

test.each([
  '[0.1,19.99,-0,-0.0,1e3,1E-7,1.50,5e-324,1.7976931348623157e308,9007199254740991,0.30000000000000004,0e999]',
  '{"constructor":{"prototype":1},"prototype":[],"toString":null,"hasOwnProperty":0}',
  '"a text with __proto__ in it, \\\\ud800 after a backslash, \\u0000 and \\ud83d\\ude00"',
  '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
])('%s is read', (text) => {
  expect(problemOf(params(text))).toBeUndefined()
})

test('what is named like a built-in is content, and nobody inherits from it', () => {
  const message = readMessage(params('{"constructor":{"prototype":{"isAdmin":true}}}'))
  expect(isProblem(message)).toBe(false)
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  const polluted = readUpstreamMessage(params('{"__proto__":{"isAdmin":true}}'))
  expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
  expect(isProblem(polluted) ? undefined : Object.getPrototypeOf(polluted.params)).toBe(Object.prototype)
})

test('content of an upstream passes as it is written', () => {
  const odd = '{"big":18446744073709551615,"huge":1e400,"half":"\\ud83d","__proto__":1,"long":0.1000000000000000055}'
  expect(
    problemOf(`{"jsonrpc":"2.0","id":1,"result":{"structuredContent":${odd}}}`, readUpstreamMessage),
  ).toBeUndefined()
})

test.each([
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
  ['an overlong form', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['a character beyond the last', Buffer.from([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22])],
  ['a cut character', Buffer.from([0x22, 0xe2, 0x82])],
  ['a byte order mark', Buffer.from(`\ufeff${params('1')}`)],
  ['UTF-16', Buffer.from(params('1'), 'utf16le')],
  ['a NUL after the message', Buffer.from(`${params('1')}\u0000`)],
  ['a NUL in a text', Buffer.from(params('"a\u0000b"'))],
  ['a second message', Buffer.from(params('1') + params('2'))],
  ['a comma at the end', Buffer.from(params('[1,]'))],
  ['a comment', Buffer.from(params('1/* */'))],
  ['single quotes', Buffer.from(params("'1'"))],
  ['a name without quotes', Buffer.from(params('{a:1}'))],
  ['a number with a plus', Buffer.from(params('+1'))],
  ['a number with a zero before it', Buffer.from(params('01'))],
  ['a hexadecimal number', Buffer.from(params('0x1'))],
  ['no number', Buffer.from(params('NaN'))],
  ['white space that is none', Buffer.from(params('\u00a01'))],
  ['nothing', Buffer.alloc(0)],
])('%s is no JSON', (_what, body) => {
  expect(readMessage(body)).toMatchObject({ code: -32700 })
})

test('nesting is read to the limit and refused one past it, wherever it is, before anything is built', () => {
  const nested = (levels: number, open: string, close: string) =>
    params(open.repeat(levels) + '1' + close.repeat(levels))
  // The message and its params are two levels.
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    expect(problemOf(nested(maxJsonDepth - 2, open, close))).toBeUndefined()
    expect(problemOf(nested(maxJsonDepth - 1, open, close))).toContain('deeper')
    expect(problemOf(nested(maxJsonDepth - 1, open, close), readUpstreamMessage)).toContain('deeper')
  }
  expect(problemOf('['.repeat(4_000_000))).toContain('deeper')
})

test('a body at the limit is read in time that grows with its length alone', () => {
  const four = 4 * 1024 * 1024
  const numbered = Array.from({ length: 300_000 }, (_, index) => `"k${index}":0`).join(',')
  for (const [what, text] of [
    ['members', `{${numbered}}`],
    ['one text', `"${'x'.repeat(four)}"`],
    ['escaped quotes', `"${'\\"'.repeat(four / 2)}"`],
    ['backslashes', `"${'\\\\'.repeat(four / 2)}"`],
    ['empty lists', `[${'[],'.repeat(four / 3)}[]]`],
    ['one number', `0.${'1'.repeat(four)}`],
    ['white space', `${' '.repeat(four)}1`],
    ['escapes', `"${'\\ud83d\\ude00'.repeat(four / 12)}"`],
    ['quotes without end', '"'.repeat(four - 1)],
  ] as const) {
    const started = process.cpuUsage()
    readMessage(Buffer.from(params(text)))
    const { user, system } = process.cpuUsage(started)
    expect((user + system) / 1000, what).toBeLessThan(3_000)
  }
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fit, printable, printableJson, printableLines, widthOf } from './printable.ts'

const steering = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b\u{e0000}-\u{e007f}]/u

test.each([
  ['a cursor move', '\u001b[2J\u001b[Hsafe', '\\u{1b}[2J\\u{1b}[Hsafe'],
  ['a title change', '\u001b]0;owned\u0007', '\\u{1b}]0;owned\\u{7}'],
  ['a clipboard write', '\u001b]52;c;ZXZpbA==\u001b\\', '\\u{1b}]52;c;ZXZpbA==\\u{1b}\\'],
  ['a one-byte control sequence', '\u009b31mred', '\\u{9b}31mred'],
  ['a carriage return that overwrites the line', 'denied\rallowed', 'denied allowed'],
  ['a line break that forges a line', 'x\nok  all good', 'x ok  all good'],
  ['a backspace', 'ab\b', 'ab\\u{8}'],
  ['a bidirectional override', 'user\u202etxt.exe', 'user\\u{202e}txt.exe'],
  ['hidden tag characters', 'a\u{e0041}', 'a\\u{e0041}'],
  ['a zero-width space', 'ad\u200bmin', 'ad\\u{200b}min'],
  ['a lone surrogate', 'a\ud800', 'a\\u{d800}'],
])('%s becomes visible text', (_what, hostile, shown) => {
  expect(printable(hostile)).toBe(shown)
})

test('ordinary text of any language stays as it is', () => {
  for (const text of ['café', '日本語', 'émoji 👩‍🚀', 'naïve — “quoted”', 'עברית']) expect(printable(text)).toBe(text)
})

test('no text steers the terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(steering)
      for (const line of printableLines(text)) expect(line).not.toMatch(steering)
    }),
  )
})

test('JSON keeps its meaning and has nothing in it that steers the terminal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const document = { value, text }
      const printed = printableJson(document, 2)
      expect(JSON.parse(printed)).toEqual(JSON.parse(JSON.stringify(document)))
      expect(printed.replaceAll('\n', '')).not.toMatch(steering)
    }),
  )
})

test('a text that is too long is cut and says so', () => {
  expect(fit('abcdef', 6)).toBe('abcdef')
  expect(fit('abcdefg', 6)).toBe('abcde…')
  expect(fit('abc', 0)).toBe('')
})

test('wide characters count as two cells', () => {
  expect(widthOf('日本')).toBe(4)
  expect(widthOf('👩‍🚀')).toBe(2)
  expect(fit('日本語', 5)).toBe('日本…')
})

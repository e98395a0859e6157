import fc from 'fast-check'
import { expect, test } from 'vitest'
import { widthOf } from './printable.ts'
import { wrapSpans } from './wrap.ts'

const textOf = (lines: ReturnType<typeof wrapSpans>) =>
  lines.map((line) => line.map((span) => (typeof span === 'string' ? span : span.text)).join(''))

test('lines are broken between words, long words anywhere, and spans keep their tone', () => {
  expect(textOf(wrapSpans(['one two three'], 8))).toEqual(['one two', 'three'])
  expect(textOf(wrapSpans(['abcdefghij k'], 4))).toEqual(['abcd', 'efgh', 'ij k'])
  expect(wrapSpans(['a ', { text: 'b c', tone: 'bad' }], 3)).toEqual([
    ['a ', { text: 'b', tone: 'bad' }],
    [{ text: 'c', tone: 'bad' }],
  ])
  expect(textOf(wrapSpans(['one two'], Infinity))).toEqual(['one two'])
})

test('no line is too wide, and nothing but white space is lost', () => {
  const word = fc.constantFrom('a', 'bb', 'ccc ', ' ', '文件', 'long-long-word', '`', '\u200b', '😀')
  const text = fc.array(word, { maxLength: 30 }).map((words) => words.join(''))
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), fc.integer({ min: 2, max: 12 }), (texts, cells) => {
      const lines = textOf(wrapSpans(texts, cells))
      expect(lines.every((line) => widthOf(line) <= cells)).toBe(true)
      const bare = (all: string) => all.replace(/\s/g, '')
      expect(bare(lines.join(''))).toBe(bare(texts.join('')).replaceAll('\u200b', '\\u{200b}'))
    }),
  )
})

test('what stands in backticks is pasted, so it stays on one line where it fits one', () => {
  const lines = (text: string, cells: number) => textOf(wrapSpans([text], cells))
  expect(lines('next: `castellan upstream list`, then go on', 30)).toEqual([
    'next:',
    '`castellan upstream list`,',
    'then go on',
  ])
  expect(lines('a `b c d e f` g', 8)).toEqual(['a `b c d', 'e f` g'])
  expect(lines('one ` is no pair', 8)).toEqual(['one ` is', 'no pair'])
})

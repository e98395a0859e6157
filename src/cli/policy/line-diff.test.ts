import { expect, test } from 'vitest'
import { diffLines } from './line-diff.ts'

const shown = (before: string | null, after: string | null) =>
  diffLines(before, after).map(({ sign, text }) => `${sign}${text}`)

test('a changed line stands between the lines around it', () => {
  expect(shown('a\nb\nc\nd\ne\n', 'a\nb\nX\nd\ne\n')).toEqual([' a', ' b', '-c', '+X', ' d', ' e'])
})

test('equal texts differ in nothing but their last lines of context', () => {
  expect(shown('a\n', 'a\n').filter((line) => !line.startsWith(' '))).toEqual([])
})

test('a text that is not there is all added or all removed', () => {
  expect(shown(null, 'a\nb\n')).toEqual(['+a', '+b'])
  expect(shown('a\nb\n', null)).toEqual(['-a', '-b'])
})

test('lines that moved are taken out and put in once', () => {
  expect(shown('a\nb\nc\n', 'c\na\nb\n')).toEqual(['+c', ' a', ' b', '-c'])
})

test('texts too long to compare line by line are told whole', () => {
  const many = (word: string) => Array.from({ length: 2_100 }, (_, at) => `${word} ${at}`).join('\n')
  const lines = diffLines(many('old'), many('new'))
  expect([lines.length, lines[0]?.sign, lines.at(-1)?.sign]).toEqual([4_200, '-', '+'])
})

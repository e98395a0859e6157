import { expect, test } from 'vitest'
import { canonicalName, isFreeForPeople, readAgent, readLine } from './names.ts'

test('spellings that look alike are one name', () => {
  const spellings = ['kim', 'KIM', ' Kim ', 'kim\t', 'ｋｉｍ', '\u212aim', '\u00a0kim']
  expect(spellings.map(canonicalName)).toEqual(spellings.map(() => 'kim'))
})

test('spellings that only resemble a name are none', () => {
  for (const typed of [
    'k\u0131m',
    'K\u0130M',
    'kímm',
    'ki\u0301m',
    'кim',
    'ki m',
    'kim\u200b',
    'k\u0000im',
    '',
    '.kim',
    '-kim',
    'kim@home',
    'kim/../ada',
  ]) {
    expect(canonicalName(typed), JSON.stringify(typed)).toBeUndefined()
  }
})

test('a name has at most 64 characters', () => {
  expect(canonicalName('k'.repeat(64))).toBe('k'.repeat(64))
  expect(canonicalName('k'.repeat(65))).toBeUndefined()
  expect(canonicalName(' '.repeat(250) + 'k'.repeat(7))).toBeUndefined()
})

test("Castellan's own name is not given away", () => {
  expect([isFreeForPeople('castellan'), isFreeForPeople('castellan2')]).toEqual([false, true])
})

test('a line to read has 1 to 100 visible characters', () => {
  expect(readLine(' Ada  Lovelace ')).toBe('Ada  Lovelace')
  expect(readLine('é'.repeat(100))).toHaveLength(100)
  for (const typed of ['', '   ', 'é'.repeat(101), 'ada\nroot', 'ada\u202eroot', 'ada\u0007'])
    expect(readLine(typed)).toBeUndefined()
})

test('what a client says about itself cannot break a line and is cut', () => {
  expect(readAgent('curl/8\r\nx: y\u202e')).toBe('curl/8  x: y ')
  expect(readAgent('x'.repeat(201))).toHaveLength(200)
  expect(readAgent(undefined)).toBe('')
})

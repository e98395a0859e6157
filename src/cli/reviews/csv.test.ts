import { expect, test } from 'vitest'
import { csvLine } from './csv.ts'

test('cells are quoted where they have to be, and lines end as RFC 4180 says', () => {
  expect(csvLine(['a', 1, null, undefined, ''])).toBe('a,1,,,\r\n')
  expect(csvLine(['a,b', 'say "x"', 'two\nlines', 'cr\rlf'])).toBe('"a,b","say ""x""","two\nlines","cr\rlf"\r\n')
  expect(csvLine([0, -5])).toBe('0,-5\r\n')
})

test('no text is a formula of a spreadsheet', () => {
  expect(csvLine(['=1+1', '+1', '-1', '@x', '\tx', '\rx'])).toBe(`'=1+1,'+1,'-1,'@x,'\tx,"'\rx"\r\n`)
  expect(csvLine(['a=1', 'x+1', 'a-b', 'a@b'])).toBe('a=1,x+1,a-b,a@b\r\n')
})

import { expect, test } from 'vitest'
import { readAnnotations } from './annotations.ts'

const hour = 3_600_000
const asking = { id: 'a', remedy: 'approval', approvers: 'boss', within: '1h' }
const reads = (texts: Readonly<Record<string, string>>, effect: 'permit' | 'forbid' = 'forbid') =>
  readAnnotations(texts, effect)
const remedy = (texts: Readonly<Record<string, string>>) => {
  const read = reads({ ...asking, ...texts })
  return typeof read === 'string' ? read : read.remedy
}

test('a rule without annotations has none', () => {
  expect(reads({}, 'permit')).toEqual({ isShadow: false, isQuiet: false })
  expect(reads({ shadow: '', quiet: '', id: 'r', says: 'No.' })).toEqual({
    isShadow: true,
    isQuiet: true,
    name: 'r',
    says: 'No.',
  })
})

test('an approval says by whom, how many and how long', () => {
  expect(remedy({})).toEqual({ kind: 'approval', approvers: { roles: ['boss'], count: 1 }, withinMs: hour })
  expect(remedy({ approvers: 'boss ,chief,  boss', count: '10', within: '90s' })).toEqual({
    kind: 'approval',
    approvers: { roles: ['boss', 'chief'], count: 10 },
    withinMs: 90_000,
  })
})

test.each([
  ['1s', 1_000],
  ['15m', 900_000],
  ['8h', 8 * hour],
  ['30d', 720 * hour],
  ['720h', 720 * hour],
])('a time of %s is %i ms', (within, ms) => {
  expect(remedy({ within })).toMatchObject({ withinMs: ms })
})

test.each(['31d', '721h', '0s', '01s', '1', 's', '1w', '1.5h', '-1h', ' 1h', '1h ', '100000s', ''])(
  'a time of "%s" is refused',
  (within) => {
    expect(remedy({ within })).toBe('@within takes a time such as 90s, 15m, 8h or 7d, at most 30d')
  },
)

test.each(['0', '11', '01', '1.5', '', 'two', '1 '])('a number of approvers of "%s" is refused', (count) => {
  expect(remedy({ count })).toBe('@count takes a number from 1 to 10')
})

test('names stand with commas between them, each of at most 63 characters and at most 32 of them', () => {
  const longest = 'x'.repeat(63)
  expect(remedy({ approvers: longest })).toMatchObject({ approvers: { roles: [longest] } })
  const many = Array.from({ length: 32 }, (_, at) => `r${at}`)
  expect(remedy({ approvers: many.join(',') })).toMatchObject({ approvers: { roles: many } })
  for (const approvers of [`${longest}x`, [...many, 'more'].join(), '', 'a,', ',a', 'a b', 'a\n', 'a,,b', '"a"']) {
    expect(remedy({ approvers }), approvers).toBe('@approvers takes names of roles with commas between them')
  }
  expect(reads({ id: 'a', remedy: 'redact', fields: 'a, b,a' })).toMatchObject({ remedy: { fields: ['a', 'b'] } })
  expect(reads({ id: 'a', remedy: 'redact', fields: 'a;b' })).toBe(
    '@fields takes names of members with commas between them',
  )
})

test('a name of a rule is a letter, then up to 62 letters, digits and signs', () => {
  expect(reads({ id: `a${'.'.repeat(62)}` })).toMatchObject({ name: `a${'.'.repeat(62)}` })
  for (const id of [`a${'.'.repeat(63)}`, '', '1a', 'a b', 'a\n', 'é']) {
    expect(reads({ id }), id).toBe('@id takes a letter, then up to 62 letters, digits, `.`, `_` and `-`')
  }
})

test('what a rule says is one line of 1 to 500 characters', () => {
  expect(reads({ says: 'x'.repeat(500) })).toMatchObject({ says: 'x'.repeat(500) })
  for (const says of ['x'.repeat(501), '', 'a\nb']) {
    expect(reads({ says })).toBe('@says takes one line of 1 to 500 characters')
  }
})

test.each([
  [{ shadow: 'yes' }, '@shadow takes nothing: write @shadow'],
  [{ quiet: 'yes' }, '@quiet takes nothing: write @quiet'],
  [{ within: '1h' }, '@within belongs to a remedy, which this rule does not name'],
  [{ remedy: 'step-up' }, 'a rule with a remedy needs an @id'],
  [{ ...asking, fields: 'a' }, '@fields does not belong to @remedy("approval")'],
  [{ id: 'a', remedy: 'approval', within: '1h' }, '@remedy("approval") needs @approvers'],
])('%o is refused', (texts, says) => {
  expect(reads(texts)).toBe(says)
})

test('a permit has no remedy, and an annotation that nobody knows is told with those that there are', () => {
  expect(reads({ id: 'a', remedy: 'step-up' }, 'permit')).toBe('only a forbid has a remedy')
  expect(reads({ owner: 'a' })).toMatch(/^there is no annotation @owner; there are @id, (@\w+, )+@\w+$/)
  expect(reads({ id: 'a', remedy: 'prayer' })).toMatch(/^@remedy takes one of (\S+, )+\S+$/)
  expect(reads({ id: 'a', remedy: 'toString' })).toMatch(/^@remedy takes one of /)
})

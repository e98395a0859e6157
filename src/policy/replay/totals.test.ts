import { expect, test } from 'vitest'
import { createTotals, mostNames } from './totals.ts'

test('names are told apart up to the most that are kept, and counted together beyond', () => {
  const totals = createTotals()
  const count = (person: string) => totals.count('loosened', { person, tool: 'books/echo', rules: ['a', 'a'] })
  for (let at = 0; at < mostNames; at++) count(`p${at}`)
  expect(totals.read().people).toHaveLength(mostNames)
  expect(totals.read().people.some(({ name }) => name === 'others')).toBe(false)
  count('one-more')
  count('p0')
  const { people, tools, rules } = totals.read()
  expect(people[0]).toEqual({ name: 'p0', loosened: 2, tightened: 0, untold: 0 })
  expect(people.find(({ name }) => name === 'others')).toMatchObject({ loosened: 1 })
  expect(people.some(({ name }) => name === 'one-more')).toBe(false)
  expect(tools).toEqual([{ name: 'books/echo', loosened: mostNames + 2, tightened: 0, untold: 0 }])
  expect(rules[0]).toMatchObject({ name: 'a', loosened: mostNames + 2 })
})

import { expect, test } from 'vitest'
import { type Change, createTotals, mostNames } from './totals.ts'

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

test('who has the most changed comes first, and of those with as many the first by name, however they changed', () => {
  const totals = createTotals()
  const count = (person: string, ...changes: Change[]) => {
    for (const change of changes) totals.count(change, { person, tool: 't', rules: [] })
  }
  count('one', 'untold')
  count('c', 'loosened', 'tightened')
  count('most', 'loosened', 'tightened', 'untold', 'untold')
  count('a', 'untold', 'untold')
  count('b', 'tightened', 'tightened')
  count('nearly', 'untold', 'untold', 'loosened')
  expect(totals.read().people).toEqual([
    { name: 'most', loosened: 1, tightened: 1, untold: 2 },
    { name: 'nearly', loosened: 1, tightened: 0, untold: 2 },
    { name: 'a', loosened: 0, tightened: 0, untold: 2 },
    { name: 'b', loosened: 0, tightened: 2, untold: 0 },
    { name: 'c', loosened: 1, tightened: 1, untold: 0 },
    { name: 'one', loosened: 0, tightened: 0, untold: 1 },
  ])
  expect(totals.read().rules).toEqual([])
})

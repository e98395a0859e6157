import { describe, expect, test } from 'vitest'
import { type Budget, checkBudget, isToolName, type ProposedBudget } from './budget.ts'
import { budgetsOf, unitsOf } from './index-budgets.ts'

const proposed: ProposedBudget = { kind: 'upstream', subject: 'notes', meter: 'calls', period: 'day', amount: 1 }
const codeOf = (more: object) => checkBudget({ ...proposed, ...more })?.code ?? 'fine'

test.each([
  [{ kind: 'principal', subject: '*' }, 'fine'],
  [{ kind: 'principal', subject: 'p/1' }, 'fine'],
  [{ kind: 'principal', subject: '' }, 'policy.budget-subject-invalid'],
  [{ kind: 'role', subject: 'intern' }, 'fine'],
  [{ kind: 'role', subject: 'two\nlines' }, 'policy.budget-subject-invalid'],
  [{ kind: 'role', subject: 'x'.repeat(2_048) }, 'fine'],
  [{ kind: 'role', subject: 'x'.repeat(2_049) }, 'policy.budget-subject-invalid'],
  [{ kind: 'upstream', subject: 'notes' }, 'fine'],
  [{ kind: 'upstream', subject: 'Notes/x' }, 'policy.budget-subject-invalid'],
  [{ kind: 'upstream', subject: 'castellan' }, 'policy.budget-subject-invalid'],
  [{ kind: 'bundle', subject: 'desk' }, 'fine'],
  [{ kind: 'bundle', subject: 'a b' }, 'policy.budget-subject-invalid'],
  [{ kind: 'tool', subject: 'notes/a' }, 'fine'],
  [{ kind: 'tool', subject: 'notes/a/b *' }, 'fine'],
  [{ kind: 'tool', subject: 'notes' }, 'policy.budget-subject-invalid'],
  [{ amount: 0 }, 'fine'],
  [{ amount: -1 }, 'policy.budget-amount-invalid'],
  [{ amount: 0.5 }, 'policy.budget-amount-invalid'],
  [{ amount: 1_000_000_000_000_000 }, 'fine'],
  [{ amount: 1_000_000_000_000_001 }, 'policy.budget-amount-invalid'],
  [{ amount: '5' }, 'policy.budget-amount-invalid'],
])('a budget with %j is %s', (more, expected) => {
  expect(codeOf(more)).toBe(expected)
})

test('what is wrong is named', () => {
  expect(checkBudget({ ...proposed, subject: 'a/b' })?.says).toBe('`a/b` cannot have a budget as `upstream`')
  expect(checkBudget({ ...proposed, amount: -1 })?.says).toContain('1000000000000000')
})

test.each([
  ['notes/a', true],
  ['notes/a/b', true],
  ['notes/', false],
  ['/a', false],
  ['notes', false],
  ['castellan/a', false],
  ['no tes/a', false],
  ['', false],
])('%j names a tool: %s', (name, isRight) => {
  expect(isToolName(name)).toBe(isRight)
})

describe('an index', () => {
  const made = (id: string, kind: Budget['kind'], subject: string): Budget => ({
    ...proposed,
    id,
    kind,
    subject,
    setAt: 1,
    setBy: 'r',
  })
  const budgets = [
    made('own', 'principal', 'p'),
    made('each', 'principal', '*'),
    made('role', 'role', 'clerk'),
    made('up', 'upstream', 'notes'),
    made('tool', 'tool', 'notes/a'),
    made('bundle', 'bundle', 'desk'),
  ]
  const index = {
    bySubject: Map.groupBy(budgets, ({ kind, subject }) => `${kind}:${subject}`),
    costs: new Map([
      ['notes/a', 7],
      ['notes/', 9],
    ]),
  }
  const principal = { id: 'p', roles: ['viewer', 'clerk'] }
  const found = (more: object) =>
    budgetsOf(index, { principal, target: { upstream: 'notes', kind: 'tool', name: 'a' }, ...more }).map(
      ({ budget, holder }) => [budget.id, holder],
    )

  test('finds every budget of a call once, and whose count it goes to', () => {
    expect(found({ bundle: 'desk' })).toEqual([
      ['own', ''],
      ['each', 'p'],
      ['role', 'p'],
      ['up', ''],
      ['tool', ''],
      ['bundle', ''],
    ])
    expect(found({ target: { upstream: 'notes', kind: 'prompt', name: 'a' } }).map(([id]) => id)).toEqual([
      'own',
      'each',
      'role',
      'up',
    ])
    expect(found({ principal: { id: 'q', roles: [] }, target: { upstream: 'x', kind: 'tool', name: 'a' } })).toEqual([
      ['each', 'q'],
    ])
    expect(found({ bundle: 'other' })).not.toContainEqual(['bundle', ''])
  })

  test('a tool costs what was said, everything else one', () => {
    const costOf = (kind: 'tool' | 'prompt', upstream: string, name?: string) =>
      unitsOf(index, { upstream, kind, ...(name === undefined ? {} : { name }) })
    expect([
      costOf('tool', 'notes', 'a'),
      costOf('tool', 'notes', 'b'),
      costOf('prompt', 'notes', 'a'),
      costOf('tool', 'x', 'a'),
    ]).toEqual([7, 1, 1, 1])
    expect(costOf('tool', 'notes')).toBe(9)
  })
})

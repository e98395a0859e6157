import { expect, test } from 'vitest'
import { askedAt, loadPolicy, somebody, toolOf } from '../../../test/world/policies/decisions.ts'
import type { Grant } from '../roles/role.ts'
import { createSurroundings } from '../settings.ts'
import { explainDecision } from './explain-decision.ts'

const surroundings = createSurroundings({ policy: { timeZone: 'UTC', networks: [] } })
const target = toolOf('notes', 'send')

function explain(grants: readonly Grant[], callArguments?: Record<string, unknown>, text = '') {
  const files = text === '' ? [] : [{ name: 'a.cedar', text }]
  const loaded = loadPolicy({ roles: [{ name: 'r', grants }], files }, 3)
  const deciding = { current: () => loaded, surroundings: () => surroundings, now: () => askedAt }
  const circumstances = callArguments === undefined ? {} : { callArguments }
  return explainDecision(deciding, { principal: somebody('r'), permission: 'tools:call', target, circumstances })
}

const when = 'context.texts.hasTag("to") && context.texts.getTag("to") == "a"'
const grant = (more: object = {}): Grant => ({ permissions: ['tools:call'], resources: ['notes/tools/send'], ...more })
const forbid = '@id("no")\nforbid (principal, action in Castellan::Action::"tools:call", resource);'

test('where only a grant is missing, those for exactly this are told with what they read', () => {
  const elsewhere = grant({ resources: ['notes/tools/other'] })
  const { isAllowed, rules, unmet } = explain([elsewhere, grant({ when })], { to: 'b' })
  expect([isAllowed, rules.map(({ rule }) => rule)]).toEqual([false, ['not-granted']])
  expect(unmet).toMatchObject([
    { rule: 'role:r#2', effect: 'permit', place: 'role r#2', inputs: { 'context.texts["to"]': 'b' } },
  ])
  expect(unmet[0]?.text).toContain(when)
})

test('no unmet grant is told of an allowance, beside a forbid, or where it depends', () => {
  for (const { unmet, rules } of [
    explain([grant({ when })], { to: 'a' }),
    explain([grant({ when })]),
    explain([grant({ when }), grant()], { to: 'b' }),
    explain([grant({ when })], { to: 'b' }, forbid),
    explain([grant({ when })], { to: 7 }),
  ]) {
    expect(rules.length).toBeGreaterThan(0)
    expect(unmet).toEqual([])
  }
})

test('twenty unmet grants are told, and no more', () => {
  const many = (count: number) =>
    explain(
      Array.from({ length: count }, () => grant({ when })),
      { to: 'b' },
    ).unmet
  expect([many(20).length, many(21).length]).toEqual([20, 20])
})

test('without a policy, or of a question that is none, nothing is explained but the denial', () => {
  const deciding = { current: () => undefined, surroundings: () => surroundings, now: () => askedAt }
  const asked = { principal: somebody('r'), permission: 'tools:call', target, circumstances: {} } as const
  expect(explainDecision(deciding, asked)).toMatchObject({
    isAllowed: false,
    rules: [{ rule: 'no-snapshot' }],
    unmet: [],
  })
  const loaded = loadPolicy({ roles: [] }, 3)
  const odd = { ...asked, principal: { ...asked.principal, id: '' } }
  const explained = explainDecision({ ...deciding, current: () => loaded }, odd)
  expect(explained).toMatchObject({ isAllowed: false, rules: [{ rule: 'unreadable' }], unmet: [] })
})

import { expect, test } from 'vitest'
import { decideBy, loadPolicy, problemsIn, somebody as person } from '../../test/world/policies/decisions.ts'
import { compileRole } from './cedar/compile-role.ts'
import type { Asked } from './explain.ts'
import type { Permission } from './permissions.ts'
import { refuseBeyondReach } from './roles/reach.ts'
import { checkRole, type Grant } from './roles/role.ts'
import type { LoadedSnapshot } from './snapshot/load.ts'

const roles: { name: string; grants: Grant[] }[] = [
  { name: 'payer', grants: [{ permissions: ['tools:call'], resources: ['bank/tools/pay'], stepUp: true }] },
  { name: 'bank-all', grants: [{ permissions: ['tools:call', 'resources:read'], resources: ['bank/*'] }] },
  { name: 'reader', grants: [{ permissions: ['resources:read'], resources: ['bank/*'], stepUp: true }] },
]

function start() {
  const loaded = loadPolicy({ roles })
  const asked = { count: 0 }
  const { sliceOf, judge } = loaded.judged
  const judged: LoadedSnapshot['judged'] = {
    ...loaded.judged,
    judge: (request) => (asked.count++, judge(request)),
    sliceOf(request) {
      const slice = sliceOf(request)
      return { ...slice, judge: () => (asked.count++, slice.judge()) }
    },
  }
  return { decide: decideBy({ ...loaded, judged }), asked, rules: loaded.rules }
}

const pay: Asked = { upstream: 'bank', kind: 'tool', name: 'pay' }
const look: Asked = { upstream: 'bank', kind: 'tool', name: 'look' }

test('a grant that asks for a fresh factor compiles to a permit and a forbid that names its remedy', () => {
  const { rules } = start()
  expect(problemsIn({ roles })).toEqual([])
  const rule = rules.get('role:payer#1!step-up')
  expect(rule).toMatchObject({ remedy: { rule: 'role:payer#1!step-up', kind: 'step-up' }, effect: 'forbid' })
  expect(rule?.json.conditions.at(-1)).toEqual({
    kind: 'unless',
    body: {
      contains: {
        left: { '.': { left: { Var: 'context' }, attr: 'met' } },
        right: { Value: 'role:payer#1!step-up' },
      },
    },
  })
  expect(rule?.text).toBe(`@id("role:payer#1!step-up")
@remedy("step-up")
forbid (
  principal in Castellan::Role::"payer",
  action in [Castellan::Action::"tools:call"],
  resource
) when {
  (resource is Castellan::Tool && resource.upstream == "bank" && resource.name == "pay")
};`)
})

test('it is denied with a remedy, and allowed with the factor, whatever other roles grant', () => {
  const { decide } = start()
  for (const own of [['payer'], ['payer', 'bank-all']]) {
    expect(decide(person(...own), 'tools:call', pay)).toEqual({
      isAllowed: false,
      remedies: [{ rule: 'role:payer#1!step-up', kind: 'step-up' }],
      mayDepend: false,
      snapshotVersion: 1,
      reasons: [
        {
          rule: 'role:payer#1!step-up',
          says: 'role `payer` asks for a fresh factor for each `tools:call` on `bank/tools/pay` in its grant 1',
        },
      ],
    })
    const proved = decide(person(...own), 'tools:call', pay, { met: new Set(['role:payer#1!step-up']) })
    expect(proved.isAllowed).toBe(true)
    expect(proved.remedies).toEqual([])
    expect(proved.reasons.map(({ rule }) => rule)).toContain('role:payer#1')
    expect(proved.reasons.map(({ rule }) => rule).join()).not.toContain('!step-up')
  }
  expect(decide(person('bank-all'), 'tools:call', pay).isAllowed).toBe(true)
  expect(decide(person('bank-all', 'payer'), 'tools:call', look).isAllowed).toBe(true)
})

test('a factor grants nothing by itself, and a denial that it would not mend has no remedy', () => {
  const { decide } = start()
  for (const met of ['all', new Set(['role:payer#1!step-up']), undefined] as const) {
    for (const [own, permission, target] of [
      [['payer'], 'tools:call', look],
      [[], 'tools:call', pay],
      [['payer'], 'servers:use', { upstream: 'bank', kind: 'server' }],
      [['payer'], 'people:read', 'castellan'],
    ] as [string[], Permission, Asked][]) {
      const decision = decide(person(...own), permission, target, { met })
      expect(decision.isAllowed).toBe(false)
      expect(decision.remedies).toEqual([])
    }
  }
})

test('the engine is asked once for what is allowed or not granted, twice for what a factor mends, then never again', () => {
  const { decide, asked } = start()
  const count = (own: string, target: Asked, isSteppedUp = false): number => {
    const before = asked.count
    decide(person(own), 'tools:call', target, { met: isSteppedUp ? 'all' : undefined })
    return asked.count - before
  }
  expect([count('bank-all', pay), count('payer', look), count('payer', pay), count('payer', pay, true)]).toEqual([
    1, 1, 2, 1,
  ])
  expect([count('bank-all', pay), count('payer', look), count('payer', pay), count('payer', pay, true)]).toEqual([
    0, 0, 0, 0,
  ])
  expect(decide(person('payer'), 'tools:call', pay).isAllowed).toBe(false)
  expect(decide(person('payer'), 'tools:call', pay, { met: 'all' }).isAllowed).toBe(true)
})

test('where the remedy cannot be judged, the denial is told without one', () => {
  const loaded = loadPolicy({ roles })
  const judge: LoadedSnapshot['judged']['judge'] = () => ({
    outcome: 'deny',
    deciding: [],
    undecided: [],
    errors: [{ id: 'role:payer#1', because: 'type', message: 'trap' }],
  })
  const decision = decideBy({ ...loaded, judged: { ...loaded.judged, judge } })(person('payer'), 'tools:call', pay)
  expect(decision).toMatchObject({ isAllowed: false, remedies: [] })
})

test('a fresh factor is asked for single calls alone', () => {
  const check = (grant: object) => checkRole({ name: 'r', description: '', grants: [grant as Grant] })?.code
  const all = { permissions: ['tools:call', 'resources:read', 'prompts:get', 'files:read'], resources: ['bank/*'] }
  expect(check({ ...all, stepUp: true })).toBeUndefined()
  expect(check(all)).toBeUndefined()
  for (const stepUp of [false, 'true', 1, null, {}]) expect(check({ ...all, stepUp })).toBe('policy.step-up-invalid')
  for (const permission of ['*', 'servers:use', 'roots:share', 'people:read']) {
    const grant = { permissions: ['tools:call', permission], resources: ['*'], stepUp: true }
    expect(check(grant), permission).toBe('policy.step-up-idle')
  }
  expect(() => compileRole({ name: 'r', grants: [{ permissions: ['*'], resources: ['*'], stepUp: true }] })).toThrow(
    'in vain',
  )
})

test('nobody gives without a factor what they have with one alone', () => {
  const give = (by: string, grant: Grant) => refuseBeyondReach(person(by), roles, [grant])?.code
  const plain = { permissions: ['tools:call'], resources: ['bank/tools/pay'] }
  expect(give('payer', plain)).toBe('policy.beyond-own-grants')
  expect(give('payer', { ...plain, stepUp: true })).toBeUndefined()
  expect(give('bank-all', plain)).toBeUndefined()
  expect(give('bank-all', { ...plain, stepUp: true })).toBeUndefined()
})

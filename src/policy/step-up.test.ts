import type { Principal } from '#kernel'
import { expect, test } from 'vitest'
import { compileRoles } from './cedar/compile.ts'
import { createJudge, findProblems } from './cedar/judge.ts'
import { createDecide } from './decide.ts'
import { createDecisionCache } from './decision-cache.ts'
import type { Asked } from './explain.ts'
import type { Permission } from './permissions.ts'
import { refuseBeyondReach } from './roles/reach.ts'
import { checkRole, type Grant } from './roles/role.ts'
import type { LoadedSnapshot } from './snapshot/load.ts'

const prepare = createJudge()

const roles: { name: string; grants: Grant[] }[] = [
  { name: 'payer', grants: [{ permissions: ['tools:call'], resources: ['bank/tools/pay'], stepUp: true }] },
  { name: 'bank-all', grants: [{ permissions: ['tools:call', 'resources:read'], resources: ['bank/*'] }] },
  { name: 'reader', grants: [{ permissions: ['resources:read'], resources: ['bank/*'], stepUp: true }] },
]

function start() {
  const { policies, cedar } = compileRoles(roles, 1)
  const asked = { count: 0 }
  const ask = prepare(policies)
  const grants = new Map(policies.map((policy) => [policy.id, policy]))
  const cache = createDecisionCache<never>(1_000) as LoadedSnapshot['cache']
  const loaded: LoadedSnapshot = {
    version: 1,
    hash: '',
    cedar,
    grants,
    cache,
    ask: (question) => {
      asked.count += 1
      return ask(question)
    },
  }
  return { decide: createDecide(() => loaded), asked, policies }
}

function person(...own: string[]): Principal {
  const credential = { kind: 'session', id: 's1', expiresAt: 1 } as const
  return { id: 'p1', name: 'ada', roles: own, factors: ['password', 'totp'], credential }
}

const pay: Asked = { upstream: 'bank', kind: 'tool', name: 'pay' }
const look: Asked = { upstream: 'bank', kind: 'tool', name: 'look' }

test('a grant that asks for a fresh factor compiles to a permit and a forbid that names its remedy', () => {
  const { policies } = start()
  expect(findProblems(policies)).toEqual([])
  expect(policies.find(({ id }) => id === 'role:payer#1!step-up')?.text).toBe(`@id("role:payer#1!step-up")
@remedy("step-up")
forbid (
  principal in Castellan::Role::"payer",
  action in [Castellan::Action::"tools:call"],
  resource
) when {
  (resource is Castellan::Tool && resource.upstream == "bank" && resource.name == "pay")
} unless {
  context.stepUp
};`)
})

test('it is denied with a remedy, and allowed with the factor, whatever other roles grant', () => {
  const { decide } = start()
  for (const own of [['payer'], ['payer', 'bank-all']]) {
    expect(decide(person(...own), 'tools:call', pay)).toEqual({
      isAllowed: false,
      remedy: 'step-up',
      snapshotVersion: 1,
      reasons: [
        {
          rule: 'role:payer#1!step-up',
          says: 'role `payer` asks for a fresh factor for each `tools:call` on `bank/tools/pay` in its grant 1',
        },
      ],
    })
    const proved = decide(person(...own), 'tools:call', pay, { isSteppedUp: true })
    expect(proved.isAllowed).toBe(true)
    expect(proved).not.toHaveProperty('remedy')
    expect(proved.reasons.map(({ rule }) => rule)).toContain('role:payer#1')
    expect(proved.reasons.map(({ rule }) => rule).join()).not.toContain('!step-up')
  }
  expect(decide(person('bank-all'), 'tools:call', pay).isAllowed).toBe(true)
  expect(decide(person('bank-all', 'payer'), 'tools:call', look).isAllowed).toBe(true)
})

test('a factor grants nothing by itself, and a denial that it would not mend has no remedy', () => {
  const { decide } = start()
  for (const isSteppedUp of [true, false]) {
    for (const [own, permission, target] of [
      [['payer'], 'tools:call', look],
      [[], 'tools:call', pay],
      [['payer'], 'servers:use', { upstream: 'bank', kind: 'server' }],
      [['payer'], 'people:read', 'castellan'],
    ] as [string[], Permission, Asked][]) {
      const decision = decide(person(...own), permission, target, { isSteppedUp })
      expect(decision.isAllowed).toBe(false)
      expect(decision).not.toHaveProperty('remedy')
    }
  }
})

test('the engine is asked once for what is allowed or not granted, twice for what a factor mends, then never again', () => {
  const { decide, asked } = start()
  const count = (own: string, target: Asked, isSteppedUp = false): number => {
    const before = asked.count
    decide(person(own), 'tools:call', target, { isSteppedUp })
    return asked.count - before
  }
  expect([count('bank-all', pay), count('payer', look), count('payer', pay), count('payer', pay, true)]).toEqual([
    1, 1, 2, 1,
  ])
  expect([count('bank-all', pay), count('payer', look), count('payer', pay), count('payer', pay, true)]).toEqual([
    0, 0, 0, 0,
  ])
  expect(decide(person('payer'), 'tools:call', pay).isAllowed).toBe(false)
  expect(decide(person('payer'), 'tools:call', pay, { isSteppedUp: true }).isAllowed).toBe(true)
})

test('an engine that cannot judge the remedy leaves a plain denial', () => {
  const { policies, cedar } = compileRoles(roles, 1)
  const ask = prepare(policies)
  const loaded: LoadedSnapshot = {
    version: 1,
    hash: '',
    cedar,
    grants: new Map(policies.map((policy) => [policy.id, policy])),
    cache: createDecisionCache(10),
    ask: (question) =>
      question.stepUp === true ? { isAllowed: true, policyIds: ['x'], problem: 'trap' } : ask(question),
  }
  const decision = createDecide(() => loaded)(person('payer'), 'tools:call', pay)
  expect(decision).toMatchObject({ isAllowed: false, reasons: [{ rule: 'not-granted' }] })
  expect(decision).not.toHaveProperty('remedy')
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
  expect(() =>
    compileRoles([{ name: 'r', grants: [{ permissions: ['*'], resources: ['*'], stepUp: true }] }], 1),
  ).toThrow('in vain')
})

test('nobody gives without a factor what they have with one alone', () => {
  const give = (by: string, grant: Grant) => refuseBeyondReach(person(by), roles, [grant])?.code
  const plain = { permissions: ['tools:call'], resources: ['bank/tools/pay'] }
  expect(give('payer', plain)).toBe('policy.beyond-own-grants')
  expect(give('payer', { ...plain, stepUp: true })).toBeUndefined()
  expect(give('bank-all', plain)).toBeUndefined()
  expect(give('bank-all', { ...plain, stepUp: true })).toBeUndefined()
})

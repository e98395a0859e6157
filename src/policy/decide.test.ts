import { policySetTextToParts } from '@cedar-policy/cedar-wasm/nodejs'
import fc from 'fast-check'
import type { Principal } from '#kernel'
import { expect, test } from 'vitest'
import { decideBy, loadPolicy, somebody, toolOf } from '../../test/world/policies/decisions.ts'
import type { Judgement } from './evaluate/compile-rules.ts'
import type { Asked } from './explain.ts'
import { permissions, type Permission } from './permissions.ts'
import type { Grant } from './roles/role.ts'
import { demoRoles, shippedRoles } from './roles/shipped.ts'
import type { LoadedSnapshot } from './snapshot/load.ts'

interface RoleText {
  name: string
  grants: readonly Grant[]
}

const load = (roles: readonly RoleText[], version = 1): LoadedSnapshot => loadPolicy({ roles }, version)
const person = somebody
const tool = (name: string, upstream = 'notes'): Asked => toolOf(upstream, name)
const decideUnder = (roles: readonly RoleText[]) => decideBy(load(roles))

const folders = { tool: 'tools', resource: 'resources', prompt: 'prompts' } as const
const kindOf: Record<string, string> = {
  'servers:use': 'server',
  'tools:call': 'tool',
  'resources:read': 'resource',
  'prompts:get': 'prompt',
  'files:read': 'resource',
  'roots:share': 'server',
}

/** What the roles mean, written a second time without Cedar: by comparing pattern texts. */
function mayByText(roles: readonly RoleText[], own: readonly string[], permission: string, target: Asked): boolean {
  const kind = target === 'castellan' ? 'castellan' : target.kind
  if ((kindOf[permission] ?? 'castellan') !== kind) return false
  const fitting = ['*']
  if (target === 'castellan') fitting.push('castellan')
  else if (!target.upstream.includes('/') && target.upstream !== '*' && target.upstream !== 'castellan') {
    const { upstream, kind: offered, name } = target
    if (offered === 'server') fitting.push(upstream)
    else fitting.push(`${upstream}/*`, `${upstream}/${folders[offered]}/*`, `${upstream}/${folders[offered]}/${name}`)
  }
  return roles.some(
    (role) =>
      own.includes(role.name) &&
      role.grants.some(
        (grant) =>
          (grant.permissions.includes('*') || grant.permissions.includes(permission)) &&
          grant.resources.some((resource) => fitting.includes(resource)),
      ),
  )
}

const nasty = [
  'a',
  'a"',
  'a\\"',
  'a\\',
  'a\n',
  'a\\n',
  '"); permit(principal, action, resource); //',
  '" || true || "',
  '\\u{61}',
  '\u0000',
  'é',
  'e\u0301',
  '\u202Etxt',
  '\u{1F600}',
  '__proto__',
  'constructor',
  'toString',
  'castellan',
  '*',
  'tools/*',
  'a/b',
  'role:a#1',
  '//',
  '?principal',
]
const anyName = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ unit: 'binary', minLength: 1 }).filter((text) => text.isWellFormed()),
  fc.string({ minLength: 1 }),
)
const world = fc.record({
  names: fc.uniqueArray(anyName, { minLength: 3, maxLength: 8 }),
  upstreams: fc.uniqueArray(anyName, { minLength: 2, maxLength: 4 }),
  roleNames: fc.uniqueArray(anyName, { minLength: 2, maxLength: 5 }),
})
const permissionOrAll = fc.constantFrom('*', ...permissions)

function rolesAndRequests({
  names,
  upstreams,
  roleNames,
}: {
  names: string[]
  upstreams: string[]
  roleNames: string[]
}) {
  const plain = upstreams.filter((name) => !name.includes('/') && name !== '*' && name !== 'castellan')
  const upstream = fc.constantFrom('notes', ...plain)
  const name = fc.constantFrom('read', ...names)
  const folder = fc.constantFrom('tools', 'resources', 'prompts')
  const pattern = fc.oneof(
    fc.constantFrom('*', 'castellan'),
    upstream,
    upstream.map((one) => `${one}/*`),
    fc.tuple(upstream, folder).map((parts) => `${parts.join('/')}/*`),
    { arbitrary: fc.tuple(upstream, folder, name).map((parts) => parts.join('/')), weight: 4 },
  )
  const grant = fc.record({
    permissions: fc.array(permissionOrAll, { minLength: 1, maxLength: 4 }),
    resources: fc.array(pattern, { minLength: 1, maxLength: 5 }),
  })
  const anyUpstream = fc.constantFrom('notes', ...upstreams)
  const target: fc.Arbitrary<Asked> = fc.oneof(
    fc.constant('castellan' as const),
    anyUpstream.map((one) => ({ upstream: one, kind: 'server' as const })),
    {
      arbitrary: fc.record({ upstream: anyUpstream, kind: fc.constantFrom('tool', 'resource', 'prompt'), name }),
      weight: 6,
    },
  )
  return fc.record({
    roles: fc.tuple(
      ...roleNames.map((role) => fc.array(grant, { maxLength: 3 }).map((grants) => ({ name: role, grants }))),
    ),
    requests: fc.array(
      fc.record({
        own: fc.oneof(fc.constant(roleNames), fc.subarray([...roleNames, 'nobody-has-this'])),
        permission: fc.constantFrom(...permissions),
        target,
      }),
      { minLength: 25, maxLength: 25 },
    ),
  })
}

/** The permission that can apply to this target, most of the time. */
function fitting(permission: string, target: Asked): Permission {
  const kind = target === 'castellan' ? undefined : target.kind
  const own = Object.keys(kindOf).find((one) => kindOf[one] === kind)
  return (own ?? permission) as Permission
}

test('a compiled decision equals the meaning of the roles, whatever the names are', () => {
  const seen = { cases: 0, allowed: 0 }
  fc.assert(
    fc.property(world.chain(rolesAndRequests), ({ roles, requests }) => {
      const loaded = load(roles)
      const decide = decideBy(loaded)
      const parts = policySetTextToParts(loaded.cedar)
      expect(parts.type === 'success' && parts.policies.length).toBe(roles.flatMap((role) => role.grants).length)
      for (const [index, { own, permission, target }] of requests.entries()) {
        const asked = index % 5 === 0 ? (permission as Permission) : fitting(permission, target)
        const expected = mayByText(roles, own, asked, target)
        const first = decide(person(...own), asked, target)
        expect(first.isAllowed).toBe(expected)
        expect(first.reasons.map((reason) => reason.rule)).not.toContain('engine')
        expect(decide(person(...own.toReversed()), asked, target).isAllowed).toBe(expected)
        seen.cases++
        if (expected) seen.allowed++
      }
    }),
    { numRuns: 200 },
  )
  expect(seen.cases).toBeGreaterThanOrEqual(4_000)
  expect(seen.allowed).toBeGreaterThan(250)
  expect(seen.cases - seen.allowed).toBeGreaterThan(400)
})

test('a name of 64 KiB is judged exactly, to its last character, and a longer one is denied', () => {
  const uri = `file:///${'x'.repeat(65_536 - 8)}`
  const decide = decideUnder([
    { name: 'r', grants: [{ permissions: ['resources:read'], resources: [`files/resources/${uri}`] }] },
  ])
  const may = (name: string) =>
    decide(person('r'), 'resources:read', { upstream: 'files', kind: 'resource', name }).isAllowed
  expect(may(uri)).toBe(true)
  expect(may(`${uri.slice(0, -1)}y`)).toBe(false)
  expect(may(uri.slice(0, -1))).toBe(false)
  const everything = decideUnder([{ name: 'r', grants: [{ permissions: ['*'], resources: ['*'] }] }])
  const long = (name: string) => everything(person('r'), 'resources:read', { upstream: 'f', kind: 'resource', name })
  expect(long('x'.repeat(65_536)).isAllowed).toBe(true)
  expect(long('x'.repeat(65_537)).isAllowed).toBe(false)
})

test('an allowed decision names role, grant, permission, target and snapshot', () => {
  const loaded = load(demoRoles, 7)
  const decision = decideBy(loaded)(person('notes-reader'), 'tools:call', tool('read_note'))
  expect(decision).toEqual({
    isAllowed: true,
    mayDepend: false,
    remedies: [],
    snapshotVersion: 7,
    reasons: [
      {
        rule: 'role:notes-reader#1',
        says: 'role `notes-reader` grants `tools:call` on `notes/tools/read_note` in its grant 1',
      },
    ],
  })
})

test('a decision that two roles allow gives both reasons', () => {
  const decision = decideUnder(demoRoles)(person('notes-reader', 'notes-writer'), 'tools:call', tool('read_note'))
  expect(decision.reasons.map((reason) => reason.rule)).toEqual(['role:notes-reader#1', 'role:notes-writer#1'])
})

test('a denial says what no role grants and what would be needed, also when it is remembered', () => {
  const decide = decideUnder(demoRoles)
  const says =
    'no role of `ada` grants `tools:call` on `notes/tools/delete` (`notes-reader`); ' +
    'needed is a role with `tools:call` on `notes/tools/delete` or `notes/tools/*`'
  const reasons = [{ rule: 'not-granted', says }]
  const expected = { isAllowed: false, snapshotVersion: 1, reasons, remedies: [], mayDepend: false }
  expect(decide(person('notes-reader'), 'tools:call', tool('delete'))).toEqual(expected)
  const again = decide({ ...person('notes-reader'), name: 'bob`\n' }, 'tools:call', tool('delete'))
  expect(again).toEqual({
    ...expected,
    reasons: [{ rule: 'not-granted', says: says.replace('`ada`', '`bob??`') }],
  })
})

test('a denial says which grants for exactly this have conditions that are not met', () => {
  const grant = (tool: string, when?: string): Grant => ({
    permissions: ['tools:call'],
    resources: [`notes/tools/${tool}`],
    ...(when !== undefined && { when }),
  })
  const said = (grants: readonly Grant[]) =>
    decideUnder([{ name: 'late', grants }])(person('late'), 'tools:call', tool('delete')).reasons.map(
      ({ says }) => says,
    )
  const never = 'principal.name == "nobody"'
  const places = (...numbers: readonly number[]) => numbers.map((number) => `\`role late#${number}\``).join(', ')
  const begin = '`tools:call` on `notes/tools/delete` is granted under conditions that are not met: those of'
  const elsewhere = [grant('other', never), grant('other')]
  expect(said([...elsewhere, grant('delete', never)])).toEqual([`${begin} ${places(3)}`])
  expect(said(Array.from({ length: 5 }, () => grant('delete', never)))).toEqual([`${begin} ${places(1, 2, 3, 4, 5)}`])
  const many = Array.from({ length: 6 }, () => grant('delete', never))
  expect(said(many)).toEqual([`${begin} ${places(1, 2, 3, 4, 5)} and of 1 more`])
  expect(said(elsewhere)[0]).toContain('no role of `ada` grants')
})

test('the shipped roles allow what they say', () => {
  const decide = decideUnder(shippedRoles)
  const may = (role: string, permission: Permission) => decide(person(role), permission, 'castellan').isAllowed
  expect(permissions.slice(6).filter((one) => !may('admin', one as Permission))).toEqual([])
  expect(decide(person('admin'), 'tools:call', tool('anything')).isAllowed).toBe(true)
  expect(may('analyst', 'holds:write')).toBe(true)
  expect(may('analyst', 'roles:write')).toBe(false)
  expect(may('viewer', 'people:read')).toBe(true)
  expect(may('viewer', 'audit:read')).toBe(false)
  expect(decide(person('analyst'), 'tools:call', tool('anything')).isAllowed).toBe(false)
})

test('a person without roles, or with only unknown ones, may do nothing', () => {
  const decide = decideUnder([...shippedRoles, ...demoRoles])
  for (const roles of [[], ['Admin'], ['admin '], ['__proto__'], ['*']]) {
    expect(decide(person(...roles), 'people:read', 'castellan').isAllowed).toBe(false)
  }
})

test('without a snapshot everything is denied', () => {
  const decision = decideBy(undefined)(person('admin'), 'people:read', 'castellan')
  expect(decision).toMatchObject({ isAllowed: false, snapshotVersion: 0, reasons: [{ rule: 'no-snapshot' }] })
})

test('a question that cannot be read is denied, also for an administrator', () => {
  const decide = decideUnder(shippedRoles)
  const unreadable: [string, unknown][] = [
    ['tools:eat', tool('a')],
    ['constructor', tool('a')],
    ['*', tool('a')],
    ['tools:call', undefined],
    ['tools:call', null],
    ['tools:call', '*'],
    ['tools:call', 'castellan'],
    ['tools:call', {}],
    ['tools:call', { upstream: 'notes', kind: 'tool' }],
    ['tools:call', { upstream: 'notes', kind: 'tool', name: '' }],
    ['tools:call', { upstream: '', kind: 'tool', name: 'a' }],
    ['tools:call', { upstream: 'notes', kind: 'tool', name: 7 }],
    ['tools:call', { upstream: 'notes', kind: 'tool', name: 'a\ud800' }],
    ['tools:call', { upstream: 'notes', kind: '__proto__', name: 'a' }],
    ['tools:call', { upstream: 'notes', kind: 'resource', name: 'a' }],
    ['servers:use', { upstream: 'notes', kind: 'server', name: 'a' }],
    ['people:read', { upstream: 'notes', kind: 'server' }],
  ]
  for (const [permission, target] of unreadable) {
    const decision = decide(person('admin'), permission as Permission, target as Asked)
    expect(decision.isAllowed, `${permission} ${JSON.stringify(target)}`).toBe(false)
    expect(decision.reasons).toHaveLength(1)
  }
  for (const roles of [undefined, 'admin', [7], ['admin\ud800']]) {
    const broken = { ...person(), roles: roles as string[] }
    expect(decide(broken, 'people:read', 'castellan').isAllowed).toBe(false)
  }
  const nobody: Principal = JSON.parse('null')
  expect(decide(nobody, 'people:read', 'castellan').isAllowed).toBe(false)
})

const allowed: Judgement = { outcome: 'allow', deciding: ['role:admin#1'], undecided: [], errors: [] }

function judgedBy(loaded: LoadedSnapshot, judge: () => Judgement): LoadedSnapshot {
  const sliceOf = () => ({ key: () => 'k', judge, reads: () => [], permits: () => [] })
  return { ...loaded, judged: { ...loaded.judged, sliceOf, judge } }
}

test('rules that fail or err deny, and the failure is not remembered', () => {
  const broken = (judge: () => Judgement) =>
    decideBy(judgedBy(load(shippedRoles), judge))(person('admin'), 'people:read', 'castellan')
  const errors = [{ id: 'role:admin#1', because: 'overflow', message: 'too much' }] as const
  const thrown = broken(() => {
    throw new Error('trap')
  })
  const reported = broken(() => ({ ...allowed, outcome: 'deny', errors }))
  const invented = broken(() => ({ ...allowed, deciding: ['role:ghost#1'] }))
  for (const decision of [thrown, reported, invented]) {
    expect(decision).toMatchObject({ isAllowed: false, reasons: [{ rule: 'engine' }] })
  }
  let calls = 0
  const once = judgedBy(load(shippedRoles), () => (calls++ === 0 ? { ...allowed, outcome: 'deny', errors } : allowed))
  const decide = decideBy(once)
  expect(decide(person('admin'), 'people:read', 'castellan').isAllowed).toBe(false)
  expect(decide(person('admin'), 'people:read', 'castellan').isAllowed).toBe(true)
})

test('a question is not judged again where nothing differs that a rule reads', () => {
  let calls = 0
  const loaded = load(demoRoles)
  const { sliceOf } = loaded.judged
  const counted: LoadedSnapshot = {
    ...loaded,
    judged: {
      ...loaded.judged,
      sliceOf(request) {
        const slice = sliceOf(request)
        return { ...slice, judge: () => (calls++, slice.judge()) }
      },
    },
  }
  const decide = decideBy(counted)
  const first = decide(person('notes-writer', 'notes-reader'), 'tools:call', tool('read_note'))
  const second = decide(person('notes-reader', 'notes-writer', 'notes-reader'), 'tools:call', tool('read_note'))
  expect(second).toEqual(first)
  for (let times = 0; times < 3; times++) decide(person('notes-reader'), 'tools:call', tool('delete'))
  expect(calls).toBe(2)
})

test('a wildcard in permissions never widens resources, nor the reverse, nor does a condition or an effect class', () => {
  const grants: Grant[] = [
    { permissions: ['*'], resources: ['notes/tools/read'] },
    { permissions: ['resources:read'], resources: ['*'] },
    { permissions: ['*'], resources: ['mail/*'], when: 'context.flow.contains("never")' },
    { permissions: ['tools:call/write'], resources: ['*'] },
  ]
  const decide = decideUnder([{ name: 'r', grants }])
  const flow = new Set<string>()
  const may = (permission: Permission, target: Asked) => decide(person('r'), permission, target, { flow }).isAllowed
  expect(may('tools:call', tool('read'))).toBe(true)
  expect(may('resources:read', { upstream: 'x', kind: 'resource', name: 'u' })).toBe(true)
  expect(may('resources:read', { upstream: 'mail', kind: 'resource', name: 'u' })).toBe(true)
  for (const [permission, target] of [
    ['tools:call', tool('other')],
    ['tools:call', tool('read', 'mail')],
    ['prompts:get', { upstream: 'notes', kind: 'prompt', name: 'read' }],
    ['files:read', { upstream: 'x', kind: 'resource', name: 'file:///u' }],
    ['servers:use', { upstream: 'notes', kind: 'server' }],
    ['people:read', 'castellan'],
    ['roles:write', 'castellan'],
  ] as [Permission, Asked][]) {
    expect(may(permission, target), permission).toBe(false)
  }
})

import { expect, test } from 'vitest'
import { compilePolicy } from '../cedar/compile.ts'
import { askedAt, decideBy } from '../../../test/world/policies/decisions.ts'
import { prepareSnapshot } from '../snapshot/load.ts'
import { shippedRoles } from '../roles/shipped.ts'
import type { World } from './finding.ts'
import { lint } from './lint.ts'

const paySchema = {
  type: 'object',
  properties: {
    to: { type: 'string' },
    cents: { type: 'integer' },
    urgent: { type: 'boolean' },
    tags: { type: 'array' },
    from: { type: 'object', properties: { iban: { type: 'string' } }, additionalProperties: false },
    open: {},
  },
  additionalProperties: false,
}

const world: World = {
  upstreams: new Set(['bank', 'mail']),
  tools: new Map<string, unknown>([
    ['bank/pay', paySchema],
    ['bank/list', undefined],
    ['mail/send', { type: 'object' }],
  ]),
  groups: new Set(['finance']),
  networks: new Set(['office']),
  holders: new Map([
    ['admin', 1],
    ['payer', 2],
  ]),
  changers: [],
}

const payer = {
  name: 'payer',
  description: '',
  grants: [{ permissions: ['tools:call'], resources: ['bank/tools/pay'] }],
  isShipped: false,
}

/** Findings as `code rule line`, of one policy file beside the shipped roles and `payer`. */
function found(text: string, roles = [...shippedRoles, payer], changers: World['changers'] = []): string[] {
  const source = { roles, files: [{ name: 'house.cedar', text }] }
  const compiled = compilePolicy(source, 1)
  if (!compiled.isValid) throw new Error(JSON.stringify(compiled.problems))
  const { policy } = compiled
  const decide = decideBy(prepareSnapshot({ version: 1, hash: '', cedar: policy.cedar }, policy))
  return lint({ rules: policy.rules, source, world: { ...world, changers }, decide, nowMs: askedAt }).map(
    ({ severity, code, rule, line }) =>
      `${severity} ${code.replace('lint.', '')} ${rule}${line === undefined ? '' : `:${line}`}`,
  )
}

const forBank = 'resource is Castellan::Tool) when { resource.upstream == "bank"'
const scope = `principal in Castellan::Role::"payer", action in Castellan::Action::"tools:call", ${forBank}`

test('rules without a mistake have no findings', () => {
  expect(found(`permit (${scope} && resource.name == "list" && context.zones.contains("office") };`)).toEqual([])
  expect(
    found('forbid (principal in Castellan::Group::"finance", action in Castellan::Action::"write", resource);'),
  ).toEqual([])
})

test.each([
  [
    'unknown-role',
    'error',
    'forbid (principal in Castellan::Role::"pair", action in Castellan::Action::"write", resource);',
  ],
  [
    'unknown-group',
    'warning',
    'forbid (principal in Castellan::Group::"fin", action in Castellan::Action::"write", resource);',
  ],
  [
    'unknown-group',
    'warning',
    'forbid (principal, action in Castellan::Action::"write", resource) unless { principal in Castellan::Group::"fin" };',
  ],
  [
    'unknown-upstream',
    'warning',
    'forbid (principal, action in Castellan::Action::"write", resource is Castellan::Tool) when { ["bank", "bnk"].contains(resource.upstream) };',
  ],
  ['unknown-tool', 'warning', `forbid (${scope} && resource.name == "transfer" };`],
  ['unknown-network', 'error', `forbid (${scope} } unless { context.zones.contains("home") };`],
] as const)('%s is found, as %s', (code, severity, text) => {
  expect(found(`\n\n@id("r")\n${text}`)).toEqual([`${severity} ${code} house.cedar#r:3`])
})

test('rules that never apply are errors', () => {
  const torn = `@id("r")\nforbid (${scope} && resource.name == "pay" && resource.name == "list" };`
  expect(found(torn)).toContain('error never-matches house.cedar#r:1')
  const constant = `@id("r")\nforbid (${scope} } unless { true || context.zones.contains("office") };`
  expect(found(constant)).toContain('error never-matches house.cedar#r:1')
  expect(found(`@id("r")\nforbid (${scope} } unless { context.zones.contains("office") };`)).toEqual([])
})

test('a permit that another one covers, and one that a forbid beats, are found; what is broader is not', () => {
  const ofFile = (text: string) => found(text).filter((line) => line.includes('house.cedar'))
  const narrow = `@id("narrow") permit (${scope} && resource.name == "list" };`
  const wide = `@id("wide") permit (${scope} };`
  expect(ofFile(`${narrow}\n${wide}`)).toEqual(['warning shadowed-permit house.cedar#narrow:1'])
  expect(ofFile(`${wide}\n${wide.replace('wide', 'twin')}`)).toEqual(['warning shadowed-permit house.cedar#twin:2'])
  const ban = `@id("ban") forbid (principal, action in Castellan::Action::"tools:call", ${forBank} };`
  expect(ofFile(`${narrow}\n${ban}`)).toEqual(['warning beaten-permit house.cedar#narrow:1'])
  expect(ofFile(`${wide}\n${ban.replace('};', '&& resource.name == "list" };')}`)).toEqual([])
  expect(ofFile(`${narrow}\n@remedy("approval") @approvers("payer")\n${ban}`)).toEqual([])
  expect(ofFile(`${narrow}\n@shadow\n${ban}`)).toEqual([])
})

test('a forbid by which nobody could change the policy again is an error', () => {
  for (const text of [
    'forbid (principal, action, resource);',
    'forbid (principal, action in Castellan::Action::"administer", resource);',
    'forbid (principal is Castellan::Person, action == Castellan::Action::"roles:write", resource is Castellan::AdminPlane);',
  ]) {
    expect(found(`@id("r") ${text}`)).toContain('error locks-out house.cedar#r:1')
  }
  const some = 'forbid (principal in Castellan::Role::"payer", action in Castellan::Action::"administer", resource);'
  expect(found(some)).toEqual([])
  const conditional =
    'forbid (principal, action in Castellan::Action::"administer", resource) when { context.time.hour < 6 };'
  expect(found(conditional)).toEqual([])
})

const root = { id: 'p1', name: 'root', roles: ['admin'] }
const kim = { id: 'p2', name: 'kim', roles: ['admin', 'payer'] }

test.each([
  ['that reads the flow, which the admin plane does not know', '', 'context.flow.contains("untrusted")'],
  ['that reads the address, which the admin plane does not know', '', 'context.zones.contains("office")'],
  ['with a remedy, which the admin plane does not offer', '@remedy("step-up")', 'context.time.hour >= 0'],
  ['for those without a role that nobody has', '', '!(principal in Castellan::Role::"viewer")'],
] as const)('a broad forbid %s locks everybody out: an error', (_title, remedy, condition) => {
  const text = `@id("r") ${remedy} forbid (principal, action, resource) when { ${condition} };`
  expect(found(text, undefined, [root, kim])).toContain('error locks-out house.cedar#r:1')
  expect(found(text.replace('action,', 'action in Castellan::Action::"tools:call",'), undefined, [root])).toEqual([])
  expect(found(`@shadow ${text}`, undefined, [root])).toEqual([])
})

test('a forbid that locks some out has to be accepted; hours of the week and second factors lock nobody out', () => {
  const forbid = (condition: string) => `@id("r") forbid (principal, action, resource) when { ${condition} };`
  const some = forbid('principal in Castellan::Role::"payer"')
  expect(found(some, undefined, [root, kim])).toEqual(['warning locks-out-some house.cedar#r:1'])
  expect(found(some, undefined, [kim])).toEqual(['error locks-out house.cedar#r:1'])
  expect(found(some, undefined, [root])).toEqual([])
  expect(found(forbid('context.time.weekday != "tuesday" || context.time.hour != 13'), undefined, [root])).toEqual([])
  for (const factor of ['password', 'passkey', 'identity-provider-mfa']) {
    expect(found(forbid(`!context.factors.contains("${factor}")`), undefined, [root])).toEqual([])
  }
  const client = found(forbid('!context.factors.contains("client-secret")'), undefined, [root])
  expect(client).toEqual(['error locks-out house.cedar#r:1'])
})

test('roles by which nobody could change the policy again are an error, also without a rule', () => {
  const keeper = { id: 'p3', name: 'keeper', roles: ['keeper'] }
  expect(found('', undefined, [keeper])).toEqual(['error locks-out '])
  expect(found('', undefined, [keeper, root])).toEqual([])
})

test('rules that only deny are found', () => {
  const text = '@id("r") forbid (principal, action in Castellan::Action::"write", resource is Castellan::Tool);'
  expect(found(text, [...shippedRoles])).toEqual(['warning deny-only house.cedar#r:1'])
  expect(found(text)).toEqual([])
})

test('permits for everybody or for everything are reviewed, in files and in roles', () => {
  expect(found('@id("r") permit (principal, action in Castellan::Action::"discover", resource);')).toEqual([
    'warning wildcard-principal house.cedar#r:1',
    'warning wildcard-resource house.cedar#r:1',
  ])
  const wide = { ...payer, name: 'wide', grants: [{ permissions: ['tools:call'], resources: ['*'] }] }
  expect(found('', [...shippedRoles, wide])).toEqual(['warning wildcard-resource role:wide#1'])
  const narrowed =
    'permit (principal, action in Castellan::Action::"discover", resource) when { principal in Castellan::Group::"finance" && resource.upstream == "bank" };'
  expect(found(narrowed)).toEqual([])
})

test('approvals that nobody can give are found', () => {
  const rule = (approvers: string, count: number) =>
    `@id("r") @remedy("approval") @approvers("${approvers}") @count("${count}")\nforbid (${scope} };`
  expect(found(rule('payer', 2))).toEqual([])
  expect(found(rule('payer', 3))).toEqual(['warning unmeetable-remedy house.cedar#r:1'])
  expect(found(rule('payer,admin', 3))).toEqual([])
  expect(found(rule('viewer', 1))).toEqual(['warning unmeetable-remedy house.cedar#r:1'])
  expect(found(rule('clerk', 1))).toEqual(['error unknown-role house.cedar#r:1'])
})

test('arguments are compared with the approved input schema of the tool', () => {
  const reads = (kind: string, key: string) =>
    found(
      `@id("r") forbid (${scope} && resource.name == "pay" && context.${kind}.hasTag("${key}") && context.${kind}.getTag("${key}") == ${{ texts: '"x"', numbers: '1', flags: 'true' }[kind] ?? '["x"]'} };`,
    )
  expect(reads('texts', 'to')).toEqual([])
  expect(reads('numbers', 'cents')).toEqual([])
  expect(reads('flags', 'urgent')).toEqual([])
  expect(reads('lists', 'tags')).toEqual([])
  expect(reads('texts', 'from/iban')).toEqual([])
  expect(reads('texts', 'open')).toEqual([])
  expect(reads('numbers', 'to')).toEqual(['error argument-type house.cedar#r:1'])
  expect(reads('texts', 'cents')).toEqual(['error argument-type house.cedar#r:1'])
  expect(reads('texts', 'from/bic')).toEqual(['warning unknown-argument house.cedar#r:1'])
  expect(reads('texts', 'reciever')).toEqual(['warning unknown-argument house.cedar#r:1'])
})

/** Random roles and policy files, as people write them, for the proof `policy`. */
import { effectClasses } from '../../src/kernel/index.ts'
import type { Random } from '../fuzz/random.ts'

export const upstreams = ['bank', 'mail', 'notes'] as const
export const thingNames = ['pay', 'read', 'send*', 'a/b'] as const
export const roleNames = ['r0', 'r1', 'r2', 'boss'] as const
export const groupNames = ['dir/g0', 'dir/g1'] as const
export const words = ['x', 'ada@example.com', 'eve@blocked.example', 'secret', ''] as const
/** Keys of arguments that rules ask for. */
export const keys = ['to', 'amount', 'body/text', 'tags', 'list/0', 'a~1b', 'deep/er/still'] as const

export interface GrantSource {
  readonly permissions: readonly string[]
  readonly resources: readonly string[]
  readonly when?: string
  readonly stepUp?: true
}

export interface RoleSource {
  readonly name: string
  readonly grants: readonly GrantSource[]
}

/** A rule of a file, and what is known of it without reading its text. */
export interface RuleSource {
  readonly text: string
  readonly name: string | undefined
  readonly isShadow: boolean
  readonly hasRemedy: boolean
}

export interface RandomSource {
  readonly roles: readonly RoleSource[]
  readonly files: readonly { readonly name: string; readonly rules: readonly RuleSource[] }[]
}

const quoted = (text: string): string => JSON.stringify(text)
const list = (texts: readonly string[]): string => `[${texts.map(quoted).join(', ')}]`

export function some<Item>(random: Random, items: readonly Item[], oneIn = 2): Item[] {
  return items.filter(() => random.oneIn(oneIn))
}

function someOrOne<Item>(random: Random, items: readonly Item[]): Item[] {
  const found = some(random, items, 3)
  return found.length === 0 ? [random.pick(items)] : found
}

function pattern(random: Random): string {
  return random.pick(['*', 'x*', '*@example.com', '*blocked*', 'ada*', ''])
}

type Condition = (random: Random) => string

function tagged(kind: string, test: (got: string, random: Random) => string): Condition {
  return (random) => {
    const key = quoted(random.pick(keys))
    return `context.${kind}.hasTag(${key}) && ${test(`context.${kind}.getTag(${key})`, random)}`
  }
}

const comparisons = ['<', '<=', '>', '>=', '==', '!='] as const

const simple: readonly Condition[] = [
  tagged('texts', (got, random) => `${got} like ${quoted(pattern(random))}`),
  tagged('texts', (got, random) => `${list(some(random, words))}.contains(${got}) `.replace('[]', '["none"]')),
  tagged('texts', (got) => `${got} == principal.name`),
  tagged('numbers', (got, random) => `${got} ${random.pick(comparisons)} ${random.below(2_000)}`),
  tagged('numbers', (got, random) => `${got} * ${random.pick([3, 9_007_199_254_740_991])} > ${random.below(2_000)}`),
  tagged('flags', (got) => got),
  tagged('lists', (got, random) => `${got}.contains(${quoted(random.pick(words))})`),
  tagged('lists', (got, random) => `${got}.containsAll(${list([random.pick(words)])})`),
  (random) => `context.texts.hasTag(${quoted(random.pick(keys))})`,
  (random) => `resource.upstream == ${quoted(random.pick(upstreams))}`,
  (random) => `resource.name == ${quoted(random.pick(thingNames))}`,
  (random) => `${list([random.pick(thingNames), random.pick(thingNames)])}.contains(resource.name)`,
  (random) => `resource.name like ${quoted(random.pick(['*a*', 'send*', '*']))}`,
  (random) =>
    `resource.upstream == ${quoted(random.pick(upstreams))} && resource.name == ${quoted(random.pick(thingNames))}`,
  (random) => `resource.sensitivity == ${quoted(random.pick(['public', 'restricted']))}`,
  (random) => `resource.dataClasses.contains(${quoted(random.pick(['payment', 'personal']))})`,
  (random) => random.pick(['resource.bringsUntrusted', 'resource.isOutlet', 'context.client.isSelfRegistered']),
  (random) => `principal in Castellan::Role::${quoted(random.pick(roleNames))}`,
  (random) => `principal in Castellan::Group::${quoted(random.pick(groupNames))}`,
  (random) => `principal in [Castellan::Role::"r0", Castellan::Role::${quoted(random.pick(roleNames))}]`,
  (random) => `principal.hasTag("dept") && principal.getTag("dept").contains(${quoted(random.pick(words))})`,
  () => 'principal is Castellan::ServiceAccount',
  (random) => `context.time.hour ${random.pick(comparisons)} ${random.below(24)}`,
  (random) => `context.time.weekday == ${quoted(random.pick(['monday', 'saturday', 'sunday']))}`,
  () => 'context.time.minute < 30',
  (random) => `context.at < datetime("202${random.below(10)}-0${random.below(9) + 1}-15")`,
  (random) =>
    `context.address.isInRange(ip(${quoted(random.pick(['10.0.0.0/8', '192.168.0.0/16', '2001:db8::/32', '0.0.0.0/0']))}))`,
  (random) => `context.zones.contains(${quoted(random.pick(['office', 'lab']))})`,
  (random) =>
    random.pick([
      'context.factors.contains("totp")',
      'context.factors.isEmpty()',
      '["totp", "passkey"].containsAny(context.factors)',
    ]),
  (random) => `context has factorAgeSeconds && context.factorAgeSeconds < ${60 * random.below(20)}`,
  (random) => `context.client.id == ${quoted(random.pick(['', 'c1']))}`,
  (random) => `context.${random.pick(['actors', 'consents', 'flow'])}.contains(${quoted(random.pick(words))})`,
  (random) => `action == Castellan::Action::"tools:call/${random.pick(effectClasses)}"`,
  (random) => `action in Castellan::Action::${quoted(random.pick(effectClasses))}`,
]

/** A condition that the schema accepts, whatever it is asked about. */
export function condition(random: Random, depth = 3): string {
  const shape = depth === 0 ? 5 : random.below(9)
  const inner = (): string => `(${condition(random, depth - 1)})`
  if (shape === 0) return `${inner()} && ${inner()}`
  if (shape === 1) return `${inner()} || ${inner()}`
  if (shape === 2) return `!${inner()}`
  if (shape === 3) return `if ${inner()} then ${inner()} else ${inner()}`
  return random.pick(simple)(random)
}

const heads = {
  principal: [
    'principal',
    'principal',
    'principal is Castellan::Person',
    'principal == Castellan::Person::"p0"',
    ...roleNames.map((role) => `principal in Castellan::Role::"${role}"`),
    'principal is Castellan::Person in Castellan::Group::"dir/g0"',
  ],
  action: [
    'action',
    'action in Castellan::Action::"tools:call"',
    'action in [Castellan::Action::"read", Castellan::Action::"write"]',
    'action == Castellan::Action::"resources:read"',
    'action == Castellan::Action::"tools:call/execute"',
  ],
  resource: ['resource', 'resource', 'resource is Castellan::Tool', 'resource is Castellan::Resource'],
} as const

function rule(random: Random, number: number): RuleSource {
  const isForbid = random.oneIn(2)
  const hasRemedy = isForbid && random.oneIn(4)
  const isShadow = !hasRemedy && random.oneIn(8)
  const name = hasRemedy || random.oneIn(2) ? `rule-${number}` : undefined
  const head = [random.pick(heads.principal), random.pick(heads.action), random.pick(heads.resource)].join(', ')
  const clauses = Array.from(
    { length: random.below(3) },
    () => `\n  ${random.oneIn(4) ? 'unless' : 'when'} { ${condition(random)} }`,
  )
  const annotations = [
    ...(name === undefined ? [] : [`@id("${name}")`]),
    ...(hasRemedy ? ['@remedy("approval") @approvers("boss")'] : []),
    ...(isShadow ? ['@shadow'] : []),
  ]
  const comment = random.oneIn(4) ? `// why; "not" a rule\n` : ''
  const text = `${comment}${annotations.join('\n')}\n${isForbid ? 'forbid' : 'permit'} (${head})${clauses.join('')};`
  return { text: text.trimStart(), name, isShadow, hasRemedy }
}

const grantable = [
  '*',
  'tools:call',
  'tools:call',
  ...effectClasses.map((effect) => `tools:call/${effect}`),
  'resources:read',
  'prompts:get',
  'servers:use',
  'people:read',
  'files:read',
] as const
const steppable: ReadonlySet<string> = new Set(['tools:call', 'resources:read', 'prompts:get'])

function resourcePattern(random: Random): string {
  const upstream = random.pick(upstreams)
  const folder = random.pick(['tools', 'tools', 'resources', 'prompts'])
  return random.pick([
    '*',
    'castellan',
    upstream,
    `${upstream}/*`,
    `${upstream}/${folder}/*`,
    `${upstream}/${folder}/${random.pick(thingNames)}`,
    `${upstream}/${folder}/${random.pick(thingNames)}`,
  ])
}

export function randomGrant(random: Random): GrantSource {
  const permissions = someOrOne(random, random.oneIn(2) ? grantable.slice(0, 3) : grantable)
  const canStepUp = permissions.every((permission) => steppable.has(permission))
  return {
    permissions: [...new Set(permissions)],
    resources: Array.from({ length: 1 + random.below(4) }, () => resourcePattern(random)),
    ...(random.oneIn(3) ? { when: condition(random) } : {}),
    ...(canStepUp && random.oneIn(4) ? { stepUp: true as const } : {}),
  }
}

export function randomSource(random: Random): RandomSource {
  const roles = some(random, roleNames, 2).map((name) => ({
    name,
    grants: Array.from({ length: 1 + random.below(4) }, () => randomGrant(random)),
  }))
  const files = Array.from({ length: random.below(3) }, (_, file) => ({
    name: `file-${file}.cedar`,
    rules: Array.from({ length: 1 + random.below(4) }, (_one, number) => rule(random, number)),
  }))
  return { roles, files }
}

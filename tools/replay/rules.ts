/**
 * Random policies for the proof `replay`: each rule twice, as Cedar text for castellan and as conditions that
 * `brute-force.ts` reckons with by itself.
 */
import type { Random } from '../fuzz/random.ts'
import { type Call, colours, modes, recipients, roles, tools, upstreams } from './words.ts'

/** `error`: what is read is there in another type, and the rule cannot be reckoned. */
export type Truth = boolean | 'error'

export interface Condition {
  readonly text: string
  readonly holds: (call: Call) => Truth
}

export interface FileRule {
  readonly id: string
  readonly effect: 'permit' | 'forbid'
  readonly role: string | undefined
  readonly remedy: 'approval' | 'step-up' | undefined
  readonly conditions: readonly Condition[]
}

export interface RoleGrant {
  readonly role: string
  /** From 1. */
  readonly number: number
  readonly upstream: string
  /** `*` for all of them. */
  readonly tools: readonly string[]
  readonly effect: string | undefined
}

export interface RandomPolicy {
  readonly grants: readonly RoleGrant[]
  readonly rules: readonly FileRule[]
}

const isType: Readonly<Record<string, (value: unknown) => boolean>> = {
  texts: (value) => typeof value === 'string',
  numbers: (value) => Number.isSafeInteger(value),
  flags: (value) => typeof value === 'boolean',
  lists: (value) => Array.isArray(value),
}

function reads(kind: string, key: keyof Call['given'], rest: string, test: (value: unknown) => boolean): Condition {
  const path = key === 'mode' ? 'opts/mode' : key
  const tag = `context.${kind}.getTag("${path}")`
  return {
    text: `context.${kind}.hasTag("${path}") && ${tag}${rest}`,
    holds({ given }) {
      const value = given[key]
      if (value === undefined) return false
      return isType[kind]?.(value) === true ? test(value) : 'error'
    },
  }
}

function plainCondition(random: Random): Condition {
  const [upstream, tool] = [random.pick(upstreams), random.pick(tools)]
  const hour = random.below(24)
  return random.pick<() => Condition>([
    () => ({ text: `resource.upstream == "${upstream}"`, holds: (call) => call.upstream === upstream }),
    () => ({ text: `resource.name == "${tool}"`, holds: (call) => call.tool === tool }),
    () => ({ text: 'resource.name like "*e*"', holds: (call) => call.tool.includes('e') }),
    () => ({
      text: 'resource.sensitivity == "restricted"',
      holds: (call) => call.classification.sensitivity === 'restricted',
    }),
    () => ({ text: 'resource.isOutlet', holds: (call) => call.classification.isOutlet }),
    () => ({ text: 'context.zones.contains("office")', holds: (call) => call.address.startsWith('10.') }),
    () => ({ text: `context.time.hour < ${hour}`, holds: (call) => new Date(call.at).getUTCHours() < hour }),
    () => ({ text: '!context.factors.contains("totp")', holds: (call) => !call.caller.factors.includes('totp') }),
    () => ({ text: 'context.flow.contains("untrusted")', holds: (call) => call.flow.has('untrusted') }),
    () => ({
      text: 'context.client.isSelfRegistered',
      holds: (call) => call.caller.isSelfRegistered === true,
    }),
    () => ({
      text: 'principal in Castellan::Group::"dir/staff"',
      holds: (call) => call.caller.groups.includes('dir/staff'),
    }),
  ])()
}

function forbidArgument(random: Random): Condition {
  const [to, colour, limit] = [random.pick(recipients), random.pick(colours), random.below(300)]
  return random.pick([
    reads('texts', 'to', ` == "${to}"`, (value) => value === to),
    reads('texts', 'to', ' like "o*"', (value) => String(value).startsWith('o')),
    reads('numbers', 'amount', ` > ${limit}`, (value) => Number(value) > limit),
    reads('lists', 'tags', `.contains("${colour}")`, (value) => (value as string[]).includes(colour)),
  ])
}

function permitArgument(random: Random): Condition {
  const mode = random.pick(modes)
  return random.pick([
    reads('texts', 'mode', ` == "${mode}"`, (value) => value === mode),
    reads('flags', 'dry', '', (value) => value === true),
  ])
}

function makeRule(random: Random, at: number): FileRule {
  const effect = random.oneIn(3) ? 'permit' : 'forbid'
  const argument = effect === 'permit' ? permitArgument(random) : forbidArgument(random)
  // WHY: rules that hold too often leave nothing to find out.
  const plain = Array.from({ length: 2 + random.below(2) }, () => plainCondition(random))
  const withArgument = random.oneIn(2) ? [argument, ...plain] : [...plain, argument]
  const conditions = random.oneIn(3) ? plain : withArgument
  const remedy = effect === 'forbid' && random.oneIn(3) ? random.pick(['approval', 'step-up'] as const) : undefined
  return { id: `rule-${at}`, effect, role: random.oneIn(2) ? random.pick(roles) : undefined, remedy, conditions }
}

export function makePolicy(random: Random, ruleCount: number): RandomPolicy {
  const grants = roles.flatMap((role) =>
    Array.from({ length: 1 + random.below(3) }, (_, at): RoleGrant => ({
      role,
      number: at + 1,
      upstream: random.pick(upstreams),
      tools: random.oneIn(2) ? ['*'] : tools.filter(() => random.oneIn(2)),
      effect: random.oneIn(4) ? 'read' : undefined,
    })),
  )
  return { grants, rules: Array.from({ length: ruleCount }, (_, at) => makeRule(random, at)) }
}

/** The same with some of its rules and grants made anew. */
export function changePolicy(random: Random, { grants, rules }: RandomPolicy): RandomPolicy {
  const other = makePolicy(random, rules.length)
  return {
    grants: grants.map((grant) => (random.oneIn(6) ? { ...grant, upstream: random.pick(upstreams) } : grant)),
    rules: rules.map((rule, at) => (random.oneIn(4) ? (other.rules[at] ?? rule) : rule)),
  }
}

function writeRule({ id, effect, role, remedy, conditions }: FileRule): string {
  const approvers = remedy === 'approval' ? '\n@approvers("r0")' : ''
  const annotations = remedy === undefined ? '' : `\n@remedy("${remedy}")${approvers}`
  const principal = role === undefined ? 'principal' : `principal in Castellan::Role::"${role}"`
  const when = conditions.map(({ text }) => text).join(' && ')
  return `@id("${id}")${annotations}\n${effect} (${principal}, action in Castellan::Action::"tools:call", resource)\nwhen { ${when} };\n`
}

/** A policy folder, as an administrator would write it. */
export function folderOf({ grants, rules }: RandomPolicy): { path: string; text: string }[] {
  const byRole = Map.groupBy(grants, ({ role }) => role)
  const roleFiles = [...byRole].map(([role, own]) => ({
    path: `roles/${role}.yaml`,
    text: JSON.stringify({
      description: `made for the proof`,
      grants: own.map(({ upstream, tools: granted, effect }) => ({
        permissions: ['servers:use', effect === undefined ? 'tools:call' : `tools:call/${effect}`],
        resources: [upstream, ...granted.map((tool) => `${upstream}/tools/${tool}`)],
      })),
    }),
  }))
  return [...roleFiles, { path: 'policies/rules.cedar', text: rules.map(writeRule).join('\n') }]
}

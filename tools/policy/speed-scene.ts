/** A policy of a given number of rules and the questions that the proof `policy-speed` asks it, through the product's own `decide`. */
import type { Principal } from '../../src/kernel/index.ts'
import { unclassified } from '../../src/kernel/index.ts'
import { compilePolicy } from '../../src/policy/cedar/compile.ts'
import type { PolicySource } from '../../src/policy/cedar/source.ts'
import { createDecide } from '../../src/policy/decide.ts'
import { createDecisionCache } from '../../src/policy/decision-cache.ts'
import { createPlainAnswers } from '../../src/policy/plain-answers.ts'
import { createSurroundings } from '../../src/policy/settings.ts'
import { type LoadedSnapshot, prepareSnapshot } from '../../src/policy/snapshot/load.ts'

const rulesPerUpstream = 10
/** Of each ten rules: grants of roles, and rules of files that read arguments. */
const grantsPerUpstream = 6
const toolCount = 1_000
/** Rules that count everywhere, whatever the size. */
const everywhere = [
  'forbid (principal, action in Castellan::Action::"administer", resource is Castellan::Tool) unless { context.time.hour < 24 };',
  'forbid (principal, action in Castellan::Action::"write", resource) when { context.texts.hasTag("to") && context.texts.getTag("to") like "*@blocked.example" };',
]

function ruleOf(upstream: string, number: number): string {
  const head = `resource is Castellan::Tool`
  const place = `resource.upstream == "${upstream}"`
  switch (number % 4) {
    case 0:
      return `forbid (principal, action in Castellan::Action::"tools:call", ${head}) when { ${place} && context.texts.hasTag("to") && !(context.texts.getTag("to") like "*@example.com") };`
    case 1:
      return `forbid (principal, action in Castellan::Action::"tools:call", ${head}) when { ${place} && context.numbers.hasTag("amount") && context.numbers.getTag("amount") > 1000 };`
    case 2:
      return `permit (principal in Castellan::Role::"team-0", action in Castellan::Action::"read", ${head}) when { ${place} && resource.name like "read-*" };`
    default:
      return `forbid (principal, action in Castellan::Action::"tools:call", ${head}) when { ${place} && resource.name == "tool-1" && context.factors.isEmpty() };`
  }
}

function sourceOf(rules: number): PolicySource {
  const upstreams = Array.from(
    { length: Math.max(1, Math.floor(rules / rulesPerUpstream)) },
    (_, index) => `up-${index}`,
  )
  const roles = Array.from({ length: grantsPerUpstream }, (_, role) => ({
    name: `team-${role}`,
    grants: upstreams.map((upstream) => ({ permissions: ['tools:call'] as const, resources: [`${upstream}/tools/*`] })),
  }))
  const texts = upstreams.flatMap((upstream) =>
    Array.from({ length: rulesPerUpstream - grantsPerUpstream }, (_, number) => ruleOf(upstream, number)),
  )
  const files: { name: string; text: string }[] = []
  for (let from = 0; from < texts.length; from += 1_000) {
    files.push({ name: `rules-${files.length}.cedar`, text: texts.slice(from, from + 1_000).join('\n') })
  }
  return { roles, files: [...files, { name: 'everywhere.cedar', text: everywhere.join('\n') }] }
}

const person: Principal = {
  id: 'ada',
  name: 'Ada',
  roles: ['team-0', 'team-1', 'team-2'],
  factors: ['password', 'totp'],
  credential: { kind: 'session', id: 's', expiresAt: Number.MAX_SAFE_INTEGER },
}

const mostRemembered = 20_000
const noCache: LoadedSnapshot['cache'] = { get: () => undefined, set: () => undefined }
const classification = { ...unclassified, effect: 'write' } as const
const at = Date.UTC(2026, 0, 1)

/** Rules, and what is asked of them: `ask` returns whether it is allowed. */
export interface SpeedScene {
  readonly rules: number
  readonly compileMs: number
  readonly tools: number
  /** A call of one of the tools, with arguments. */
  readonly call: (tool: number, isCached: boolean) => boolean
  /** How many of all tools are listed, where nothing is remembered at the beginning of the list. */
  readonly list: () => number
}

export function buildScene(rules: number): SpeedScene {
  const startedAt = performance.now()
  const compilation = compilePolicy(sourceOf(rules), 1)
  if (!compilation.isValid) throw new Error(JSON.stringify(compilation.problems.slice(0, 3)))
  const { policy } = compilation
  const loaded = prepareSnapshot({ version: 1, hash: 'h', cedar: policy.cedar }, policy)
  const compileMs = Math.round(performance.now() - startedAt)
  const surroundings = createSurroundings({ policy: { timeZone: 'UTC', networks: [] } })
  const ground = { surroundings: () => surroundings, now: () => at }
  const cached = createDecide({ ...ground, current: () => loaded })
  const forgetful = { ...loaded, cache: noCache }
  const uncached = createDecide({ ...ground, current: () => forgetful })
  let forgotten = forgetful
  const listing = createDecide({ ...ground, current: () => forgotten })
  const upstreams = Math.max(1, Math.floor(rules / rulesPerUpstream))
  const targets = Array.from({ length: toolCount }, (_, index) => ({
    kind: 'tool' as const,
    upstream: `up-${index % upstreams}`,
    name: `tool-${index}`,
  }))
  const circumstances = targets.map((_, index) => ({
    at,
    classification,
    address: '10.0.0.1',
    callArguments: { to: `person-${index}@example.com`, amount: index, body: { text: 'hello', lines: [1, 2, 3] } },
  }))
  return {
    rules: policy.rules.length,
    compileMs,
    tools: toolCount,
    call(tool, isCached) {
      const target = targets[tool % toolCount] ?? ({ kind: 'server', upstream: 'none' } as const)
      return (isCached ? cached : uncached)(person, 'tools:call', target, circumstances[tool % toolCount]).isAllowed
    },
    list() {
      let listed = 0
      forgotten = { ...loaded, cache: createDecisionCache(mostRemembered), plainAnswers: createPlainAnswers() }
      for (const target of targets) {
        const { isAllowed, mayDepend } = listing(person, 'tools:call', target, {
          at,
          classification,
          address: '10.0.0.1',
        })
        if (isAllowed || mayDepend) listed += 1
      }
      return listed
    },
  }
}

/** Random principals and questions, for the proof `policy`. */
import type { Circumstances } from '../../src/policy/circumstances.ts'
import type { Asked } from '../../src/policy/explain.ts'
import type { Permission } from '../../src/policy/permissions.ts'
import type { Classification, Principal } from '../../src/kernel/index.ts'
import { effectClasses } from '../../src/kernel/index.ts'
import type { Random } from '../fuzz/random.ts'
import { groupNames, roleNames, some, thingNames, upstreams, words } from './random-source.ts'

/** What is told of every question. */
export interface Told {
  readonly at: number
  readonly classification: Classification
  readonly address: string
}

/** What is asked, with everything told. */
export interface RandomQuestion {
  readonly principal: Principal
  readonly permission: Permission
  readonly target: Asked
  readonly circumstances: Circumstances & Told
}

const beginning = Date.UTC(2026, 0, 1)

export function randomPrincipal(random: Random): Principal {
  return {
    id: random.pick(['p0', 'p1']),
    name: random.pick(words.slice(0, 3)),
    roles: some(random, roleNames),
    groups: some(random, groupNames),
    claims: random.oneIn(2) ? { dept: some(random, words) } : {},
    factors: some(random, ['password', 'totp', 'passkey'] as const),
    ...(random.oneIn(3) ? { factorsAt: beginning - 60_000 * random.below(20) + random.pick([0, 1, 999]) } : {}),
    ...(random.oneIn(3) ? { isService: true as const } : {}),
    ...(random.oneIn(2) ? { client: { id: 'c1', name: 'C', scopes: [], isSelfRegistered: random.oneIn(2) } } : {}),
    ...(random.oneIn(3) ? { actors: [{ id: random.pick(words), name: 'N', client: 'c' }] } : {}),
    credential: { kind: 'session', id: 's', expiresAt: Number.MAX_SAFE_INTEGER },
  }
}

function randomValue(random: Random, depth = 2): unknown {
  const shape = random.below(depth === 0 ? 6 : 9)
  if (shape < 2) return random.pick(words)
  if (shape === 2) return random.pick([0, 1, 7, 999, 1_500, -3, 2.5, 9_007_199_254_740_991, 1e300])
  if (shape === 3) return random.oneIn(2)
  if (shape === 4) return some(random, words)
  if (shape === 5) return null
  if (shape === 6) return Array.from({ length: random.below(3) }, () => randomValue(random, depth - 1))
  return randomArguments(random, depth - 1)
}

const names = ['to', 'amount', 'body', 'text', 'tags', 'list', 'a/b', 'deep', 'er', 'still', 'other'] as const

/** Arguments of all depths; at times one beside which another looks alike. */
export function randomArguments(random: Random, depth = 3): Record<string, unknown> {
  const given: Record<string, unknown> = {}
  for (const name of some(random, names, 3)) given[name] = randomValue(random, depth)
  if (random.oneIn(25)) given[random.pick(names).toUpperCase()] = random.pick(words)
  return given
}

function usual(random: Random): Record<string, unknown> {
  return {
    ...(random.oneIn(3) ? {} : { to: random.pick(words) }),
    ...(random.oneIn(3) ? {} : { amount: random.below(2_000) }),
    ...(random.oneIn(2) ? {} : { tags: some(random, words) }),
    ...(random.oneIn(2) ? {} : { body: { text: random.pick(words) } }),
  }
}

function about(random: Random): Pick<RandomQuestion, 'permission' | 'target'> {
  const [upstream, name] = [random.pick(upstreams), random.pick(thingNames)]
  const shape = random.below(12)
  if (shape === 0) return { permission: 'people:read', target: 'castellan' }
  if (shape === 1) return { permission: 'servers:use', target: { kind: 'server', upstream } }
  if (shape === 2) return { permission: 'resources:read', target: { kind: 'resource', upstream, name } }
  if (shape === 3) return { permission: 'prompts:get', target: { kind: 'prompt', upstream, name } }
  if (shape === 4) return { permission: 'files:read', target: { kind: 'resource', upstream, name } }
  return { permission: 'tools:call', target: { kind: 'tool', upstream, name } }
}

/** @param remedied ids of rules of which a remedy may have been met */
export function randomQuestion(random: Random, principal: Principal, remedied: readonly string[]): RandomQuestion {
  return {
    principal,
    ...about(random),
    circumstances: {
      at: beginning + (random.oneIn(3) ? random.pick([0, 1, 500, 1_000]) : random.below(14 * 86_400_000)),
      classification: {
        effect: random.pick(effectClasses),
        sensitivity: random.pick(['public', 'internal', 'restricted'] as const),
        dataClasses: some(random, ['payment', 'personal']),
        owner: '',
        bringsUntrusted: random.oneIn(2),
        isOutlet: random.oneIn(2),
      },
      address: random.pick(['10.1.2.3', '192.168.7.7', '203.0.113.5', '2001:db8::7']),
      callArguments: random.oneIn(3) ? randomArguments(random) : usual(random),
      flow: new Set(some(random, words)),
      consents: new Set(some(random, words)),
      met: new Set(some(random, remedied, 4)),
    },
  }
}

import { isRefusal, type Principal } from '#kernel'
import type { Circumstances, Permission } from '#policy'
import { z } from 'zod'
import type { Rooms } from '../rooms.ts'
import { route } from '../route.ts'
import { nameText } from '../shapes.ts'
import { permissionText } from '../resources/roles.ts'
import {
  circumstanceFields,
  circumstancesOf,
  explainedRule,
  explanation,
  findAnybody,
  principalFor,
  showExplanation,
  targetOf,
  targetText,
  toldRemedy,
} from './questions-asked.ts'

const snapshot = route({
  method: 'GET',
  path: '/policy/snapshot',
  summary: 'the rules in force, as Cedar text',
  access: 'roles:read',
  answer: z.object({
    version: z.number(),
    hash: z.string(),
    cedar: z.string(),
    /** Everything is denied: the official engine disagreed with a decision by these rules. */
    isDistrusted: z.boolean(),
  }),
  handle: async ({ rooms: { policy } }) => ({ ...policy.snapshot(), isDistrusted: policy.isDistrusted() }),
})

interface Asked {
  readonly principal: Principal
  readonly permission: Permission
  readonly target: ReturnType<typeof targetOf>
  readonly circumstances: Circumstances
}

function heldBy(rooms: Rooms, { principal, target }: Asked): string | null {
  const asked = { personId: principal.id, ...(target === 'castellan' ? {} : { target }) }
  return rooms.policy.findHold(asked)?.id ?? null
}

const decide = route({
  method: 'GET',
  path: '/policy/decide',
  summary: 'may this person do this, and why; arguments, address and time where they are told',
  access: 'roles:read',
  query: z.strictObject({ person: nameText, permission: permissionText, target: targetText, ...circumstanceFields }),
  answer: explanation.extend({
    reasons: z.array(z.object({ rule: z.string(), says: z.string() })),
    hold: z.string().nullable(),
  }),
  async handle({ rooms, query }) {
    const person = await findAnybody(rooms, query.person)
    if (isRefusal(person)) return person
    const circumstances = circumstancesOf(query)
    if (isRefusal(circumstances)) return circumstances
    const { permission } = query
    const principal = await principalFor(rooms, person, query)
    const asked = { principal, permission, target: targetOf(query.target), circumstances }
    const explained = showExplanation(rooms.policy.replays.explain(asked))
    return { ...explained, reasons: explained.rules, hold: heldBy(rooms, asked) }
  },
})

const maxHolders = 1_000
const peopleAtOnce = 100

const holder = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['person', 'service']),
  /** `depends`: on what the question does not tell, such as arguments; `remedy`: after what `remedies` say. */
  answer: z.enum(['allowed', 'depends', 'remedy']),
  through: z.array(explainedRule.pick({ rule: true, says: true, place: true })),
  remedies: z.array(toldRemedy),
  hold: z.string().nullable(),
})

/** Whoever can sign in or be used at this moment. */
async function activeOf(rooms: Rooms) {
  const accounts = await rooms.identity.serviceAccounts.list()
  const working = new Set(accounts.filter(({ state }) => state === 'active').map(({ id }) => id))
  const people = await rooms.identity.people.list()
  return people.filter(({ id, kind, status }) => (kind === 'service' ? working.has(id) : status === 'active'))
}

function askedHolder(rooms: Rooms, asked: Asked, kind: 'person' | 'service'): z.input<typeof holder>[] {
  const { isAllowed, mayDepend, remedies, rules } = rooms.policy.replays.explain(asked)
  const canBeMended = remedies.length > 0 && kind === 'person'
  const answer = isAllowed ? 'allowed' : mayDepend ? 'depends' : canBeMended ? 'remedy' : undefined
  if (answer === undefined) return []
  const { id, name } = asked.principal
  return [{ id, name, kind, answer, through: [...rules], remedies: [...remedies], hold: heldBy(rooms, asked) }]
}

const whoCan = route({
  method: 'GET',
  path: '/policy/who-can',
  summary: 'which people and service accounts may do this, and through which rule',
  access: 'roles:read',
  query: z.strictObject({ permission: permissionText, target: targetText, ...circumstanceFields }),
  answer: z.object({
    items: z.array(holder),
    /** There are more than are told. */
    isCut: z.boolean(),
    snapshotVersion: z.number(),
  }),
  async handle({ rooms, query, allow }) {
    const refusal = allow('people:read')
    if (refusal !== undefined) return refusal
    const circumstances = circumstancesOf(query)
    if (isRefusal(circumstances)) return circumstances
    const { permission } = query
    const target = targetOf(query.target)
    const people = await activeOf(rooms)
    const items: z.input<typeof holder>[] = []
    for (let from = 0; from < people.length && items.length <= maxHolders; from += peopleAtOnce) {
      const some = people.slice(from, from + peopleAtOnce)
      const principals = await Promise.all(some.map((person) => principalFor(rooms, person, query)))
      for (const [at, principal] of principals.entries()) {
        items.push(...askedHolder(rooms, { principal, permission, target, circumstances }, some[at]?.kind ?? 'person'))
      }
    }
    const { version } = rooms.policy.snapshot()
    return { items: items.slice(0, maxHolders), isCut: items.length > maxHolders, snapshotVersion: version }
  },
})

/** As recorded; what is no text was recorded by nobody. */
function methodOf(recorded: unknown): string {
  return typeof recorded === 'string' ? recorded : ''
}

const missing = z.enum(['not-recorded', 'masked', 'snapshot-unreadable'])

const explain = route({
  method: 'GET',
  path: '/policy/explain',
  summary: 'why a recorded call was allowed or denied, and what the policy in force says of it',
  access: 'audit:read',
  /** The number of an entry, or the id of an exchange. */
  query: z.strictObject({ entry: nameText }),
  answer: z.object({
    seq: z.number(),
    time: z.string(),
    event: z.string(),
    exchange: z.string().nullable(),
    person: z.object({ id: z.string(), name: z.string() }).nullable(),
    address: z.string().nullable(),
    target: z.object({ upstream: z.string(), kind: z.string(), name: z.string().optional() }).nullable(),
    method: z.string(),
    wasAllowed: z.boolean(),
    refusal: z.string().nullable(),
    refusedBy: z.string().nullable(),
    snapshot: z.number(),
    recorded: z.array(explainedRule),
    past: z.union([z.array(explanation), missing]),
    inForce: z.union([z.array(explanation), missing]),
  }),
  async handle({ rooms, query, allow }) {
    const refusal = allow('roles:read')
    if (refusal !== undefined) return refusal
    const found = await rooms.policy.replays.explainCall(query.entry)
    if (isRefusal(found)) return found
    const { entry, past, inForce, recorded, refusedBy, ...rest } = found
    const { seq, time, event, exchange, principal, address, target, details } = entry
    return {
      ...rest,
      seq,
      time,
      event,
      exchange: exchange ?? null,
      address: address ?? null,
      target: target ?? null,
      person: principal ?? null,
      method: methodOf(details?.['method']),
      refusal: entry.refusal ?? null,
      refusedBy: refusedBy ?? null,
      recorded: [...recorded],
      past: typeof past === 'string' ? past : past.map(showExplanation),
      inForce: typeof inForce === 'string' ? inForce : inForce.map(showExplanation),
    }
  },
})

export const policyQuestionRoutes = [snapshot, decide, whoCan, explain]

import type { AccessLine, Campaign, ReviewHorizon, ReviewItem, ReviewUse, UnusedLine } from '#policy'
import { z } from 'zod'
import { isoTime, isoTimeOrNull, moment } from '../shapes.ts'

const use = z.object({
  /** In the period, by whole weeks. */
  uses: z.number(),
  lastAt: moment,
  /** The id of the first entry of the node's ledger, and the number of the entry there. */
  ledger: z.string(),
  seq: z.number(),
})

function showUse(given: ReviewUse | undefined): z.infer<typeof use> | null {
  return given === undefined ? null : { ...given, lastAt: isoTime(given.lastAt) }
}

/** What the evidence rests on. */
export const evidence = z.object({
  since: moment,
  /** There is no evidence before. */
  from: moment,
  /** Up to here all ledgers are counted. */
  upTo: moment.nullable(),
  ledgers: z.array(z.object({ ledger: z.string(), beginsAt: moment, readAt: moment })),
})

export function showEvidence({ from, upTo, ledgers }: ReviewHorizon, since: number): z.infer<typeof evidence> {
  return {
    since: isoTime(since),
    from: isoTime(from),
    upTo: isoTimeOrNull(upTo),
    ledgers: ledgers.map(({ ledger, beginsAt, readAt }) => ({
      ledger,
      beginsAt: isoTime(beginsAt),
      readAt: isoTime(readAt),
    })),
  }
}

const barrier = z.object({
  rule: z.string(),
  place: z.string(),
  /** What lifts it; null where nothing does. */
  remedy: z.string().nullable(),
})

const grant = z.object({
  rule: z.string(),
  place: z.string(),
  permissions: z.array(z.string()),
  resources: z.array(z.string()),
  stepUp: z.boolean(),
  when: z.string().nullable(),
  /** Rules that may forbid what it permits. */
  barriers: z.array(barrier),
  use: use.nullable(),
})

const rule = z.object({ rule: z.string(), place: z.string(), isFor: z.string(), text: z.string() })

const assigned = z.object({
  how: z.enum(['person', 'directory', 'provider', 'claim', 'castellan']),
  by: z.string().nullable(),
  at: moment.nullable(),
})

const person = z.object({ id: z.string(), name: z.string(), kind: z.enum(['person', 'service']), status: z.string() })

export const accessLine = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('role'),
    person,
    role: z.string(),
    assigned,
    hold: z.string().nullable(),
    grants: z.array(grant),
    use: use.nullable(),
  }),
  z.object({ kind: z.literal('rule'), rule, barriers: z.array(barrier), use: use.nullable() }),
])

type Barriers = Extract<AccessLine, { kind: 'rule' }>['barriers']

function showBarriers(barriers: Barriers): z.infer<typeof barrier>[] {
  return barriers.map(({ remedy = null, ...rest }) => ({ ...rest, remedy }))
}

function showAssigned({ how, by, at }: Extract<AccessLine, { kind: 'role' }>['assigned']): z.infer<typeof assigned> {
  return { how, by, at: isoTimeOrNull(at) }
}

export function showAccess(line: AccessLine): z.input<typeof accessLine> {
  if (line.kind === 'rule') {
    const { rule: id, place, isFor, text } = line.permit
    const barriers = showBarriers(line.barriers)
    return { kind: 'rule', rule: { rule: id, place, isFor, text }, barriers, use: showUse(line.use) }
  }
  const { grants, use: used, assigned: given, ...rest } = line
  return {
    ...rest,
    assigned: showAssigned(given),
    use: showUse(used),
    grants: grants.map(({ permit, barriers, use: own }) => ({
      rule: permit.rule,
      place: permit.place,
      permissions: [...(permit.grant?.permissions ?? [])],
      resources: [...(permit.grant?.resources ?? [])],
      stepUp: permit.grant?.stepUp === true,
      when: permit.grant?.when ?? null,
      barriers: showBarriers(barriers),
      use: showUse(own),
    })),
  }
}

export const unusedLine = z.object({
  kind: z.enum(['role', 'grant', 'rule', 'assignment']),
  verdict: z.enum(['unused', 'wider-than-used', 'young', 'no-evidence', 'not-recorded']),
  role: z.string().nullable(),
  rule: z.string().nullable(),
  place: z.string().nullable(),
  person: z.object({ id: z.string(), name: z.string(), kind: z.string() }).nullable(),
  assigned: assigned.nullable(),
  inForceSince: moment.nullable(),
  use: use.nullable(),
  /** A narrower grant that lets everything pass that was used. */
  suggestion: z.object({ permissions: z.array(z.string()), resources: z.array(z.string()) }).nullable(),
})

export function showUnused(line: UnusedLine): z.infer<typeof unusedLine> {
  const { kind, verdict, role, permit, person: who, assigned: given, suggestion } = line
  return {
    kind,
    verdict,
    role,
    rule: permit?.rule ?? null,
    place: permit?.place ?? null,
    person: who,
    assigned: given === null ? null : showAssigned(given),
    inForceSince: isoTimeOrNull(line.inForceSince),
    use: showUse(line.use),
    suggestion:
      suggestion === undefined
        ? null
        : { permissions: [...suggestion.permissions], resources: [...suggestion.resources] },
  }
}

const names = z.array(z.string()).readonly()

const scope = z.object({
  kinds: z.array(z.enum(['assignment', 'grant', 'account'])).readonly(),
  roles: names,
  servers: names,
  labels: names,
  people: names,
})

export const campaign = z.object({
  id: z.string(),
  name: z.string(),
  scope,
  reviewers: names,
  whenDue: z.enum(['open', 'keep', 'revoke']),
  dueAt: moment,
  isOverdue: z.boolean(),
  state: z.enum(['open', 'closed']),
  snapshotVersion: z.number(),
  evidence: z.object({ since: moment, from: moment, upTo: moment.nullable() }),
  createdAt: moment,
  createdBy: z.string(),
  closedAt: moment.nullable(),
  closedBy: z.string().nullable(),
  /** The draft of the policy without the grants that were revoked. */
  draft: z.string().nullable(),
  exportHash: z.string().nullable(),
})

export function showCampaign(given: Campaign, nowMs: number): z.infer<typeof campaign> {
  const { dueAt, evidence: seen, createdAt, closedAt, told: _told, ...rest } = given
  return {
    ...rest,
    dueAt: isoTime(dueAt),
    isOverdue: rest.state === 'open' && dueAt <= nowMs,
    evidence: { since: isoTime(seen.since), from: isoTime(seen.from), upTo: isoTimeOrNull(seen.upTo) },
    createdAt: isoTime(createdAt),
    closedAt: isoTimeOrNull(closedAt),
  }
}

const itemGrant = z.object({
  permissions: names,
  resources: names,
  stepUp: z.literal(true).exactOptional(),
  when: z.string().exactOptional(),
})

const subject = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('assignment'),
    person: person.omit({ status: true }),
    role: z.string(),
    roleHash: z.string(),
    grantedAt: z.number(),
    grantedBy: z.string().nullable(),
    how: z.string(),
    by: z.string().nullable(),
  }),
  z.object({ kind: z.literal('grant'), role: z.string(), number: z.number(), grant: itemGrant }),
  z.object({
    kind: z.literal('account'),
    person: z.object({ id: z.string(), name: z.string() }),
    purpose: z.string(),
    owner: z.string(),
    roles: z.array(z.object({ role: z.string(), grantedAt: z.number(), roleHash: z.string() })).readonly(),
  }),
])

/** Everything of an item but what tells its versions apart. Times of what it was are milliseconds, as they were kept. */
export const plainItem = z.object({
  place: z.number(),
  kind: z.enum(['assignment', 'grant', 'account']),
  personId: z.string(),
  role: z.string(),
  subject,
  evidence: z.object({
    uses: z.number(),
    lastAt: z.number().nullable(),
    ledger: z.string().nullable(),
    seq: z.number().nullable(),
  }),
  /** Ids; empty where whoever holds the right reviews. */
  reviewers: names,
  state: z.enum(['open', 'kept', 'revoked', 'unanswered', 'gone']),
  decidedBy: z.string().nullable(),
  decidedAt: z.number().nullable(),
  reason: z.string(),
  outcome: z
    .object({
      done: z.string(),
      byName: z.string().exactOptional(),
      source: z.string().exactOptional(),
      refusal: z.string().exactOptional(),
    })
    .nullable(),
})

export const item = plainItem.extend({ revision: z.number() })

/** INVARIANT: what is exported is what was hashed, so nothing is made of it here. */
export function showItem(given: ReviewItem): z.input<typeof item> {
  return given
}

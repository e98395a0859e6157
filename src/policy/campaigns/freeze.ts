/**
 * What is a campaign about, who looks at each item, and by which evidence?
 * Stops: a campaign whose items change while people look at them; one about nothing; one that nobody may answer.
 * Trusts: the transaction it reads and writes in.
 * Fails: refused or not recorded, there is no campaign.
 */
import { hash } from 'node:crypto'
import { createId, isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import type { RecordEvent } from '../record-change.ts'
import { assignedBy, namesOf, useBy } from '../reviews/access.ts'
import { mayBeAbout } from '../reviews/about.ts'
import { createPermits, type Permits } from '../reviews/permits.ts'
import { type Horizon, readHorizon, sum, type Use, usesOfPeople, usesOfPrints } from '../reviews/uses.ts'
import { isOneLine, plainGrant, type Role } from '../roles/role.ts'
import { readCurrent } from '../snapshot/publish.ts'
import type { Rows } from '../snapshot/store.ts'
import {
  type Campaign,
  campaignLimits,
  type Item,
  type ItemEvidence,
  type ItemKind,
  type ProposedCampaign,
  type Scope,
  type Subject,
} from './campaign.ts'
import { writeCampaign, writeItems } from './campaign-store.ts'
import { reviewEvents } from './events.ts'
import { reviewRefusals } from './refusals.ts'
import { type Owners, readOwners } from './reviewers.ts'

const dayMs = 86_400_000

/** Changes with what a role grants. */
export function roleHash({ grants }: Pick<Role, 'grants'>): string {
  return hash('sha256', JSON.stringify(grants.map(plainGrant)), 'base64url').slice(0, 22)
}

function refuseShape({ name, dueAt, scope, reviewers }: ProposedCampaign, now: number): Refusal | undefined {
  const invalid = (problem: string) => refuse(reviewRefusals.campaignInvalid, { names: { problem } })
  const { maxNameLength, longestDays, maxReviewers, maxScope } = campaignLimits
  if (name.trim() === '' || !isOneLine(name, maxNameLength)) {
    return invalid(`its name is one line of at most ${maxNameLength} characters`)
  }
  if (!(dueAt > now && dueAt <= now + longestDays * dayMs)) {
    return invalid(`it is due at a moment to come, within ${longestDays} days`)
  }
  if (reviewers.length > maxReviewers) return invalid(`it has at most ${maxReviewers} reviewers`)
  const longest = Math.max(...[scope.roles, scope.servers, scope.labels, scope.people].map(({ length }) => length))
  return longest > maxScope ? invalid(`its scope names at most ${maxScope} of a kind`) : undefined
}

/** Servers that carry one of the labels, by themselves or by one of their tools. */
async function labelled(rows: Rows, labels: readonly string[]): Promise<readonly string[]> {
  const found = await rows.selectFrom('classifications').select(['upstream', 'classification']).execute()
  const fits = (text: string) => {
    const { sensitivity = '', dataClasses = [] } = JSON.parse(text) as { sensitivity?: string; dataClasses?: string[] }
    return labels.some(
      (label) => label === `sensitivity:${sensitivity}` || dataClasses.some((one) => label === `data:${one}`),
    )
  }
  return [...new Set(found.flatMap(({ upstream, classification }) => (fits(classification) ? [upstream] : [])))]
}

interface Frame {
  readonly rows: Rows
  readonly roles: readonly Role[]
  readonly permits: Permits
  readonly scope: Scope
  readonly since: number
  /** Servers that are asked for; undefined where all are. */
  readonly servers: readonly string[] | undefined
  /** Roles that the campaign is about. */
  readonly inScope: ReadonlyMap<string, Role>
}

function isAsked({ servers, permits }: Pick<Frame, 'servers' | 'permits'>, role: string): boolean {
  if (servers === undefined) return true
  return permits.ofRole(role).some(({ about }) => servers.some((upstream) => mayBeAbout(about, { upstream })))
}

async function frameOf(
  rows: Rows,
  { scope, since }: ProposedCampaign,
): Promise<(Frame & { version: number }) | Refusal> {
  const { roles, compiled, snapshot } = await readCurrent(rows)
  const { version } = snapshot
  const unknown = (kind: string, name: string) => refuse(reviewRefusals.scopeUnknown, { names: { kind, name } })
  const role = scope.roles.find((name) => roles.every((one) => one.name !== name))
  if (role !== undefined) return unknown('role', role)
  const there = new Set((await rows.selectFrom('upstreams').select('name').execute()).map(({ name }) => name))
  const server = scope.servers.find((name) => !there.has(name))
  if (server !== undefined) return unknown('server', server)
  const people = await namesOf(rows, scope.people)
  const person = scope.people.find((id) => !people.has(id))
  if (person !== undefined) return unknown('person', person)
  const isAll = scope.servers.length === 0 && scope.labels.length === 0
  const servers = isAll ? undefined : [...new Set([...scope.servers, ...(await labelled(rows, scope.labels))])]
  const permits = createPermits({ version, rules: compiled.rules }, roles)
  const wanted = roles.filter(
    ({ name }) => (scope.roles.length === 0 || scope.roles.includes(name)) && isAsked({ servers, permits }, name),
  )
  return {
    rows,
    roles,
    permits,
    scope,
    since,
    servers,
    version,
    inScope: new Map(wanted.map((one) => [one.name, one])),
  }
}

interface Candidate {
  readonly kind: ItemKind
  readonly personId: string
  readonly role: string
  readonly subject: Subject
  readonly evidence: ItemEvidence
  /** Ids of who answers for it. */
  readonly owners: (owners: Owners) => readonly string[]
}

function evidenceOf(use: Use | undefined): ItemEvidence {
  return { uses: use?.uses ?? 0, lastAt: use?.lastAt ?? null, ledger: use?.ledger ?? null, seq: use?.seq ?? null }
}

function upstreamsOf({ permits }: Frame, role: string): readonly string[] {
  return permits.ofRole(role).flatMap(({ upstreams }) => upstreams ?? [])
}

/** Whoever answers for the role; else for the servers that the campaign is about. */
function ownersOfRole(frame: Frame, role: string) {
  return (owners: Owners): readonly string[] => {
    const own = owners.ofRole(role)
    return own.length > 0 ? own : owners.ofServers(frame.servers ?? upstreamsOf(frame, role))
  }
}

async function heldRoles(frame: Frame) {
  const { rows, inScope, scope } = frame
  const found = await rows
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select(['person_id', 'role', 'granted_at', 'granted_by', 'name', 'kind'])
    .orderBy('role')
    .orderBy('name')
    .execute()
  return found.filter(
    ({ role, person_id: id }) => inScope.has(role) && (scope.people.length === 0 || scope.people.includes(id)),
  )
}

type Held = Awaited<ReturnType<typeof heldRoles>>[number]

async function assignments(frame: Frame, held: readonly Held[]): Promise<Candidate[]> {
  const { rows, permits, inScope } = frame
  const names = await namesOf(
    rows,
    held.flatMap(({ granted_by: by }) => by ?? []),
  )
  const uses = await usesOf(frame, held)
  return held.map((row): Candidate => {
    const { person_id: id, role, name, kind } = row
    const use = sum(permits.ofRole(role).map((permit) => useBy(uses, id, permit)))
    const { how, by } = assignedBy(row, names)
    const given = { grantedAt: Number(row.granted_at), grantedBy: row.granted_by, how, by }
    const subject = {
      person: { id, name, kind },
      role,
      roleHash: roleHash(inScope.get(role) ?? { grants: [] }),
      ...given,
    }
    return {
      kind: 'assignment',
      personId: id,
      role,
      subject: { kind: 'assignment', ...subject },
      evidence: evidenceOf(use),
      owners: ownersOfRole(frame, role),
    }
  })
}

const peopleAtOnce = 500

async function usesOf({ rows, since }: Frame, held: readonly Held[]): Promise<ReadonlyMap<string, Use>> {
  const people = [...new Set(held.map(({ person_id: id }) => id))]
  const uses = new Map<string, Use>()
  for (let from = 0; from < people.length; from += peopleAtOnce) {
    for (const [key, use] of await usesOfPeople(rows, people.slice(from, from + peopleAtOnce), since))
      uses.set(key, use)
  }
  return uses
}

async function grants({ rows, permits, inScope, since, ...frame }: Frame): Promise<Candidate[]> {
  const uses = await usesOfPrints(rows, since)
  return [...inScope.values()].flatMap(({ name: role, isShipped }) => {
    // WHY: what is shipped cannot be changed; who has it can.
    if (isShipped) return []
    return permits.ofRole(role).flatMap(({ print, number = 0, grant, about }): Candidate[] => {
      const isOutside = frame.servers?.every((upstream) => !mayBeAbout(about, { upstream })) === true
      if (grant === undefined || isOutside) return []
      const subject = { kind: 'grant', role, number, grant: plainGrant(grant) } as const
      const owners = ownersOfRole({ rows, permits, inScope, since, ...frame }, role)
      return [{ kind: 'grant', personId: '', role, subject, evidence: evidenceOf(uses.get(print)), owners }]
    })
  })
}

async function accounts(frame: Frame, held: readonly Held[]): Promise<Candidate[]> {
  const { rows, permits } = frame
  const found = await rows
    .selectFrom('service_accounts')
    .innerJoin('people', 'people.id', 'service_accounts.person_id')
    .leftJoin('people as owner', 'owner.id', 'service_accounts.owner_id')
    .select(['service_accounts.person_id as id', 'people.name', 'purpose', 'owner_id', 'owner.name as owner_name'])
    .where('removed_at', 'is', null)
    .orderBy('people.name')
    .execute()
  const uses = await usesOf(
    frame,
    held.filter(({ kind }) => kind === 'service'),
  )
  const byPerson = Map.groupBy(held, ({ person_id: id }) => id)
  return found.flatMap(({ id, name, purpose, owner_id: ownerId, owner_name: ownerName }): Candidate[] => {
    const own = byPerson.get(id) ?? []
    if (own.length === 0) return []
    const roles = own.map(({ role, granted_at: at }) => ({
      role,
      grantedAt: Number(at),
      roleHash: roleHash(frame.inScope.get(role) ?? { grants: [] }),
    }))
    const use = sum(own.flatMap(({ role }) => permits.ofRole(role).map((permit) => useBy(uses, id, permit))))
    const subject = { kind: 'account', person: { id, name }, purpose, owner: ownerName ?? ownerId, roles } as const
    const owners = (known: Owners) => (known.mayReview(ownerId) ? [ownerId] : [])
    return [{ kind: 'account', personId: id, role: '', subject, evidence: evidenceOf(use), owners }]
  })
}

async function candidates(frame: Frame): Promise<Candidate[]> {
  const kinds = new Set(frame.scope.kinds)
  const isAny = kinds.size === 0
  const held = await heldRoles(frame)
  const asksAccounts = isAny || kinds.has('account')
  // WHY: a program is looked at as a whole, by its owner.
  const ofPeople = held.filter(({ kind }) => !asksAccounts || kind === 'person')
  return [
    ...(isAny || kinds.has('assignment') ? await assignments(frame, ofPeople) : []),
    ...((isAny && frame.scope.people.length === 0) || kinds.has('grant') ? await grants(frame) : []),
    ...(asksAccounts ? await accounts(frame, held) : []),
  ]
}

/** INVARIANT: nobody among them has what they would look at. */
function reviewersOf(candidate: Candidate, owners: Owners, named: readonly string[]): readonly string[] {
  const asked = named.length > 0 ? named : candidate.owners(owners)
  return asked.filter((id) => {
    if (!owners.mayReview(id)) return false
    return candidate.kind === 'grant' ? !owners.holds(id, candidate.role) : id !== candidate.personId
  })
}

/** Who may be asked, or a refusal of a named one who may not. */
async function askable(frame: Frame, proposed: ProposedCampaign, now: number): Promise<Owners | Refusal> {
  const { rows, roles } = frame
  const accounts = await rows
    .selectFrom('service_accounts')
    .select('owner_id')
    .where('removed_at', 'is', null)
    .execute()
  const others = [...proposed.reviewers, ...accounts.map(({ owner_id: id }) => id)]
  const owners = await readOwners(rows, { roles, now, others })
  const stranger = proposed.reviewers.find((id) => !owners.mayReview(id))
  return stranger === undefined ? owners : refuse(reviewRefusals.delegateInvalid, { names: { person: stranger } })
}

const undecided = { state: 'open', revision: 1, decidedBy: null, decidedAt: null, reason: '', outcome: null } as const

function campaignOf(
  { since, ...proposed }: ProposedCampaign,
  began: { readonly by: Principal; readonly now: number; readonly version: number; readonly horizon: Horizon },
): Campaign {
  const { by, now, version, horizon } = began
  return {
    ...proposed,
    id: createId(now),
    state: 'open',
    told: 'nothing',
    snapshotVersion: version,
    evidence: { since, from: horizon.from, upTo: horizon.upTo ?? null },
    createdAt: now,
    createdBy: by.id,
    closedAt: null,
    closedBy: null,
    draft: null,
    exportHash: null,
  }
}

/** Begins a campaign in the running transaction: its items stay as they are found. */
export async function freeze(
  { rows, record }: { readonly rows: Rows; readonly record: RecordEvent },
  proposed: ProposedCampaign,
  { by, now }: { readonly by: Principal; readonly now: number },
): Promise<Campaign | Refusal> {
  const refusal = refuseShape(proposed, now)
  if (refusal !== undefined) return refusal
  const frame = await frameOf(rows, proposed)
  if (isRefusal(frame)) return frame
  const found = await candidates(frame)
  if (found.length === 0) return refuse(reviewRefusals.nothingInScope)
  const limit = String(campaignLimits.maxItems)
  if (found.length > campaignLimits.maxItems) return refuse(reviewRefusals.tooLarge, { names: { limit } })
  const owners = await askable(frame, proposed, now)
  if (isRefusal(owners)) return owners
  const horizon = await readHorizon(rows, now)
  const campaign = campaignOf(proposed, { by, now, version: frame.version, horizon })
  const items = found.map((candidate, at): Item => {
    const { owners: _owners, ...told } = candidate
    const reviewers = reviewersOf(candidate, owners, proposed.reviewers)
    return { ...told, ...undecided, id: createId(now), campaign: campaign.id, place: at + 1, reviewers }
  })
  await writeCampaign(rows, campaign)
  await writeItems(rows, items)
  const { id, name, scope, whenDue, dueAt, reviewers, snapshotVersion: snapshot } = campaign
  const details = { campaign: id, name, scope, whenDue, due: new Date(dueAt).toISOString(), reviewers, snapshot }
  await record(reviewEvents.started, { principal: by, details: { ...details, items: items.length } })
  return campaign
}

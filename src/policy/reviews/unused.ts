/**
 * Which roles, grants, rules and assignments did nobody use, and what would have been enough?
 * Stops: a grant that is called unused because nobody could have seen its use.
 * Trusts: what was counted of the ledgers; since when a rule is in force.
 * Fails: where the evidence does not reach, it says so, and why; only what was in force and seen for the whole period is
 * called unused.
 */
import type { Role } from '../roles/role.ts'
import type { Rows } from '../snapshot/store.ts'
import { assignedBy, type Assigned, namesOf, useBy } from './access.ts'
import type { Permit, Permits } from './permits.ts'
import { type Suggestion, suggest } from './suggest.ts'
import { type Horizon, readHorizon, sum, type Use, usesOfPeople, usesOfPrints, usesOfUpstreams } from './uses.ts'

/** What can be said of the period. */
export type Verdict =
  | 'unused'
  /** It allows more than was used. */
  | 'wider-than-used'
  /** In force, or given, for less than the period. */
  | 'young'
  /** The ledgers do not reach back to the beginning of the period, or were not counted up to the present. */
  | 'no-evidence'
  /** Use of it is not recorded by rule. */
  | 'not-recorded'

export interface UnusedLine {
  readonly kind: 'role' | 'grant' | 'rule' | 'assignment'
  readonly verdict: Verdict
  readonly role: string | null
  readonly permit: Permit | undefined
  readonly person: { readonly id: string; readonly name: string; readonly kind: string } | null
  readonly assigned: Assigned | null
  /** Since when it is in force, or given; null where that is not known. */
  readonly inForceSince: number | null
  /** The last use at all, with its entry. */
  readonly use: Use | undefined
  readonly suggestion: Suggestion | undefined
}

/** After the permits, assignments by person and role. */
export type UnusedCursor = { readonly person: string; readonly role: string }

export interface UnusedNeeds {
  readonly rows: Rows
  readonly permits: Permits
  readonly roles: readonly Role[]
  readonly now: number
  readonly since: number
}

/** A ledger that was not counted for longer than this is behind. */
const mostBehindMs = 2 * 3_600_000

interface Weighing extends UnusedNeeds {
  readonly horizon: Horizon
}

/** Why nothing follows from there being no use; undefined where it does. */
function unproven(
  { horizon, now, since }: Weighing,
  { inForceSince, isTold }: { readonly inForceSince: number | null; readonly isTold: boolean },
): Verdict | undefined {
  if (!isTold) return 'not-recorded'
  if (inForceSince === null || inForceSince > since) return 'young'
  if (horizon.from > since || horizon.upTo === undefined || horizon.upTo < now - mostBehindMs) return 'no-evidence'
  return undefined
}

function isTold({ telling, reachesAdmin }: Permit): boolean {
  return telling !== 'nothing' && !reachesAdmin
}

function isUsed({ since }: UnusedNeeds, use: Use | undefined): boolean {
  return use !== undefined && use.lastAt >= since
}

async function sinceOfPrints(rows: Rows): Promise<ReadonlyMap<string, number>> {
  const found = await rows.selectFrom('rule_prints').select(['print', 'since_at']).execute()
  return new Map(found.map(({ print, since_at }) => [print, Number(since_at)]))
}

async function permitLine(weighing: Weighing, permit: Permit, found: { use: Use | undefined; since: number | null }) {
  const { rows, since } = weighing
  const { use } = found
  const about = { kind: permit.role === undefined ? ('rule' as const) : ('grant' as const), role: permit.role ?? null }
  const more = { permit, person: null, assigned: null, inForceSince: found.since, use }
  if (!isUsed(weighing, use)) {
    const verdict = unproven(weighing, { inForceSince: found.since, isTold: isTold(permit) }) ?? 'unused'
    return { ...about, ...more, verdict, suggestion: undefined }
  }
  const suggestion = permit.telling === 'calls' ? await suggest(rows, permit, since) : undefined
  if (suggestion === undefined) return undefined
  const verdict = unproven(weighing, { inForceSince: found.since, isTold: true }) ?? 'wider-than-used'
  return { ...about, ...more, verdict, suggestion }
}

/** Grants of roles and rules of files, in the order of the policy; then roles of which nothing was used. */
async function permitLines(weighing: Weighing): Promise<UnusedLine[]> {
  const { rows, permits, roles, since } = weighing
  const [uses, servers, sinces] = [
    await usesOfPrints(rows, since),
    await usesOfUpstreams(rows, since),
    await sinceOfPrints(rows),
  ]
  const useOf = (permit: Permit): Use | undefined => {
    const own = sum([uses.get(permit.print), uses.get(`id:${permit.rule}`)])
    const of = permit.telling === 'server' ? (permit.upstreams ?? [...servers.keys()]) : []
    return sum([own, ...of.map((upstream) => servers.get(upstream))])
  }
  const lines: UnusedLine[] = []
  for (const permit of permits.all) {
    // WHY: the admin role is how the house is opened when nothing else does; it is no grant to be narrowed.
    if (permit.role !== undefined && roles.find(({ name }) => name === permit.role)?.isShipped === true) continue
    const line = await permitLine(weighing, permit, { use: useOf(permit), since: sinces.get(permit.print) ?? null })
    if (line !== undefined) lines.push(line)
  }
  for (const { name, isShipped } of roles) {
    const own = permits.ofRole(name)
    const use = sum(own.map(useOf))
    if (isShipped || isUsed(weighing, use)) continue
    const began = own.map(({ print }) => sinces.get(print) ?? null)
    const inForceSince = began.length === 0 || began.includes(null) ? null : Math.max(...began.map(Number))
    const told = own.every(isTold)
    const verdict = own.length === 0 ? 'unused' : (unproven(weighing, { inForceSince, isTold: told }) ?? 'unused')
    lines.push({
      kind: 'role',
      verdict,
      role: name,
      permit: undefined,
      person: null,
      assigned: null,
      inForceSince,
      use,
      suggestion: undefined,
    })
  }
  return lines
}

async function assignmentLines(weighing: Weighing, cursor: UnusedCursor, limit: number) {
  const { rows, permits, since } = weighing
  const found = await rows
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select(['person_id', 'role', 'granted_at', 'granted_by', 'name', 'kind'])
    .where((where) =>
      where.or([
        where('person_id', '>', cursor.person),
        where.and([where('person_id', '=', cursor.person), where('role', '>', cursor.role)]),
      ]),
    )
    .orderBy('person_id')
    .orderBy('role')
    .limit(limit)
    .execute()
  const uses = await usesOfPeople(rows, [...new Set(found.map(({ person_id: id }) => id))], since)
  const names = await namesOf(
    rows,
    found.flatMap(({ granted_by: by }) => (by === null ? [] : [by])),
  )
  const lines = found.flatMap((row): UnusedLine[] => {
    const { person_id: id, role, name, kind } = row
    const own = permits.ofRole(role)
    const use = sum(own.map((permit) => useBy(uses, id, permit)))
    if (isUsed(weighing, use)) return []
    const inForceSince = Number(row.granted_at)
    const verdict = unproven(weighing, { inForceSince, isTold: own.every(isTold) }) ?? 'unused'
    const about = { role, permit: undefined, person: { id, name, kind }, assigned: assignedBy(row, names) }
    return [{ kind: 'assignment', verdict, ...about, inForceSince, use, suggestion: undefined }]
  })
  const last = found.at(-1)
  const next = last === undefined || found.length < limit ? undefined : { person: last.person_id, role: last.role }
  return { lines, next }
}

/** One page: what the policy has first, then what people have. */
export async function readUnused(
  needs: UnusedNeeds,
  at: { readonly cursor: UnusedCursor | undefined; readonly limit: number },
): Promise<{
  readonly lines: readonly UnusedLine[]
  readonly next: UnusedCursor | undefined
  readonly horizon: Horizon
}> {
  const horizon = await readHorizon(needs.rows, needs.now)
  const weighing = { ...needs, horizon }
  if (at.cursor === undefined) {
    return { lines: await permitLines(weighing), next: { person: '', role: '' }, horizon }
  }
  return { ...(await assignmentLines(weighing, at.cursor, at.limit)), horizon }
}

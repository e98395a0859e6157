/**
 * Who may approve a call, at this moment?
 * Stops: approving one's own call, as oneself, as the owner of the program that asks, or as one who acts by it; approvals
 * of whoever lost the role, was suspended or is held.
 * Trusts: the transaction it reads in.
 * Fails: closed: who is not found has no roles.
 */
import type { Tables } from '#platform/database'
import type { Selectable } from 'kysely'
import { readHoldsInForce } from '../holds/holds.ts'
import type { Rows } from '../snapshot/store.ts'
import type { AskedRule } from './asked-call.ts'

export type Ask = Selectable<Tables['remedy_asks']>

/** Told at most so many of a new call. */
const mostTold = 200

/** WHY: written by `ask` alone. */
export function rulesOf({ rules }: Pick<Ask, 'rules'>): AskedRule[] {
  return JSON.parse(rules) as AskedRule[]
}

export function approverRolesOf(rules: readonly AskedRule[]): string[] {
  return [...new Set(rules.flatMap(({ approvers }) => approvers?.roles ?? []))].toSorted()
}

/** Who never approves this call: who asks, who acts, and the owners of those of them that are programs. */
export async function excludedFrom(rows: Rows, ask: Pick<Ask, 'person_id' | 'actors'>): Promise<ReadonlySet<string>> {
  const asking = [ask.person_id, ...(JSON.parse(ask.actors) as string[])]
  const owners = await rows.selectFrom('service_accounts').select('owner_id').where('person_id', 'in', asking).execute()
  return new Set([...asking, ...owners.map((owner) => owner.owner_id)])
}

/** The roles that these people hold at this moment; nobody who is suspended, on hold, or no person. */
async function rolesOfStanding(rows: Rows, ids: readonly string[], nowMs: number): Promise<Map<string, Set<string>>> {
  if (ids.length === 0) return new Map()
  const programs = rows.selectFrom('service_accounts').select('person_id')
  const found = await rows
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select(['people.id as id', 'role_grants.role as role'])
    .where('people.id', 'in', ids)
    .where('people.status', '=', 'active')
    .where('people.id', 'not in', programs)
    .execute()
  const held = new Set(
    (await readHoldsInForce(rows, nowMs)).filter(({ kind }) => kind === 'person').map(({ subject }) => subject),
  )
  const roles = new Map<string, Set<string>>()
  for (const { id, role } of found) {
    if (!held.has(id)) roles.set(id, (roles.get(id) ?? new Set()).add(role))
  }
  return roles
}

/** The approver roles that each of these people holds for this call at this moment; none of those who may not approve it. */
export async function standingFor(
  rows: Rows,
  ask: Ask,
  { ids, nowMs }: { readonly ids: readonly string[]; readonly nowMs: number },
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const excluded = await excludedFrom(rows, ask)
  const named = new Set(approverRolesOf(rulesOf(ask)))
  const roles = await rolesOfStanding(
    rows,
    ids.filter((id) => !excluded.has(id)),
    nowMs,
  )
  const standing = new Map(
    [...roles].map(([id, held]) => [id, new Set([...held].filter((role) => named.has(role)))] as const),
  )
  return new Map([...standing].filter(([, held]) => held.size > 0))
}

/** Everybody who may approve it, the first 200. */
export async function approversOf(rows: Rows, ask: Ask, nowMs: number): Promise<string[]> {
  const roles = approverRolesOf(rulesOf(ask))
  if (roles.length === 0) return []
  const found = await rows
    .selectFrom('role_grants')
    .select('person_id')
    .distinct()
    .where('role', 'in', roles)
    .orderBy('person_id')
    .limit(mostTold)
    .execute()
  const ids = found.map((row) => row.person_id)
  return [...(await standingFor(rows, ask, { ids, nowMs })).keys()]
}

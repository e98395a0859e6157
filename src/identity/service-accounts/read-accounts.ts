/**
 * Which service accounts are there, who answers for each, and does it still hold?
 * Stops: one that nobody sees. Trusts: the database. Fails with it.
 */
import type { Query } from '../parts.ts'

/** What is shown of a service account. Times in wall-clock milliseconds. */
export interface ServiceAccountView {
  /** Also the id of its row of people, and so of its principal. */
  readonly id: string
  readonly name: string
  readonly purpose: string
  /** `unowned`: its owner is suspended or gone. */
  readonly state: 'active' | 'suspended' | 'expired' | 'unowned'
  readonly owner: { readonly id: string; readonly name: string }
  /** Sorted. */
  readonly roles: readonly string[]
  readonly mayReadAdmin: boolean
  readonly createdAt: number
  readonly createdBy: string | null
  readonly expiresAt: number
  /** Whole days until it ends, rounded down; 0 when it has. */
  readonly daysLeft: number
}

const dayMs = 86_400_000
const mostListed = 10_000

/** Those that were not removed, the next to end first. @param of one account, or those of one owner */
export async function readAccounts(
  query: Query,
  nowMs: number,
  of: { readonly id?: string; readonly ownerId?: string } = {},
): Promise<ServiceAccountView[]> {
  const all = query
    .selectFrom('service_accounts as account')
    .innerJoin('people as program', 'program.id', 'account.person_id')
    .leftJoin('people as owner', 'owner.id', 'account.owner_id')
    .select(['account.person_id as id', 'program.name', 'program.status', 'purpose', 'owner_id', 'expires_at'])
    .select(['owner.name as owner_name', 'owner.status as owner_status', 'owner.kind as owner_kind'])
    .select(['may_read_admin', 'account.created_at', 'account.created_by'])
    .where('removed_at', 'is', null)
    .orderBy('expires_at')
    .orderBy('account.person_id')
    .limit(mostListed)
  const one = of.id === undefined ? all : all.where('account.person_id', '=', of.id)
  const rows = await (of.ownerId === undefined ? one : one.where('owner_id', '=', of.ownerId)).execute()
  const held = await query
    .selectFrom('role_grants')
    .innerJoin('service_accounts', 'service_accounts.person_id', 'role_grants.person_id')
    .select(['role_grants.person_id', 'role'])
    .execute()
  const roles = Map.groupBy(held, ({ person_id: id }) => id)
  return rows.map((row) => {
    const isOwned = row.owner_status === 'active' && row.owner_kind === 'person'
    const left = Math.max(0, row.expires_at - nowMs)
    const ended = left === 0 ? 'expired' : isOwned ? 'active' : 'unowned'
    return {
      id: row.id,
      name: row.name,
      purpose: row.purpose,
      state: row.status === 'active' ? ended : 'suspended',
      owner: { id: row.owner_id, name: row.owner_name ?? row.owner_id },
      roles: (roles.get(row.id) ?? []).map(({ role }) => role).toSorted(),
      mayReadAdmin: row.may_read_admin === 1,
      createdAt: row.created_at,
      createdBy: row.created_by,
      expiresAt: row.expires_at,
      daysLeft: Math.floor(left / dayMs),
    }
  })
}

/** One account, as its transaction sees it. */
export async function readAccount(query: Query, nowMs: number, id: string): Promise<ServiceAccountView | undefined> {
  return (await readAccounts(query, nowMs, { id })).at(0)
}

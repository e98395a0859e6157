/**
 * May anything act as this service account at this moment, and until when? Not after its end, and not without an owner.
 * Stops: a program that lives on when nobody answers for it any more.
 * Trusts: the database; what is derived is kept for one revision of it, so a change counts on all nodes at once.
 * Fails: closed: an account of which nothing is known has ended.
 * @see docs/decisions/0036-service-accounts.md
 */
import type { Query } from '../parts.ts'

export interface AccountStanding {
  /** Wall-clock milliseconds; nothing of the account holds from then on. */
  readonly endsAt: number
  /** Why it is worth nothing, whatever the time. */
  readonly ended: 'service-account-removed' | 'owner-not-active' | undefined
}

/** Told when a credential is past its time because its account is. */
export const accountExpired = 'service-account-expired'

/** Told of a client that would act for itself with the rights of a person. */
export const actsAsPerson = 'client-acts-as-a-person'

/** What is read of an account together with something else; empty of a person. */
interface AccountColumns {
  readonly account_ends_at: number | null
  readonly removed_at: number | null
  readonly owner_status: 'active' | 'suspended' | null
  readonly owner_kind: 'person' | 'service' | null
}

/** How it stands with a service account of which this was read. @returns undefined of a person */
export function standingOf(kind: 'person' | 'service', row: AccountColumns): AccountStanding | undefined {
  if (kind === 'person') return undefined
  if (row.account_ends_at === null || row.removed_at !== null) return { endsAt: 0, ended: 'service-account-removed' }
  const isOwned = row.owner_status === 'active' && row.owner_kind === 'person'
  return { endsAt: row.account_ends_at, ended: isOwned ? undefined : 'owner-not-active' }
}

/** How it stands with a service account. @returns undefined of a person */
export async function readStanding(
  query: Query,
  holder: { readonly id: string; readonly kind: 'person' | 'service' },
): Promise<AccountStanding | undefined> {
  if (holder.kind === 'person') return undefined
  const row = await query
    .selectFrom('service_accounts as account')
    .leftJoin('people as owner', 'owner.id', 'account.owner_id')
    .select(['expires_at as account_ends_at', 'removed_at', 'owner.status as owner_status', 'owner.kind as owner_kind'])
    .where('person_id', '=', holder.id)
    .executeTakeFirst()
  const nothing = { account_ends_at: null, removed_at: null, owner_status: null, owner_kind: null }
  return standingOf(holder.kind, row ?? nothing)
}

/** The end of a credential: its own, or before that the end of the account it belongs to. */
export function endWithin(standing: AccountStanding | undefined, expiresAt: number) {
  if (standing === undefined || standing.endsAt > expiresAt) return { expiresAt, expiredBy: undefined }
  return { expiresAt: standing.endsAt, expiredBy: accountExpired }
}

/** Why a client cannot act as its own holder at this moment; undefined when it can. */
export async function whyNotActing(query: Query, holderId: string, nowMs: number): Promise<string | undefined> {
  const holder = await query
    .selectFrom('people')
    .select(['id', 'kind', 'status'])
    .where('id', '=', holderId)
    .executeTakeFirst()
  if (holder === undefined) return 'service-account-removed'
  const standing = await readStanding(query, holder)
  if (standing === undefined) return actsAsPerson
  if (standing.ended !== undefined) return standing.ended
  if (holder.status !== 'active') return 'suspended'
  return nowMs >= standing.endsAt ? accountExpired : undefined
}

/**
 * May the end, the owner or the state of this service account be changed? By administrators; its end and its stop also by
 * its owner.
 * Stops: an account that goes on with nobody's name on it; a former owner who keeps tokens of it.
 * Trusts: the caller for permission to act; an owner's name is read in the same transaction.
 * Fails: closed: no entry in the ledger, no change; to strangers an account is one that is not there.
 * @see docs/decisions/0036-service-accounts.md
 */
import type { EventDefinition } from '#audit'
import { type Refusal, isRefusal, refuse } from '#kernel'
import { type NoticeKind, addNotice } from '../notices/notices.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { endCredentials } from '../people/take-factors.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { endAfter, isOwnable } from './add-account.ts'
import { accountAssigned, accountRemoved, accountRenewed, accountResumed, accountSuspended } from './events.ts'
import { type ServiceAccountView, readAccount } from './read-accounts.ts'

export interface AccountChange {
  readonly id: string
  readonly by: Actor
  /** When given, only an account of this owner; another's is unknown. */
  readonly ownerId?: string | undefined
}

interface Work extends AccountChange {
  readonly event: EventDefinition
  /** What the owners before and after are told, unless they do it themselves. */
  readonly notice: NoticeKind
  /** @returns what belongs into the entry */
  change(transaction: Query, account: ServiceAccountView, nowMs: number): Promise<Record<string, unknown> | Refusal>
}

async function tellOwners(
  transaction: Query,
  { by, notice }: Work,
  told: { before: ServiceAccountView; after: ServiceAccountView; nowMs: number },
): Promise<void> {
  const { before, after, nowMs } = told
  const details = { name: after.name, by: by.name, owner: after.owner.name }
  for (const personId of new Set([before.owner.id, after.owner.id])) {
    if (personId !== by.id) await addNotice(transaction, { personId, kind: notice, nowMs, details })
  }
}

async function changeAccount(parts: Parts, work: Work): Promise<ServiceAccountView | Refusal> {
  const { id, by, ownerId, event } = work
  const changed = await recordChange<{ account: ServiceAccountView; details: Record<string, unknown> }>(parts, {
    async work(transaction) {
      const nowMs = parts.clock.now()
      const before = await readAccount(transaction, nowMs, id)
      if (before === undefined || (ownerId !== undefined && before.owner.id !== ownerId)) {
        return refuse(refusals.accountUnknown)
      }
      const details = await work.change(transaction, before, nowMs)
      if (isRefusal(details)) return details
      const after = (await readAccount(transaction, nowMs, id)) ?? before
      await tellOwners(transaction, work, { before, after, nowMs })
      return { account: after, details }
    },
    tell: ({ account, details }) => [
      event,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: { account: id, name: account.name, owner: account.owner.id, ...details },
      },
    ],
  })
  return isRefusal(changed) ? changed : changed.account
}

/** Moves the end to so many days from this moment; also brings back what had expired. */
export async function renewAccount(
  parts: Parts,
  change: AccountChange & { readonly days?: number | undefined },
): Promise<ServiceAccountView | Refusal> {
  const expiresAt = endAfter(parts, change.days)
  if (isRefusal(expiresAt)) return expiresAt
  return changeAccount(parts, {
    ...change,
    event: accountRenewed,
    notice: 'service-account-renewed',
    async change(transaction, { expiresAt: before }) {
      const renewed = transaction.updateTable('service_accounts').set({ expires_at: expiresAt })
      await renewed.where('person_id', '=', change.id).execute()
      return { before: new Date(before).toISOString(), expiresAt: new Date(expiresAt).toISOString() }
    },
  })
}

/** Gives it another owner. What the former owner made for it ends: they may have kept a copy. */
export function assignAccount(
  parts: Parts,
  change: AccountChange & { readonly to: string },
): Promise<ServiceAccountView | Refusal> {
  const { id, by, to } = change
  return changeAccount(parts, {
    ...change,
    event: accountAssigned,
    notice: 'service-account-assigned',
    async change(transaction, { owner }, nowMs) {
      if (!(await isOwnable(transaction, to))) return refuse(refusals.accountOwner)
      await transaction.updateTable('service_accounts').set({ owner_id: to }).where('person_id', '=', id).execute()
      if (owner.id === to) return { formerOwner: owner.id, tokens: 0 }
      const ended = await transaction
        .updateTable('access_tokens')
        .set({ revoked_at: nowMs, revoked_by: by.id })
        .where('person_id', '=', id)
        .where('minted_by', '=', owner.id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      return { formerOwner: owner.id, tokens: Number(ended.numUpdatedRows) }
    },
  })
}

async function setStatus(transaction: Query, id: string, status: 'active' | 'suspended', nowMs: number) {
  await transaction.updateTable('people').set({ status, updated_at: nowMs }).where('id', '=', id).execute()
}

/** Ends its tokens at once; its OAuth clients get none until it is resumed. */
export function suspendAccount(parts: Parts, change: AccountChange): Promise<ServiceAccountView | Refusal> {
  const { id, by } = change
  return changeAccount(parts, {
    ...change,
    event: accountSuspended,
    notice: 'service-account-suspended',
    async change(transaction, _account, nowMs) {
      await setStatus(transaction, id, 'suspended', nowMs)
      const { tokens } = await endCredentials(transaction, { personId: id, by, reason: 'suspended', nowMs })
      return { tokens }
    },
  })
}

/** Lets it act again; tokens that were ended stay ended. */
export function resumeAccount(parts: Parts, change: AccountChange): Promise<ServiceAccountView | Refusal> {
  return changeAccount(parts, {
    ...change,
    event: accountResumed,
    notice: 'service-account-resumed',
    async change(transaction, _account, nowMs) {
      await setStatus(transaction, change.id, 'active', nowMs)
      return {}
    },
  })
}

/** Ends it for good: its tokens, roles and OAuth clients. Its name is not given to anybody else. */
export function removeAccount(parts: Parts, change: AccountChange): Promise<ServiceAccountView | Refusal> {
  const { id, by } = change
  return changeAccount(parts, {
    ...change,
    event: accountRemoved,
    notice: 'service-account-removed',
    async change(transaction, { roles }, nowMs) {
      await setStatus(transaction, id, 'suspended', nowMs)
      const { tokens } = await endCredentials(transaction, { personId: id, by, reason: 'removed', nowMs })
      await transaction.deleteFrom('role_grants').where('person_id', '=', id).execute()
      const blocked = await transaction
        .updateTable('oauth_clients')
        .set({ blocked_at: nowMs, blocked_by: by.id })
        .where('person_id', '=', id)
        .where('blocked_at', 'is', null)
        .executeTakeFirst()
      await transaction.updateTable('service_accounts').set({ removed_at: nowMs }).where('person_id', '=', id).execute()
      return { tokens, roles, clients: Number(blocked.numUpdatedRows) }
    },
  })
}

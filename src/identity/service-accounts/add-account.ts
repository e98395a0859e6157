/**
 * Who may become a service account? A new name, with somebody active who answers for it, a purpose and an end.
 * Stops: an agent without an owner or without an end; the name of a person for a program.
 * Trusts: the caller to have decided that `by` may give the roles. Fails closed: no entry in the ledger, no account.
 * @see docs/decisions/0036-service-accounts.md
 */
import { type Refusal, createId, isRefusal, refuse } from '#kernel'
import { firstUnknownRole } from '../enrolment/links.ts'
import { canonicalName, isFreeForPeople, readLine } from '../names.ts'
import { addNotice } from '../notices/notices.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { accountAdded } from './events.ts'
import { type ServiceAccountView, readAccount } from './read-accounts.ts'

const dayMs = 86_400_000
const usualDays = 90

export interface NewServiceAccount {
  readonly name: string
  readonly purpose: string
  readonly ownerId: string
  /** Whole days from this moment, up to `identity.serviceAccountDays`; 90 unless told, or fewer where that is more. */
  readonly days?: number | undefined
  readonly roles: readonly string[]
  /** It may hold roles that read on the admin plane, and have a token for the admin API. */
  readonly mayReadAdmin?: boolean | undefined
  readonly by: Actor
}

/** When an account that is given so many days ends. */
export function endAfter({ clock, settings }: Pick<Parts, 'clock' | 'settings'>, days?: number): number | Refusal {
  const most = settings.serviceAccountDays
  const given = days ?? Math.min(usualDays, most)
  if (!Number.isInteger(given) || given < 1 || given > most) {
    return refuse(refusals.accountLife, { names: { days: String(most) } })
  }
  return clock.now() + given * dayMs
}

/** Whether this person can answer for an account. */
export async function isOwnable(transaction: Query, ownerId: string): Promise<boolean> {
  const person = await transaction
    .selectFrom('people')
    .select('id')
    .where('id', '=', ownerId)
    .where('kind', '=', 'person')
    .where('status', '=', 'active')
    .executeTakeFirst()
  return person !== undefined
}

interface Read {
  readonly name: string
  readonly purpose: string
  readonly expiresAt: number
  readonly roles: readonly string[]
}

function read(parts: Parts, fresh: NewServiceAccount): Read | Refusal {
  const name = canonicalName(fresh.name)
  if (name === undefined || !isFreeForPeople(name)) {
    return refuse(refusals.nameInvalid, { names: { name: fresh.name } })
  }
  const purpose = readLine(fresh.purpose)
  if (purpose === undefined) return refuse(refusals.accountPurpose)
  const expiresAt = endAfter(parts, fresh.days)
  if (isRefusal(expiresAt)) return expiresAt
  return { name, purpose, expiresAt, roles: [...new Set(fresh.roles)].toSorted() }
}

async function refuseNew(transaction: Query, { name, roles }: Read, ownerId: string): Promise<Refusal | undefined> {
  const taken = await transaction.selectFrom('people').select('id').where('name', '=', name).executeTakeFirst()
  if (taken !== undefined) return refuse(refusals.nameTaken, { names: { name } })
  if (!(await isOwnable(transaction, ownerId))) return refuse(refusals.accountOwner)
  const unknown = await firstUnknownRole(transaction, roles)
  return unknown === undefined ? undefined : refuse(refusals.roleUnknown, { names: { role: unknown } })
}

async function insert(transaction: Query, fresh: NewServiceAccount, made: Read & { id: string; nowMs: number }) {
  const { id, nowMs, name, purpose, expiresAt, roles } = made
  const person = { id, name, display_name: name, status: 'active' as const, password_hash: null }
  await transaction
    .insertInto('people')
    .values({ ...person, kind: 'service', created_at: nowMs, updated_at: nowMs })
    .execute()
  const account = { person_id: id, owner_id: fresh.ownerId, purpose, expires_at: expiresAt, created_at: nowMs }
  await transaction
    .insertInto('service_accounts')
    .values({
      ...account,
      may_read_admin: fresh.mayReadAdmin === true ? 1 : 0,
      created_by: fresh.by.id,
      removed_at: null,
    })
    .execute()
  const granted = { person_id: id, granted_at: nowMs, granted_by: fresh.by.id }
  if (roles.length === 0) return
  await transaction
    .insertInto('role_grants')
    .values(roles.map((role) => ({ ...granted, role })))
    .execute()
}

/** A new service account, and its owner is told of it. */
export async function addAccount(parts: Parts, fresh: NewServiceAccount): Promise<ServiceAccountView | Refusal> {
  const nowMs = parts.clock.now()
  const id = createId(nowMs)
  const asked = read(parts, fresh)
  if (isRefusal(asked)) return asked
  const { by, ownerId } = fresh
  return recordChange<ServiceAccountView>(parts, {
    async work(transaction) {
      const refusal = await refuseNew(transaction, asked, ownerId)
      if (refusal) return refusal
      await insert(transaction, fresh, { ...asked, id, nowMs })
      const details = { name: asked.name, by: by.name }
      await addNotice(transaction, { personId: ownerId, kind: 'service-account-added', nowMs, details })
      const made = await readAccount(transaction, nowMs, id)
      if (made === undefined) throw new TypeError('an account that was just made is there')
      return made
    },
    tell: ({ name, purpose, owner, roles, mayReadAdmin, expiresAt }) => [
      accountAdded,
      {
        principal: { id: by.id, name: by.name },
        outcome: 'succeeded',
        details: {
          account: id,
          name,
          purpose,
          owner: owner.id,
          roles,
          mayReadAdmin,
          expiresAt: new Date(expiresAt).toISOString(),
        },
      },
    ],
  })
}

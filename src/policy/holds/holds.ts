/**
 * Who stops what, and who lets it go on?
 * Stops: a hold that is reported and not durable; lifting a hold twice.
 * Trusts: its caller to have decided that `by` may do this.
 * Fails: without an entry in the ledger nothing changes.
 */
import type { Ledger } from '#audit'
import { createId, refuse, type Clock, type Principal, type Refusal } from '#kernel'
import type { Database, Tables } from '#platform/database'
import { policyEvents } from '../events.ts'
import { recordChange, type RecordEvent } from '../record-change.ts'
import { policyRefusals } from '../refusals.ts'
import { otherAdmins } from '../roles/other-admins.ts'
import { adminRole } from '../roles/role.ts'
import type { Rows } from '../snapshot/store.ts'
import { refuseNetwork } from './find-hold.ts'
import { checkHold, isInForce, networkOf, type Hold, type ProposedHold } from './hold.ts'

/** A compromised last administrator can be stopped, but not for good: nobody would be left to lift it. */
const longestLastAdminHoldMs = 60 * 60_000

export interface Holds {
  /**
   * Stops a person (by id), a client (by id), an address or network, a tool, an upstream or everything, also oneself. Durable and recorded when it resolves, in
   * force in each process from its next `refresh` on. Refuses `policy.last-admin-held` for a hold of more than an hour
   * that no other administrator could lift, `policy.hold-on-loopback` for one on this machine's own address.
   */
  place(hold: ProposedHold & { readonly by: Principal }): Promise<Hold | Refusal>
  /** Ends a hold early. Refuses `policy.hold-unknown` alike for one that never was, was lifted or has expired. */
  lift(id: string, by: Principal): Promise<Hold | Refusal>
  /** Those in force, newest first; with `includeEnded` also the lifted and expired. */
  list(options?: { readonly includeEnded?: boolean }): Promise<Hold[]>
}

function readHold(row: Tables['holds']): Hold {
  return {
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    reason: row.reason,
    placedBy: row.placed_by,
    placedAt: Number(row.placed_at),
    ...(row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) }),
    ...(row.lifted_at === null ? {} : { liftedAt: Number(row.lifted_at) }),
    ...(row.lifted_by === null ? {} : { liftedBy: row.lifted_by }),
  }
}

/** Holds that were not lifted and have not expired. */
export async function readHoldsInForce(rows: Rows, nowMs: number): Promise<Hold[]> {
  const found = await rows.selectFrom('holds').selectAll().where('lifted_at', 'is', null).execute()
  return found.map(readHold).filter((hold) => isInForce(hold, nowMs))
}

async function isPerson(rows: Rows, id: string): Promise<boolean> {
  return (await rows.selectFrom('people').select('id').where('id', '=', id).executeTakeFirst()) !== undefined
}

/** Whether nobody who administers Castellan would be left to lift a hold on this person. */
async function leavesNobody(rows: Rows, personId: string, nowMs: number): Promise<boolean> {
  const role = await rows
    .selectFrom('role_grants')
    .select('role')
    .where('person_id', '=', personId)
    .where('role', '=', adminRole)
    .executeTakeFirst()
  if (role === undefined) return false
  const held = (await readHoldsInForce(rows, nowMs)).filter((hold) => hold.kind === 'person')
  const others = await otherAdmins(rows, personId)
  return others.every((id) => held.some((hold) => hold.subject === id))
}

async function refusePerson(rows: Rows, { subject, placedAt, expiresAt }: Hold): Promise<Refusal | undefined> {
  if (!(await isPerson(rows, subject))) return refuse(policyRefusals.personUnknown, { names: { person: subject } })
  const isShort = expiresAt !== undefined && expiresAt - placedAt <= longestLastAdminHoldMs
  if (isShort || !(await leavesNobody(rows, subject, placedAt))) return undefined
  return refuse(policyRefusals.lastAdminHeld, { names: { limit: '1 hour' } })
}

async function place(rows: Rows, record: RecordEvent, hold: Hold, by: Principal): Promise<Hold | Refusal> {
  const { id, kind, subject, reason } = hold
  const refusal = kind === 'person' ? await refusePerson(rows, hold) : undefined
  if (refusal !== undefined) return refusal
  const expires = hold.expiresAt ?? null
  const placing = { placed_by: hold.placedBy, placed_at: hold.placedAt, expires_at: expires }
  await rows
    .insertInto('holds')
    .values({ id, kind, subject, reason, ...placing, lifted_at: null, lifted_by: null })
    .execute()
  await record(policyEvents.holdPlaced, {
    principal: by,
    details: { hold: id, kind, subject, reason, expiresAt: expires },
  })
  return hold
}

async function lift(rows: Rows, record: RecordEvent, id: string, by: Principal, now: number): Promise<Hold | Refusal> {
  const lifted = await rows
    .updateTable('holds')
    .set({ lifted_at: now, lifted_by: by.id })
    .where('id', '=', id)
    .where('lifted_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .returningAll()
    .executeTakeFirst()
  if (lifted === undefined) return refuse(policyRefusals.holdUnknown, { names: { hold: id } })
  const hold = readHold(lifted)
  const details = { hold: id, kind: hold.kind, subject: hold.subject }
  await record(policyEvents.holdLifted, { principal: by, details })
  return hold
}

export function createHolds({
  database,
  ledger,
  clock,
  changed,
}: {
  database: Database
  ledger: Ledger
  clock: Clock
  /** Called after a change was committed. */
  changed: () => Promise<void>
}): Holds {
  return {
    async place({ kind, subject: written = '', reason, expiresAt, by }) {
      const now = clock.now()
      const proposed = { kind, subject: written, reason, expiresAt }
      const refusal = checkHold(proposed, now) ?? (kind === 'address' ? refuseNetwork(written) : undefined)
      if (refusal !== undefined) return refusal
      const subject = (kind === 'address' ? networkOf(written) : undefined) ?? written
      const ends = expiresAt === undefined ? {} : { expiresAt }
      const hold: Hold = { id: createId(now), kind, subject, reason, placedBy: by.id, placedAt: now, ...ends }
      const outcome = await recordChange(database, ledger, (rows, record) => place(rows, record, hold, by))
      await changed()
      return outcome
    },

    async lift(id, by) {
      const now = clock.now()
      const outcome = await recordChange(database, ledger, (rows, record) => lift(rows, record, id, by, now))
      await changed()
      return outcome
    },

    async list({ includeEnded = false } = {}) {
      const rows = await database.query.selectFrom('holds').selectAll().orderBy('id', 'desc').execute()
      const holds = rows.map(readHold)
      const now = clock.now()
      return includeEnded ? holds : holds.filter((hold) => isInForce(hold, now))
    },
  }
}

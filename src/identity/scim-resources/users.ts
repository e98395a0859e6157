/**
 * May a directory see and change these people? Those it made or was given, and nobody else.
 * Stops: a directory reaching people of others; access that outlives `active: false`; the end of a suspension that an
 * administrator decided; two changes of one version.
 * Trusts: the connection that was authenticated, and that transactions take turns. Fails closed: no entry in the ledger,
 * no change.
 * @see RFC 7644, sections 3.3 to 3.6; ASVS 7.4.2
 */
import { createId, type Refusal, isRefusal, refuse } from '#kernel'
import type { EntryFields, EventDefinition } from '#audit'
import { personResumed, personSuspended } from '../events.ts'
import { endCredentials, isLastAdmin } from '../people/take-factors.ts'
import type { Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { type Connection, from } from '../scim-connections/authenticate.ts'
import { syncRoles } from '../scim-connections/sync-roles.ts'
import { personChanged, personCreated, personRemoved } from '../scim/events.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { freeName } from './free-name.ts'
import type { Operation } from './operations.ts'
import { patchUser } from './patch-user.ts'
import { readUser, type Told } from './read-user.ts'
import type { Members } from './read-values.ts'
import { columnsOf, displayNameOf, findUser, isTaken, type KeptUser, writeEmails } from './user-rows.ts'

/** Which version a change is meant for; any where it is absent. */
export type IsMeant = ((version: number) => boolean) | undefined

interface Change {
  readonly id: string
  readonly isMeant: IsMeant
  /** What the person is told to be after the change. */
  next(kept: KeptUser): Told | Refusal
}

/** What came of a change, for the entry. */
interface Changed {
  readonly event: EventDefinition | undefined
  readonly name: string
  readonly details: Readonly<Record<string, unknown>>
}

export interface Users {
  /** @returns the id */
  create(connection: Connection, body: Members): Promise<string | Refusal>
  replace(connection: Connection, asked: { id: string; isMeant: IsMeant; body: Members }): Promise<string | Refusal>
  patch(
    connection: Connection,
    asked: { id: string; isMeant: IsMeant; operations: readonly Operation[] },
  ): Promise<string | Refusal>
  remove(connection: Connection, asked: { id: string; isMeant: IsMeant }): Promise<string | Refusal>
}

async function findMeant(
  transaction: Query,
  connection: Connection,
  { id, isMeant }: Pick<Change, 'id' | 'isMeant'>,
): Promise<KeptUser | Refusal> {
  const kept = await findUser(transaction, connection.name, id)
  if (kept === undefined) return refuse(scimRefusals.resourceUnknown)
  return isMeant?.(kept.version) === false ? refuse(scimRefusals.versionStale) : kept
}

interface Standing {
  readonly kept: KeptUser
  readonly connection: Connection
  readonly nowMs: number
}

/** Ends everything that the person can come in with. */
async function suspend(transaction: Query, { kept, connection, nowMs }: Standing) {
  const { person_id: personId } = kept
  if (await isLastAdmin(transaction, personId)) return refuse(refusals.lastAdmin)
  const status = { status: 'suspended' as const, updated_at: nowMs }
  await transaction.updateTable('people').set(status).where('id', '=', personId).execute()
  return endCredentials(transaction, { personId, by: connection.actor, reason: 'suspended', nowMs })
}

interface NewStanding {
  readonly event: EventDefinition | undefined
  readonly isSuspendedHere: 0 | 1
  readonly details: Readonly<Record<string, unknown>>
}

/** What `active` changes. INVARIANT: a suspension that an administrator decided is an administrator's to end. */
async function changeStanding(
  transaction: Query,
  standing: Standing,
  active: boolean | undefined,
): Promise<NewStanding | Refusal> {
  const { kept, nowMs } = standing
  const isActive = kept.status === 'active'
  if (active === false && isActive) {
    const ended = await suspend(transaction, standing)
    return isRefusal(ended) ? ended : { event: personSuspended, isSuspendedHere: 1, details: ended }
  }
  if (active !== true || isActive) return { event: undefined, isSuspendedHere: kept.is_suspended_here, details: {} }
  if (kept.is_suspended_here === 0) {
    return { event: undefined, isSuspendedHere: 0, details: { stays: 'suspended by an administrator' } }
  }
  const status = { status: 'active' as const, updated_at: nowMs }
  await transaction.updateTable('people').set(status).where('id', '=', kept.person_id).execute()
  return { event: personResumed, isSuspendedHere: 0, details: {} }
}

function changedNames(before: Members, after: Members): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])).toSorted()
}

async function write(transaction: Query, standing: Standing, told: Told): Promise<Changed | Refusal> {
  const { kept, connection, nowMs } = standing
  const { person_id: personId, name } = kept
  const before = JSON.parse(kept.document) as Members
  const attributes = changedNames(before, told.document)
  const asked = { connection: connection.name, userName: told.userName, exceptId: personId }
  if (attributes.includes('userName') && (await isTaken(transaction, asked))) return refuse(scimRefusals.userNameTaken)
  const next = await changeStanding(transaction, standing, told.active)
  if (isRefusal(next)) return next
  if (attributes.length === 0 && next.event === undefined) return { event: undefined, name, details: {} }
  const columns = { ...columnsOf(told), is_suspended_here: next.isSuspendedHere }
  await transaction
    .updateTable('scim_people')
    .set({ ...columns, version: kept.version + 1, updated_at: nowMs })
    .where('person_id', '=', personId)
    .execute()
  if (attributes.includes('emails')) await writeEmails(transaction, personId, told.document)
  const display_name = displayNameOf(told, kept.display_name)
  if (display_name !== kept.display_name) {
    await transaction.updateTable('people').set({ display_name }).where('id', '=', personId).execute()
  }
  return { event: next.event ?? personChanged, name, details: { attributes, ...next.details } }
}

/** One change of one person by a directory, on record; nothing is written where nothing changes. */
function change(parts: Parts, connection: Connection, asked: Change): Promise<string | Refusal> {
  const nowMs = parts.clock.now()
  const { id } = asked
  return record(parts, connection, id, async (transaction) => {
    const kept = await findMeant(transaction, connection, asked)
    if (isRefusal(kept)) return kept
    const told = asked.next(kept)
    return isRefusal(told) ? told : write(transaction, { kept, connection, nowMs }, told)
  })
}

async function record(
  parts: Parts,
  connection: Connection,
  id: string,
  work: (transaction: Query) => Promise<Changed | Refusal>,
): Promise<string | Refusal> {
  const changed = await recordChange<Changed>(parts, {
    work,
    tell({ event, name, details }): readonly [EventDefinition, EntryFields] | undefined {
      if (event === undefined) return undefined
      const told = { connection: connection.name, person: id, name, ...details }
      return [event, { ...from(connection), outcome: 'succeeded', details: told }]
    },
  })
  return isRefusal(changed) ? changed : id
}

function create(parts: Parts, connection: Connection, body: Members): Promise<string | Refusal> {
  const told = readUser(body)
  if (isRefusal(told)) return Promise.resolve(told)
  const nowMs = parts.clock.now()
  const personId = createId(nowMs)
  const { userName, externalId, active = true, document } = told
  return record(parts, connection, personId, async (transaction) => {
    const asked = { connection: connection.name, userName, exceptId: personId }
    if (await isTaken(transaction, asked)) return refuse(scimRefusals.userNameTaken)
    const name = await freeName(transaction, { connection: connection.name, personId, userName, externalId })
    if (name === undefined)
      return refuse(scimRefusals.userNameTaken, { detail: { reason: 'belongs to somebody else' } })
    const status = active ? ('active' as const) : ('suspended' as const)
    const times = { created_at: nowMs, updated_at: nowMs }
    const person = { id: personId, name, display_name: displayNameOf(told, name), status, password_hash: null }
    await transaction
      .insertInto('people')
      .values({ ...person, ...times })
      .execute()
    const ours = { connection: connection.name, version: 1, is_adopted: 0 as const, removed_at: null }
    const is_suspended_here = active ? (0 as const) : (1 as const)
    await transaction
      .insertInto('scim_people')
      .values({ person_id: personId, ...columnsOf(told), ...ours, is_suspended_here, ...times })
      .execute()
    await writeEmails(transaction, personId, document)
    return { event: personCreated, name, details: { active, attributes: Object.keys(document).toSorted() } }
  })
}

function remove(parts: Parts, connection: Connection, asked: { id: string; isMeant: IsMeant }) {
  const nowMs = parts.clock.now()
  const { id } = asked
  return record(parts, connection, id, async (transaction) => {
    const kept = await findMeant(transaction, connection, asked)
    if (isRefusal(kept)) return kept
    const ended = await suspend(transaction, { kept, connection, nowMs })
    if (isRefusal(ended)) return ended
    await transaction.deleteFrom('scim_members').where('person_id', '=', id).execute()
    await transaction.deleteFrom('scim_emails').where('person_id', '=', id).execute()
    const roles = await syncRoles(transaction, { connection: connection.name, people: [id], nowMs })
    if (isRefusal(roles)) return roles
    // WHY: what is kept tells an account at the provider from that of somebody new; the rest is not needed any more.
    const left = { document: '{}', display_folded: null, given_folded: null, family_folded: null }
    await transaction
      .updateTable('scim_people')
      .set({ ...left, removed_at: nowMs, updated_at: nowMs, version: kept.version + 1 })
      .where('person_id', '=', id)
      .execute()
    return { event: personRemoved, name: kept.name, details: { ...ended, roles: roles.removed } }
  })
}

export function createUsers(parts: Parts): Users {
  return {
    create: (connection, body) => create(parts, connection, body),
    async replace(connection, { body, ...asked }) {
      const told = readUser(body)
      return isRefusal(told) ? told : change(parts, connection, { ...asked, next: () => told })
    },
    patch: (connection, { operations, ...asked }) =>
      change(parts, connection, {
        ...asked,
        next(kept) {
          const before = { ...(JSON.parse(kept.document) as Members), active: kept.status === 'active' }
          const after = patchUser(before, operations)
          return isRefusal(after) ? after : readUser(after)
        },
      }),
    remove: (connection, asked) => remove(parts, connection, asked),
  }
}

/**
 * May a directory see and change these groups? Its own; and who is in them decides which mapped roles people have.
 * Stops: a group with people of others in it; a role that nobody mapped; two changes of one version.
 * Trusts: the connection that was authenticated, and that transactions take turns. Fails closed: no entry in the ledger,
 * no change.
 * @see RFC 7644, sections 3.3 to 3.6; ASVS 8.3.2
 */
import { createId, type Refusal, isRefusal, refuse } from '#kernel'
import type { EntryFields, EventDefinition } from '#audit'
import { isDuplicate } from '#platform/database'
import type { Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { type Connection, from } from '../scim-connections/authenticate.ts'
import { inChunks, type RoleChanges, syncRoles } from '../scim-connections/sync-roles.ts'
import { groupChanged, groupCreated, groupRemoved } from '../scim/events.ts'
import { scimLimits } from '../scim/limits.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { foldText } from './attributes.ts'
import { findGroup, type KeptGroup, writeMembers } from './group-rows.ts'
import type { Operation } from './operations.ts'
import { type GroupChange, readGroup, readGroupPatch } from './read-group.ts'
import { type Members, wrongValue } from './read-values.ts'
import type { IsMeant } from './users.ts'

interface Asked {
  readonly id: string
  readonly isMeant: IsMeant
}

export interface Groups {
  /** @returns the id */
  create(connection: Connection, body: Members): Promise<string | Refusal>
  replace(connection: Connection, asked: Asked & { body: Members }): Promise<string | Refusal>
  patch(connection: Connection, asked: Asked & { operations: readonly Operation[] }): Promise<string | Refusal>
  remove(connection: Connection, asked: Asked): Promise<string | Refusal>
}

interface Changed {
  readonly event: EventDefinition
  readonly group: string
  /** Undefined where nothing changed. */
  readonly details: Readonly<Record<string, unknown>> | undefined
}

async function record(
  parts: Parts,
  connection: Connection,
  id: string,
  work: (transaction: Query) => Promise<Changed | Refusal>,
): Promise<string | Refusal> {
  try {
    const changed = await recordChange<Changed>(parts, {
      work,
      tell({ event, group, details }): readonly [EventDefinition, EntryFields] | undefined {
        if (details === undefined) return undefined
        const told = { connection: connection.name, group: id, displayName: group, ...details }
        return [event, { ...from(connection), outcome: 'succeeded', details: told }]
      },
    })
    return isRefusal(changed) ? changed : id
  } catch (error) {
    if (!isDuplicate(error)) throw error
    return refuse(scimRefusals.groupTaken)
  }
}

/** Whether all of these are people of the connection. INVARIANT: somebody else's and nobody's are told apart by no answer. */
async function areOwn(transaction: Query, connection: string, ids: readonly string[]): Promise<boolean> {
  let found = 0
  for (const some of inChunks(ids)) {
    const { count } = await transaction
      .selectFrom('scim_people')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('connection', '=', connection)
      .where('removed_at', 'is', null)
      .where('person_id', 'in', some)
      .executeTakeFirstOrThrow()
    found += Number(count)
  }
  return found === ids.length
}

/** Who is in a group after a change, and who came and went. */
async function changeMembers(
  transaction: Query,
  { connection, kept }: { connection: string; kept: Pick<KeptGroup, 'id'> },
  changes: GroupChange['members'],
): Promise<{ came: string[]; went: string[] } | Refusal> {
  if (changes.length === 0) return { came: [], went: [] }
  const rows = await transaction
    .selectFrom('scim_members')
    .select('person_id')
    .where('group_id', '=', kept.id)
    .execute()
  const before = new Set(rows.map((row) => row.person_id))
  let after = new Set(before)
  for (const { kind, ids } of changes) {
    if (kind === 'all') after = new Set(ids)
    else if (kind === 'add') for (const id of ids) after.add(id)
    else for (const id of ids) after.delete(id)
  }
  const came = [...after].filter((id) => !before.has(id))
  const went = [...before].filter((id) => !after.has(id))
  if (!(await areOwn(transaction, connection, came))) return wrongValue('members')
  await writeMembers(transaction, kept.id, { came, went })
  return { came, went }
}

async function write(
  transaction: Query,
  { kept, connection, nowMs }: { kept: KeptGroup; connection: Connection; nowMs: number },
  change: GroupChange,
): Promise<Changed | Refusal> {
  const { displayName = kept.display_name, externalId = kept.external_id } = change
  const isRenamed = displayName !== kept.display_name
  const members = await changeMembers(transaction, { connection: connection.name, kept }, change.members)
  if (isRefusal(members)) return members
  const { came, went } = members
  const isChanged = isRenamed || externalId !== kept.external_id || came.length + went.length > 0
  if (!isChanged) return { event: groupChanged, group: kept.display_name, details: undefined }
  const named = { display_name: displayName, display_folded: foldText(displayName), external_id: externalId }
  await transaction
    .updateTable('scim_groups')
    .set({ ...named, version: kept.version + 1, updated_at: nowMs })
    .where('id', '=', kept.id)
    .execute()
  const concerned = isRenamed ? [...new Set([...(await membersOf(transaction, kept.id)), ...went])] : [...came, ...went]
  const roles = await syncRoles(transaction, { connection: connection.name, people: concerned, nowMs })
  if (isRefusal(roles)) return roles
  const before = isRenamed ? { before: kept.display_name } : {}
  return { event: groupChanged, group: displayName, details: { ...before, ...told(members, roles) } }
}

const mostNamed = 100

/** INVARIANT: an entry has an upper size; beyond some people it has their number. */
function told({ came, went }: { came: readonly string[]; went: readonly string[] }, roles: RoleChanges) {
  const named = (ids: readonly string[]) => (ids.length > mostNamed ? { count: ids.length } : { ids })
  return { came: named(came), went: named(went), roles }
}

async function membersOf(transaction: Query, groupId: string): Promise<string[]> {
  const rows = await transaction
    .selectFrom('scim_members')
    .select('person_id')
    .where('group_id', '=', groupId)
    .execute()
  return rows.map((row) => row.person_id)
}

async function findMeant(
  transaction: Query,
  connection: Connection,
  { id, isMeant }: Asked,
): Promise<KeptGroup | Refusal> {
  const kept = await findGroup(transaction, connection.name, id)
  if (kept === undefined) return refuse(scimRefusals.resourceUnknown)
  return isMeant?.(kept.version) === false ? refuse(scimRefusals.versionStale) : kept
}

function create(parts: Parts, connection: Connection, body: Members): Promise<string | Refusal> {
  const fresh = readGroup(body)
  if (isRefusal(fresh)) return Promise.resolve(fresh)
  const nowMs = parts.clock.now()
  const id = createId(nowMs)
  const { displayName, externalId, members } = fresh
  return record(parts, connection, id, async (transaction) => {
    const { count } = await transaction
      .selectFrom('scim_groups')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('connection', '=', connection.name)
      .executeTakeFirstOrThrow()
    const limit = scimLimits.groupsPerConnection
    if (Number(count) >= limit) return refuse(scimRefusals.tooMany, { names: { limit: String(limit) } })
    const named = { display_name: displayName, display_folded: foldText(displayName), external_id: externalId }
    await transaction
      .insertInto('scim_groups')
      .values({ id, connection: connection.name, ...named, version: 1, created_at: nowMs, updated_at: nowMs })
      .execute()
    const changed = await changeMembers(transaction, { connection: connection.name, kept: { id } }, members)
    if (isRefusal(changed)) return changed
    const roles = await syncRoles(transaction, { connection: connection.name, people: changed.came, nowMs })
    if (isRefusal(roles)) return roles
    return { event: groupCreated, group: displayName, details: told(changed, roles) }
  })
}

function change(
  parts: Parts,
  connection: Connection,
  { next, ...asked }: Asked & { next: GroupChange | Refusal },
): Promise<string | Refusal> {
  if (isRefusal(next)) return Promise.resolve(next)
  const nowMs = parts.clock.now()
  return record(parts, connection, asked.id, async (transaction) => {
    const kept = await findMeant(transaction, connection, asked)
    return isRefusal(kept) ? kept : write(transaction, { kept, connection, nowMs }, next)
  })
}

function remove(parts: Parts, connection: Connection, asked: Asked): Promise<string | Refusal> {
  const nowMs = parts.clock.now()
  const { id } = asked
  return record(parts, connection, id, async (transaction) => {
    const kept = await findMeant(transaction, connection, asked)
    if (isRefusal(kept)) return kept
    const went = await membersOf(transaction, id)
    await transaction.deleteFrom('scim_members').where('group_id', '=', id).execute()
    await transaction.deleteFrom('scim_groups').where('id', '=', id).execute()
    const roles = await syncRoles(transaction, { connection: connection.name, people: went, nowMs })
    if (isRefusal(roles)) return roles
    return { event: groupRemoved, group: kept.display_name, details: told({ came: [], went }, roles) }
  })
}

export function createGroups(parts: Parts): Groups {
  return {
    create: (connection, body) => create(parts, connection, body),
    replace: (connection, { body, ...asked }) => change(parts, connection, { ...asked, next: readGroup(body) }),
    patch: (connection, { operations, ...asked }) =>
      change(parts, connection, { ...asked, next: readGroupPatch(operations) }),
    remove: (connection, asked) => remove(parts, connection, asked),
  }
}

/**
 * Which roles do a directory's groups give at this moment? What an administrator mapped, and no more.
 * Stops: a role that nobody mapped; a role that outlives the group it came from; a directory taking what was given by hand;
 * the last administrator losing the role.
 * Trusts: the mark that each role given here has, and the caller's transaction. Fails closed: unknown roles are not given.
 * @see ASVS 8.3.2
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { adminRole } from '../enrolment/links.ts'
import type { Query } from '../parts.ts'
import { isLastAdmin } from '../people/take-factors.ts'
import { refusals } from '../refusals.ts'

/** Stands where the person stands who gave a role by hand. */
export function markOf(connection: string): string {
  return `scim:${connection}`
}

/** Ids of the people who have a role by this connection. */
export async function holdersOf(transaction: Query, connection: string): Promise<string[]> {
  const held = transaction.selectFrom('role_grants').select('person_id').distinct()
  const rows = await held.where('granted_by', '=', markOf(connection)).execute()
  return rows.map((row) => row.person_id)
}

const chunk = 500

/** In pieces that go into one statement each. */
export function inChunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / chunk) }, (_, at) => all.slice(at * chunk, (at + 1) * chunk))
}

interface Pair {
  readonly person_id: string
  readonly role: string
}

async function wantedBy(transaction: Query, connection: string, people: readonly string[]): Promise<Pair[]> {
  return transaction
    .selectFrom('scim_members as member')
    .innerJoin('scim_groups as group', 'group.id', 'member.group_id')
    .innerJoin('scim_people as person', 'person.person_id', 'member.person_id')
    .innerJoin('scim_mappings as mapping', (join) =>
      join.onRef('mapping.connection', '=', 'group.connection').onRef('mapping.group_name', '=', 'group.display_name'),
    )
    .innerJoin('roles', 'roles.name', 'mapping.role')
    .select(['member.person_id', 'mapping.role'])
    .distinct()
    .where('group.connection', '=', connection)
    .where('person.connection', '=', connection)
    .where('person.removed_at', 'is', null)
    .where('member.person_id', 'in', people)
    .execute()
}

const keyOf = ({ person_id, role }: Pair) => `${role}/${person_id}`

async function syncSome(
  transaction: Query,
  { connection, nowMs }: RoleSync,
  people: readonly string[],
): Promise<{ added: Pair[]; removed: Pair[] } | Refusal> {
  const wanted = await wantedBy(transaction, connection, people)
  const held = await transaction
    .selectFrom('role_grants')
    .select(['person_id', 'role', 'granted_by'])
    .where('person_id', 'in', people)
    .execute()
  const [wantedKeys, heldKeys] = [new Set(wanted.map(keyOf)), new Set(held.map(keyOf))]
  const removed = held.filter((one) => one.granted_by === markOf(connection) && !wantedKeys.has(keyOf(one)))
  const added = wanted.filter((one) => !heldKeys.has(keyOf(one)))
  for (const { person_id, role } of removed) {
    if (role === adminRole && (await isLastAdmin(transaction, person_id))) return refuse(refusals.lastAdmin)
    const rows = transaction.deleteFrom('role_grants').where('person_id', '=', person_id).where('role', '=', role)
    await rows.where('granted_by', '=', markOf(connection)).execute()
  }
  for (const some of inChunks(added)) {
    const rows = some.map((one) => ({ ...one, granted_at: nowMs, granted_by: markOf(connection) }))
    await transaction.insertInto('role_grants').values(rows).execute()
  }
  return { added, removed }
}

export interface RoleSync {
  readonly connection: string
  readonly people: readonly string[]
  readonly nowMs: number
}

/** How many got and lost each role. */
export interface RoleChanges {
  readonly added: Readonly<Record<string, number>>
  readonly removed: Readonly<Record<string, number>>
}

function countByRole(pairs: readonly Pair[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(pairs, (one) => one.role)].map(([role, of]) => [role, of.length]))
}

/** Makes the roles that a connection gives these people those of their mapped groups. */
export async function syncRoles(transaction: Query, sync: RoleSync): Promise<RoleChanges | Refusal> {
  const [added, removed]: [Pair[], Pair[]] = [[], []]
  for (const people of inChunks(sync.people)) {
    const changed = await syncSome(transaction, sync, people)
    if (isRefusal(changed)) return changed
    added.push(...changed.added)
    removed.push(...changed.removed)
  }
  return { added: countByRole(added), removed: countByRole(removed) }
}

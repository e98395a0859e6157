/**
 * Where are the groups of a connection kept? Reads and writes of their rows, each within one connection.
 * Stops: a connection that reads or writes what belongs to another.
 * Trusts: the connection that was authenticated. Fails: as the database does.
 */
import { type SqlBool, sql } from 'kysely'
import type { Query } from '../parts.ts'
import { inChunks } from '../scim-connections/sync-roles.ts'
import { groupSchema } from './attributes.ts'
import type { Compared } from './compile-filter.ts'

/** Groups of a connection. */
export function groupsIn(query: Query, connection: string) {
  return query.selectFrom('scim_groups as told').where('told.connection', '=', connection)
}

/** One of them, as kept. */
export function findGroup(query: Query, connection: string, id: string) {
  return groupsIn(query, connection).selectAll('told').where('told.id', '=', id).executeTakeFirst()
}

export type KeptGroup = NonNullable<Awaited<ReturnType<typeof findGroup>>>

/** What groups are searched by. */
export const groupFilter = {
  schema: groupSchema,
  attributes: {
    id: { kind: 'text', column: sql.ref<string | null>('told.id'), isCaseExact: true },
    displayname: { kind: 'text', column: sql.ref<string | null>('told.display_folded') },
    externalid: { kind: 'text', column: sql.ref<string | null>('told.external_id'), isCaseExact: true },
    'meta.created': { kind: 'moment', column: sql.ref<number>('told.created_at') },
    'meta.lastmodified': { kind: 'moment', column: sql.ref<number>('told.updated_at') },
    members: {
      kind: 'rows',
      parts: { value: { kind: 'text', column: sql.ref<string | null>('member.person_id'), isCaseExact: true } },
      exists: (condition) => sql<SqlBool>`exists (select 1 from scim_members as member
        where member.group_id = told.id and ${condition ?? sql`1 = 1`})`,
    },
  } satisfies Readonly<Record<string, Compared>>,
}

/** Who is in which of these groups, with the names that are shown. */
export async function membersIn(query: Query, groups: readonly string[]) {
  if (groups.length === 0) return new Map<string, { person_id: string; display_name: string }[]>()
  const rows = await query
    .selectFrom('scim_members as member')
    .innerJoin('people as person', 'person.id', 'member.person_id')
    .select(['member.group_id', 'member.person_id', 'person.display_name'])
    .where('member.group_id', 'in', groups)
    .orderBy('member.person_id')
    .execute()
  return Map.groupBy(rows, (row) => row.group_id)
}

/** Adds those who came and takes out those who went. */
export async function writeMembers(
  transaction: Query,
  groupId: string,
  { came, went }: { came: readonly string[]; went: readonly string[] },
): Promise<void> {
  for (const some of inChunks(went)) {
    const rows = transaction.deleteFrom('scim_members').where('group_id', '=', groupId)
    await rows.where('person_id', 'in', some).execute()
  }
  for (const some of inChunks(came)) {
    const rows = some.map((person_id) => ({ group_id: groupId, person_id }))
    await transaction.insertInto('scim_members').values(rows).execute()
  }
}

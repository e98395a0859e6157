/**
 * Where are the people of a connection kept? Reads and writes of their rows, each within one connection.
 * Stops: a connection that reads or writes what belongs to another, or to nobody.
 * Trusts: the connection that was authenticated. Fails: as the database does.
 */
import { type SqlBool, sql } from 'kysely'
import type { Tables } from '#platform/database'
import { readLine } from '../names.ts'
import type { Query } from '../parts.ts'
import { foldText, userSchema } from './attributes.ts'
import type { Compared } from './compile-filter.ts'
import { isMembers, type Members } from './read-values.ts'
import type { Told } from './read-user.ts'

/** People that a connection made or was given and has not taken away, with their standing here. */
export function peopleOf(query: Query, connection: string) {
  return query
    .selectFrom('scim_people as told')
    .innerJoin('people as person', 'person.id', 'told.person_id')
    .where('told.connection', '=', connection)
    .where('told.removed_at', 'is', null)
}

/** One of them, as kept. */
export function findUser(query: Query, connection: string, id: string) {
  return peopleOf(query, connection)
    .selectAll('told')
    .select(['person.name', 'person.display_name', 'person.status'])
    .where('told.person_id', '=', id)
    .executeTakeFirst()
}

export type KeptUser = NonNullable<Awaited<ReturnType<typeof findUser>>>

const text = (column: string, isCaseExact?: true): Compared => ({
  kind: 'text',
  column: sql.ref<string | null>(column),
  ...(isCaseExact === undefined ? {} : { isCaseExact }),
})
const moment = (column: string): Compared => ({ kind: 'moment', column: sql.ref<number>(column) })

/** What people are searched by. */
export const userFilter = {
  schema: userSchema,
  attributes: {
    id: text('told.person_id', true),
    username: text('told.user_name_folded'),
    externalid: text('told.external_id', true),
    displayname: text('told.display_folded'),
    'name.givenname': text('told.given_folded'),
    'name.familyname': text('told.family_folded'),
    active: { kind: 'truth', column: sql<SqlBool>`(person.status = 'active')` },
    'meta.created': moment('told.created_at'),
    'meta.lastmodified': moment('told.updated_at'),
    emails: {
      kind: 'rows',
      parts: {
        value: text('email.value_folded'),
        type: text('email.type_folded'),
        primary: { kind: 'truth', column: sql<SqlBool>`(email.is_primary = 1)` },
      },
      exists: (condition) => sql<SqlBool>`exists (select 1 from scim_emails as email
        where email.person_id = told.person_id and ${condition ?? sql`1 = 1`})`,
    },
  } satisfies Readonly<Record<string, Compared>>,
}

function textAt(members: unknown, name: string): string | undefined {
  const value = isMembers(members) ? members[name] : undefined
  return typeof value === 'string' ? value : undefined
}

const folded = (value: string | undefined): string | null => (value === undefined ? null : foldText(value))

/** The columns that what is told has a place of its own in. */
export function columnsOf({ userName, externalId, document }: Told) {
  const { name } = document
  return {
    user_name: userName,
    user_name_folded: foldText(userName),
    external_id: externalId ?? null,
    display_folded: folded(textAt(document, 'displayName')),
    given_folded: folded(textAt(name, 'givenName')),
    family_folded: folded(textAt(name, 'familyName')),
    document: JSON.stringify(document),
  }
}

/** What people read of this person. */
export function displayNameOf({ userName, document }: Told, otherwise: string): string {
  const { name } = document
  const parts = [textAt(name, 'givenName'), textAt(name, 'familyName')].filter((part) => part !== undefined)
  const candidates = [textAt(document, 'displayName'), textAt(name, 'formatted'), parts.join(' '), userName]
  return candidates.map((one) => readLine(one ?? '')).find((line) => line !== undefined) ?? otherwise
}

/** Makes the rows of a person's e-mail addresses those of what is told. */
export async function writeEmails(transaction: Query, personId: string, document: Members): Promise<void> {
  await transaction.deleteFrom('scim_emails').where('person_id', '=', personId).execute()
  const emails = Array.isArray(document['emails']) ? (document['emails'] as readonly unknown[]) : []
  const rows = emails.flatMap((email, place): Tables['scim_emails'][] => {
    const value = textAt(email, 'value')
    if (value === undefined || !isMembers(email)) return []
    const is_primary = email['primary'] === true ? 1 : 0
    const type_folded = folded(textAt(email, 'type'))
    return [{ person_id: personId, place, value_folded: foldText(value), type_folded, is_primary }]
  })
  if (rows.length > 0) await transaction.insertInto('scim_emails').values(rows).execute()
}

/** Whether somebody else of the connection has this userName. */
export async function isTaken(
  transaction: Query,
  { connection, userName, exceptId }: { connection: string; userName: string; exceptId: string },
): Promise<boolean> {
  const found = await transaction
    .selectFrom('scim_people')
    .select('person_id')
    .where('connection', '=', connection)
    .where('user_name_folded', '=', foldText(userName))
    .where('removed_at', 'is', null)
    .where('person_id', '!=', exceptId)
    .executeTakeFirst()
  return found !== undefined
}

/** The groups of some people, by person. */
export async function groupsOf(query: Query, connection: string, people: readonly string[]) {
  if (people.length === 0) return new Map<string, { id: string; display_name: string }[]>()
  const rows = await query
    .selectFrom('scim_members')
    .innerJoin('scim_groups', 'scim_groups.id', 'scim_members.group_id')
    .select(['person_id', 'scim_groups.id', 'scim_groups.display_name'])
    .where('connection', '=', connection)
    .where('person_id', 'in', people)
    .orderBy('scim_groups.display_folded')
    .execute()
  return Map.groupBy(rows, (row) => row.person_id)
}

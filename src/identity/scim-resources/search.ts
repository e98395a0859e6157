/**
 * Which resources does a directory find, and how are they shown to it? A page of its own people or groups.
 * Stops: a page without end; what belongs to others in a page, a count or a filter.
 * Trusts: the connection that was authenticated. Fails: with the refusal of the filter.
 * @see RFC 7644, section 3.4.2
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import type { Parts } from '../parts.ts'
import { type Connection, scimResource } from '../scim-connections/authenticate.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { compile, type Attributes } from './compile-filter.ts'
import { readFilter } from './filter.ts'
import { findGroup, groupFilter, groupsIn, membersIn } from './group-rows.ts'
import { isWanted, project, showGroup, type Shown, showUser, type Wanted } from './show.ts'
import { findUser, groupsOf, peopleOf, userFilter } from './user-rows.ts'

export type Kind = 'User' | 'Group'

export interface Page {
  readonly filter: string | undefined
  /** From 1 on. */
  readonly startIndex: number
  readonly count: number
  readonly wanted: Wanted
}

export interface Found {
  readonly total: number
  readonly resources: readonly Shown[]
}

export interface Search {
  /** The whole resource; what is not wanted may be missing. */
  read(connection: Connection, asked: { kind: Kind; id: string; wanted: Wanted }): Promise<Shown | Refusal>
  find(connection: Connection, kind: Kind, page: Page): Promise<Found | Refusal>
}

function conditionOf(known: { schema: string; attributes: Attributes }, filter: string | undefined) {
  if (filter === undefined) return undefined
  const read = readFilter(filter)
  return isRefusal(read) ? read : compile(known, read)
}

async function findPeople({ database, places }: Parts, connection: Connection, page: Page): Promise<Found | Refusal> {
  const { query } = database
  const condition = conditionOf(userFilter, page.filter)
  if (isRefusal(condition)) return condition
  const all = peopleOf(query, connection.name)
  const meant = condition === undefined ? all : all.where(condition)
  const { count } = await meant.select((select) => select.fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
  const rows =
    page.count === 0
      ? []
      : await meant
          .selectAll('told')
          .select('person.status')
          .orderBy('told.created_at')
          .orderBy('told.person_id')
          .limit(page.count)
          .offset(page.startIndex - 1)
          .execute()
  const ids = isWanted('groups', page.wanted) ? rows.map((row) => row.person_id) : []
  const groups = await groupsOf(query, connection.name, ids)
  const base = scimResource({ places })
  const resources = rows.map((row) =>
    project(showUser(row, { base, groups: groups.get(row.person_id) ?? [] }), page.wanted),
  )
  return { total: Number(count), resources }
}

async function findGroups({ database, places }: Parts, connection: Connection, page: Page): Promise<Found | Refusal> {
  const { query } = database
  const condition = conditionOf(groupFilter, page.filter)
  if (isRefusal(condition)) return condition
  const all = groupsIn(query, connection.name)
  const meant = condition === undefined ? all : all.where(condition)
  const { count } = await meant.select((select) => select.fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
  const rows =
    page.count === 0
      ? []
      : await meant
          .selectAll('told')
          .orderBy('told.created_at')
          .orderBy('told.id')
          .limit(page.count)
          .offset(page.startIndex - 1)
          .execute()
  const members = await membersIn(query, isWanted('members', page.wanted) ? rows.map((row) => row.id) : [])
  const base = scimResource({ places })
  const resources = rows.map((row) =>
    project(showGroup(row, { base, members: members.get(row.id) ?? [] }), page.wanted),
  )
  return { total: Number(count), resources }
}

export function createSearch(parts: Parts): Search {
  const { query } = parts.database
  const base = scimResource(parts)
  const unknown = () => refuse(scimRefusals.resourceUnknown)
  return {
    async read({ name }, { kind, id, wanted }) {
      if (kind === 'User') {
        const user = await findUser(query, name, id)
        if (user === undefined) return unknown()
        const groups = await groupsOf(query, name, isWanted('groups', wanted) ? [id] : [])
        return showUser(user, { base, groups: groups.get(id) ?? [] })
      }
      const group = await findGroup(query, name, id)
      if (group === undefined) return unknown()
      const members = await membersIn(query, isWanted('members', wanted) ? [id] : [])
      return showGroup(group, { base, members: members.get(id) ?? [] })
    },
    find: (connection, kind, page) =>
      kind === 'User' ? findPeople(parts, connection, page) : findGroups(parts, connection, page),
  }
}

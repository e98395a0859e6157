/**
 * Who has access to what, through which role or rule, given by whom, and used when?
 * Stops: access that nobody sees: roles held by a claim, rules of policy files, and what directories gave are told as well.
 * Trusts: the snapshot in force; what was counted of the ledgers.
 * Fails: with the database. It goes by people and grants, page by page; no pairs of people and tools are made.
 */
import { castellanItself } from '#kernel'
import type { Rows } from '../snapshot/store.ts'
import { type AskedThing, type Holder, mayBeAbout, mayBeFor } from './about.ts'
import type { Barrier, Permit, Permits } from './permits.ts'
import { sum, type Use, usersWithoutRole, usesOfPeople, usesOfPrints } from './uses.ts'

/** How somebody came to have a role. */
export interface Assigned {
  readonly how: 'person' | 'directory' | 'provider' | 'claim' | 'castellan'
  /** Name of the person, directory or provider, where it is known. */
  readonly by: string | null
  readonly at: number | null
}

/** One grant of a role as somebody holds it. */
export interface HeldGrant {
  readonly permit: Permit
  readonly barriers: readonly Barrier[]
  readonly use: Use | undefined
}

export type AccessLine =
  | {
      readonly kind: 'role'
      readonly person: {
        readonly id: string
        readonly name: string
        readonly kind: 'person' | 'service'
        readonly status: string
      }
      readonly role: string
      readonly assigned: Assigned
      /** The hold that stops this person. */
      readonly hold: string | null
      readonly grants: readonly HeldGrant[]
      readonly use: Use | undefined
    }
  | {
      readonly kind: 'rule'
      readonly permit: Permit
      readonly barriers: readonly Barrier[]
      readonly use: Use | undefined
    }

export interface AccessFilter {
  /** Id of a person or service account. */
  readonly person?: string | undefined
  readonly role?: string | undefined
  readonly thing?: AskedThing | undefined
  /** Uses are counted from then on. */
  readonly since: number
}

/** Where a page begins: after an assignment, or among those who hold a role by a claim, or with the rules of files. */
export type Cursor =
  | { readonly part: 'assigned'; readonly person: string; readonly role: string }
  | { readonly part: 'claimed'; readonly role: string; readonly person: string }
  | { readonly part: 'rules' }

export interface AccessPage {
  readonly lines: readonly AccessLine[]
  readonly next: Cursor | undefined
}

export interface AccessNeeds {
  readonly rows: Rows
  readonly permits: Permits
  /** The id of the hold on a person. */
  holdOn(personId: string): string | null
}

interface Assignment {
  readonly person_id: string
  readonly role: string
  readonly granted_at: number | null
  readonly granted_by: string | null
  readonly name: string
  readonly kind: 'person' | 'service'
  readonly status: string
}

const mark = /^(scim|provider):(.*)$/s

/** How a role was given, by what its row says. @param names of people by id */
export function assignedBy(
  { granted_by: by, granted_at: at }: Pick<Assignment, 'granted_by' | 'granted_at'>,
  names: ReadonlyMap<string, string>,
): Assigned {
  const [, source, name = null] = mark.exec(by ?? '') ?? []
  const given = at === null ? null : Number(at)
  if (source !== undefined) return { how: source === 'scim' ? 'directory' : 'provider', by: name, at: given }
  if (by === null || by === castellanItself.id) return { how: 'castellan', by: null, at: given }
  return { how: 'person', by: names.get(by) ?? by, at: given }
}

/** Names of the people with these ids. */
export async function namesOf(rows: Rows, ids: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(ids)]
  if (wanted.length === 0) return new Map()
  const found = await rows.selectFrom('people').select(['id', 'name']).where('id', 'in', wanted).execute()
  return new Map(found.map(({ id, name }) => [id, name]))
}

/** The use of a permit by one person; of a server's, any call there. */
export function useBy(uses: ReadonlyMap<string, Use>, person: string, permit: Permit): Use | undefined {
  const own = sum([uses.get(`${person} ${permit.print}`), uses.get(`${person} id:${permit.rule}`)])
  if (permit.telling !== 'server') return own
  return sum([own, ...(permit.upstreams ?? []).map((upstream) => uses.get(`${person} ${upstream}/`))])
}

/** The groups that directories have people in, as rules name them. */
async function groupsOf(rows: Rows, people: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (people.length === 0) return new Map()
  const found = await rows
    .selectFrom('scim_members')
    .innerJoin('scim_groups', 'scim_groups.id', 'scim_members.group_id')
    .select(['scim_members.person_id', 'connection', 'display_name'])
    .where('scim_members.person_id', 'in', people)
    .execute()
  const grouped = Map.groupBy(found, ({ person_id: id }) => id)
  return new Map([...grouped].map(([id, all]) => [id, all.map((one) => `${one.connection}/${one.display_name}`)]))
}

/** The permits that a filter asks for. */
function fitting(permits: readonly Permit[], { thing }: AccessFilter): readonly Permit[] {
  return thing === undefined ? permits : permits.filter(({ about }) => mayBeAbout(about, thing))
}

/** The roles that can have anything to do with what is asked; undefined where all have. */
function rolesAsked({ permits }: AccessNeeds, filter: AccessFilter): readonly string[] | undefined {
  if (filter.thing === undefined) return filter.role === undefined ? undefined : [filter.role]
  const fit = new Set(fitting(permits.all, filter).flatMap(({ role }) => role ?? []))
  return filter.role === undefined ? [...fit] : fit.has(filter.role) ? [filter.role] : []
}

async function linesOf(needs: AccessNeeds, filter: AccessFilter, found: readonly Assignment[]): Promise<AccessLine[]> {
  const { rows, permits } = needs
  const people = [...new Set(found.map(({ person_id: id }) => id))]
  const uses = await usesOfPeople(rows, people, filter.since)
  const groups = await groupsOf(rows, people)
  const held =
    people.length === 0
      ? []
      : await rows.selectFrom('role_grants').select(['person_id', 'role']).where('person_id', 'in', people).execute()
  const roles = Map.groupBy(held, ({ person_id: id }) => id)
  const names = await namesOf(
    rows,
    found.flatMap(({ granted_by: by }) => (by === null || mark.test(by) ? [] : [by])),
  )
  return found.map((row) => {
    const { person_id: id, name, kind, status, role } = row
    const others = (roles.get(id) ?? []).map((one) => one.role)
    const holder: Holder = { id, kind, roles: [role, ...others], groups: groups.get(id) ?? [] }
    const grants = fitting(permits.ofRole(role), filter).map((permit) => ({
      permit,
      barriers: permits.barriers(permit, holder),
      use: useBy(uses, id, permit),
    }))
    const assigned: Assigned = row.granted_at === null ? { how: 'claim', by: null, at: null } : assignedBy(row, names)
    const use = sum(permits.ofRole(role).map((permit) => useBy(uses, id, permit)))
    return { kind: 'role', person: { id, name, kind, status }, role, assigned, hold: needs.holdOn(id), grants, use }
  })
}

async function assigned(needs: AccessNeeds, filter: AccessFilter, at: { cursor: Cursor | undefined; limit: number }) {
  const { cursor, limit } = at
  const asked = rolesAsked(needs, filter)
  if (asked?.length === 0) return []
  const all = needs.rows
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select(['person_id', 'role', 'granted_at', 'granted_by', 'name', 'kind', 'status'])
    .orderBy('person_id')
    .orderBy('role')
    .limit(limit)
  const ofPerson = filter.person === undefined ? all : all.where('person_id', '=', filter.person)
  const ofRoles = asked === undefined ? ofPerson : ofPerson.where('role', 'in', asked)
  if (cursor?.part !== 'assigned') return ofRoles.execute()
  const { person, role } = cursor
  return ofRoles
    .where((where) =>
      where.or([
        where('person_id', '>', person),
        where.and([where('person_id', '=', person), where('role', '>', role)]),
      ]),
    )
    .execute()
}

/** Those who used a role without an assignment, one role after the other. */
async function claimed(
  needs: AccessNeeds,
  filter: AccessFilter,
  at: { cursor: Cursor | undefined; limit: number },
): Promise<Assignment[]> {
  const { rows, permits } = needs
  const from = at.cursor?.part === 'claimed' ? at.cursor : undefined
  const asked = rolesAsked(needs, filter)
  const names = [...new Set(permits.all.flatMap(({ role }) => role ?? []))].toSorted()
  const found: Assignment[] = []
  for (const role of names) {
    if ((from !== undefined && role < from.role) || asked?.includes(role) === false) continue
    const prints = permits.ofRole(role).map(({ print }) => print)
    const after = role === from?.role ? from.person : ''
    const users = await usersWithoutRole(rows, { prints, role, after, limit: at.limit - found.length })
    const mine = filter.person === undefined ? users : users.filter(({ id }) => id === filter.person)
    const held = { granted_at: null, granted_by: null, status: 'active' }
    found.push(...mine.map(({ id, name, kind }) => ({ person_id: id, name, kind, role, ...held })))
    if (found.length >= at.limit) break
  }
  return found
}

async function rulesOf({ rows, permits }: AccessNeeds, filter: AccessFilter): Promise<AccessLine[]> {
  if (filter.role !== undefined) return []
  const uses =
    filter.person === undefined
      ? await usesOfPrints(rows, filter.since)
      : await usesOfPeople(rows, [filter.person], filter.since)
  const holder = filter.person === undefined ? undefined : await holderOf(rows, filter.person)
  return fitting(permits.ofFiles, filter)
    .filter(({ compiled }) => holder === undefined || mayBeFor(compiled, holder))
    .map((permit) => ({
      kind: 'rule',
      permit,
      barriers: permits.barriers(permit, holder),
      use: filter.person === undefined ? uses.get(permit.print) : useBy(uses, filter.person, permit),
    }))
}

async function holderOf(rows: Rows, id: string): Promise<Holder> {
  const person = await rows.selectFrom('people').select('kind').where('id', '=', id).executeTakeFirst()
  const roles = await rows.selectFrom('role_grants').select('role').where('person_id', '=', id).execute()
  const groups = await groupsOf(rows, [id])
  return { id, kind: person?.kind ?? 'person', roles: roles.map(({ role }) => role), groups: groups.get(id) ?? [] }
}

/** One page: assignments by person and role, then roles that were used by a claim, then rules of policy files. */
export async function readAccess(
  needs: AccessNeeds,
  filter: AccessFilter,
  at: { readonly cursor: Cursor | undefined; readonly limit: number },
): Promise<AccessPage> {
  const part = at.cursor?.part ?? 'assigned'
  if (part === 'rules') return { lines: await rulesOf(needs, filter), next: undefined }
  const found = part === 'assigned' ? await assigned(needs, filter, at) : await claimed(needs, filter, at)
  const lines = await linesOf(needs, filter, found)
  const last = found.at(-1)
  if (last !== undefined && found.length >= at.limit) {
    return { lines, next: { part, person: last.person_id, role: last.role } }
  }
  return { lines, next: part === 'assigned' ? { part: 'claimed', role: '', person: '' } : { part: 'rules' } }
}

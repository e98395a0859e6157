/**
 * Who reviews what, and may this person, at this moment?
 * Stops: a look at one's own access; a decision by somebody whose right was taken meanwhile.
 * Trusts: the transaction it reads in, and nothing that a session remembers.
 * Fails: a person who is unknown, suspended, on hold or a program may not.
 */
import type { Principal } from '#kernel'
import { readHoldsInForce } from '../holds/holds.ts'
import { refuseBeyondReach } from '../roles/reach.ts'
import type { Grant, Role } from '../roles/role.ts'
import type { Rows } from '../snapshot/store.ts'
import type { Item } from './campaign.ts'

const reviewing: Grant = { permissions: ['reviews:write'], resources: ['castellan'] }

/** A person as they stand at this moment. */
export interface Standing {
  readonly id: string
  readonly name: string
  readonly roles: readonly string[]
}

/** Everybody of these who is an active person and not on hold, with their roles. */
export async function readStandings(
  rows: Rows,
  people: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, Standing>> {
  if (people.length === 0) return new Map()
  const found = await rows
    .selectFrom('people')
    .select(['id', 'name'])
    .where('id', 'in', people)
    .where('status', '=', 'active')
    .where('kind', '=', 'person')
    .execute()
  const held = new Set(
    (await readHoldsInForce(rows, now)).flatMap(({ kind, subject }) => (kind === 'person' ? [subject] : [])),
  )
  const given = await rows
    .selectFrom('role_grants')
    .select(['person_id', 'role'])
    .where('person_id', 'in', people)
    .execute()
  const roles = Map.groupBy(given, ({ person_id: id }) => id)
  const standing = found.filter(({ id }) => !held.has(id))
  return new Map(
    standing.map(({ id, name }) => [id, { id, name, roles: (roles.get(id) ?? []).map(({ role }) => role).toSorted() }]),
  )
}

/** Whether somebody who stands like this may review at all. */
export function mayReview(by: Pick<Principal, 'roles'>, roles: readonly Role[]): boolean {
  return refuseBeyondReach(by, roles, [reviewing]) === undefined
}

/** Active persons with the right to review, by id. */
export async function everyReviewer(rows: Rows, roles: readonly Role[], now: number): Promise<readonly string[]> {
  const giving = roles.filter(({ name }) => mayReview({ roles: [name] }, roles)).map(({ name }) => name)
  if (giving.length === 0) return []
  const found = await rows.selectFrom('role_grants').select('person_id').where('role', 'in', giving).execute()
  const standings = await readStandings(rows, [...new Set(found.map(({ person_id: id }) => id))], now)
  return [...standings.keys()].toSorted()
}

/** Whether an item is about what this person has: their role, their program's rights are not, a grant of a role of theirs is. */
export function isOwn({ kind, personId, role }: Pick<Item, 'kind' | 'personId' | 'role'>, by: Standing): boolean {
  return kind === 'grant' ? by.roles.includes(role) : personId === by.id
}

/** Who answers for what: owners of roles and servers by id, as far as they are active persons who may review. */
export interface Owners {
  /** Ids of who answers for a role. */
  ofRole(role: string): readonly string[]
  ofServers(servers: readonly string[]): readonly string[]
  /** Whether this person may review at all. */
  mayReview(personId: string): boolean
  holds(personId: string, role: string): boolean
}

/** As names of people are kept: an owner is written as people write. */
function canonical(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase()
}

async function serverOwners(rows: Rows): Promise<ReadonlyMap<string, string>> {
  const found = await rows
    .selectFrom('classifications')
    .select(['upstream', 'classification'])
    .where('tool', '=', '')
    .execute()
  return new Map(
    found.map(({ upstream, classification }) => [
      upstream,
      canonical((JSON.parse(classification) as { readonly owner?: string }).owner ?? ''),
    ]),
  )
}

/** Reads the owners there are, by their names. @param others ids of who may be asked besides */
export async function readOwners(
  rows: Rows,
  asked: { readonly roles: readonly Role[]; readonly now: number; readonly others: readonly string[] },
): Promise<Owners> {
  const { roles, now, others } = asked
  const ofRoles = new Map(roles.map(({ name, owner = '' }) => [name, canonical(owner)]))
  const servers = await serverOwners(rows)
  const names = [...new Set([...ofRoles.values(), ...servers.values()])].filter((name) => name !== '')
  const named =
    names.length === 0
      ? []
      : await rows.selectFrom('people').select(['id', 'name']).where('name', 'in', names).execute()
  const idOf = new Map(named.map(({ id, name }) => [name, id]))
  const standings = await readStandings(rows, [...new Set([...idOf.values(), ...others])], now)
  const may = (id: string) => {
    const standing = standings.get(id)
    return standing !== undefined && mayReview(standing, roles)
  }
  const idsOf = (owners: readonly (string | undefined)[]) => [
    ...new Set(owners.flatMap((name) => idOf.get(name ?? '') ?? []).filter(may)),
  ]
  return {
    ofRole: (role) => idsOf([ofRoles.get(role)]),
    ofServers: (asking) => idsOf(asking.map((server) => servers.get(server))),
    mayReview: may,
    holds: (id, role) => standings.get(id)?.roles.includes(role) === true,
  }
}

/**
 * Who loses what by a change of roles?
 * Stops: a role that is removed or narrowed while nobody knows that people have it.
 * Trusts: the rows it reads.
 * Fails: nothing here can fail but the database.
 */
import { refuseBeyondReach } from '../roles/reach.ts'
import type { DocumentRole, PolicyContents } from '../snapshot/document.ts'
import type { Rows } from '../snapshot/store.ts'

/** One role that goes or grants less, and the names of those who have it. */
export interface Loss {
  readonly role: string
  readonly isRemoved: boolean
  readonly people: readonly string[]
}

function grantsLess(before: DocumentRole, after: DocumentRole): boolean {
  return refuseBeyondReach({ roles: [after.name] }, [after], before.grants) !== undefined
}

/** In the order of roles; roles that nobody has are told of as well. */
export async function findLosses(rows: Rows, before: PolicyContents, after: PolicyContents): Promise<Loss[]> {
  const kept = new Map(after.roles.map((role) => [role.name, role]))
  const fewer = before.roles.filter((role) => {
    const now = kept.get(role.name)
    return now === undefined || grantsLess(role, now)
  })
  if (fewer.length === 0) return []
  const names = fewer.map(({ name }) => name)
  const held = await rows
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select(['role_grants.role', 'people.name'])
    .where('role_grants.role', 'in', names)
    .execute()
  return names.map((role) => ({
    role,
    isRemoved: !kept.has(role),
    people: held.flatMap((row) => (row.role === role ? [row.name] : [])).toSorted(),
  }))
}

/**
 * How do the rows of roles and their holders follow the contents of a snapshot?
 * Stops: a new role that somebody has already, because an old invitation or group gave its name to them.
 * Trusts: the transaction it runs in, which also writes the snapshot.
 * Fails: nothing is left half done: the transaction is rolled back.
 */
import { writeRole } from '../snapshot/publish.ts'
import { isSameRoles, type DocumentRole } from '../snapshot/document.ts'
import type { Rows } from '../snapshot/store.ts'
import type { Role } from '../roles/role.ts'

/** Who lost a role because it is there no more. */
export interface Taken {
  readonly role: string
  readonly people: readonly string[]
}

/** Makes the rows say what the contents say. @returns whom roles were taken from */
export async function applyRoles(
  rows: Rows,
  change: { readonly before: readonly Role[]; readonly after: readonly DocumentRole[]; readonly now: number },
): Promise<Taken[]> {
  const before = new Map(change.before.map((role) => [role.name, role]))
  const kept = new Set(change.after.map(({ name }) => name))
  for (const role of change.after) {
    const former = before.get(role.name)
    if (former !== undefined && isSameRoles([former], [role])) continue
    // INVARIANT: a new role begins with nobody.
    if (former === undefined) {
      await rows.deleteFrom('role_grants').where('role', '=', role.name).execute()
      await rows.deleteFrom('scim_mappings').where('role', '=', role.name).execute()
    }
    await writeRole(rows, { ...role, updatedAt: change.now })
  }
  const taken: Taken[] = []
  for (const { name } of change.before.filter((role) => !kept.has(role.name))) {
    await rows.deleteFrom('roles').where('name', '=', name).execute()
    const holders = await rows.deleteFrom('role_grants').where('role', '=', name).returning('person_id').execute()
    taken.push({ role: name, people: holders.map((row) => row.person_id).toSorted() })
  }
  return taken
}

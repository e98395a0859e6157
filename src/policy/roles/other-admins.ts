/**
 * Who else could administer Castellan?
 * Stops: the last administrator being lost without anybody noticing.
 * Trusts: the transaction it reads in.
 * Fails: whoever cannot sign in counts for nobody.
 */
import type { Rows } from '../snapshot/store.ts'
import { adminRole } from './role.ts'

/** Ids of the active administrators other than this person. INVARIANT: one without a password cannot sign in. */
export async function otherAdmins(rows: Rows, personId: string): Promise<string[]> {
  const found = await rows
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select('people.id')
    .where('role_grants.role', '=', adminRole)
    .where('people.status', '=', 'active')
    .where('people.password_hash', 'is not', null)
    .where('people.id', '!=', personId)
    .execute()
  return found.map((person) => person.id)
}

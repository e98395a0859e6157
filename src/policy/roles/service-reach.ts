/**
 * May a service account hold this role? What a program can do without a person ends at the admin plane: nothing is changed
 * there by one, and it is read only where an administrator said so when the account was made.
 * Stops: an agent that makes itself, or another agent, more than its owner knows.
 * Trusts: the transaction it reads in.
 * Fails: what cannot be told to be a reading permission is none. A role that grows later gives nothing more: the admin API
 * asks for itself.
 * @see docs/decisions/0036-service-accounts.md
 */
import { refuse, type Refusal } from '#kernel'
import { grantedThingOf } from '../permissions.ts'
import { policyRefusals } from '../refusals.ts'
import type { Rows } from '../snapshot/store.ts'
import { parsePattern, touches } from './resource-pattern.ts'
import type { Grant, Role } from './role.ts'

/** What a grant allows on the admin plane. */
function adminPermissions({ permissions, resources }: Grant): readonly string[] {
  const reachesPlane = resources.some((text) => {
    const pattern = parsePattern(text)
    return pattern === undefined || touches(pattern, 'AdminPlane')
  })
  return reachesPlane ? permissions.filter((one) => (grantedThingOf(one) ?? 'AdminPlane') === 'AdminPlane') : []
}

/** A refusal when a role is more than a program is given. */
export function refuseForService(
  { name, grants }: Pick<Role, 'name' | 'grants'>,
  account: { readonly mayReadAdmin: boolean },
): Refusal | undefined {
  const asked = grants.flatMap(adminPermissions)
  const changing = asked.find((permission) => !permission.endsWith(':read'))
  if (changing !== undefined) {
    return refuse(policyRefusals.roleForPeople, { names: { role: name, permission: changing } })
  }
  const [reading] = asked
  if (reading === undefined || account.mayReadAdmin) return undefined
  return refuse(policyRefusals.adminReadUnsaid, { names: { role: name, permission: reading } })
}

/** The same for whoever has this id; of persons nothing is asked. */
export async function refuseForHolder(rows: Rows, personId: string, role: Role): Promise<Refusal | undefined> {
  const row = await rows
    .selectFrom('people')
    .leftJoin('service_accounts', 'service_accounts.person_id', 'people.id')
    .select(['kind', 'may_read_admin', 'removed_at'])
    .where('people.id', '=', personId)
    .executeTakeFirst()
  if (row?.kind !== 'service') return undefined
  if (row.removed_at !== null) return refuse(policyRefusals.personUnknown, { names: { person: personId } })
  return refuseForService(role, { mayReadAdmin: row.may_read_admin === 1 })
}

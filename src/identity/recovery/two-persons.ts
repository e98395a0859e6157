/**
 * Does it take two to reset this person? Whoever is an administrator, or was one when they last signed in not long ago.
 * Stops: one administrator from becoming another, also by taking their role away first.
 * Trusts: the caller's transaction, and what sign-in kept. Fails closed: a role that is there counts.
 * @see ASVS 6.4.4, 6.4.6; docs/decisions/0034-passkeys-and-recovery.md
 */
import { rolesOf } from '../credentials/principals.ts'
import { adminRole } from '../enrolment/links.ts'
import type { Query } from '../parts.ts'

const rememberedMs = 90 * 86_400_000

/** Administrators, without the person themselves, who have to say yes before all factors are taken. */
export async function approvalsNeeded(transaction: Query, personId: string, nowMs: number): Promise<number> {
  const person = await transaction
    .selectFrom('people')
    .select('administered_at')
    .where('id', '=', personId)
    .executeTakeFirst()
  const was = person?.administered_at ?? undefined
  const isRemembered = was !== undefined && was !== null && was > nowMs - rememberedMs
  return isRemembered || (await rolesOf(transaction, personId)).includes(adminRole) ? 2 : 1
}

/** Whether this person is an administrator at this moment, and active. */
export async function isAdministrator(transaction: Query, personId: string): Promise<boolean> {
  const found = await transaction
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select('people.id')
    .where('person_id', '=', personId)
    .where('role', '=', adminRole)
    .where('status', '=', 'active')
    .executeTakeFirst()
  return found !== undefined
}

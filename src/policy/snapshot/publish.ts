/**
 * How do changed roles become the policy in force?
 * Stops: an invalid policy; a change on top of a tampered one.
 * Trusts: the transaction it runs in, while which no other runs on any node: versions have no gaps, no update is lost.
 * Fails: invalid roles are refused and nothing is written; a tampered database is a Fault.
 */
import { Fault, refuse, type Refusal } from '#kernel'
import { compileRoles } from '../cedar/compile.ts'
import { findProblems } from '../cedar/judge.ts'
import { policyRefusals } from '../refusals.ts'
import type { Role } from '../roles/role.ts'
import { hashOf, readVerified, type Rows, type Snapshot, type VerifiedPolicy } from './store.ts'

/** Of the Cedar text of all roles together, in bytes. */
export const maxPolicyBytes = 4_194_304

/** The policy as it stands, to build the next one on. @throws Fault `policy.unavailable` when it cannot be trusted */
export async function readCurrent(rows: Rows): Promise<VerifiedPolicy> {
  const verified = await readVerified(rows)
  if (verified === undefined) throw new Fault('policy.unavailable', 'there is no policy snapshot')
  return verified
}

/**
 * Writes the next snapshot. Runs in the transaction that changes the roles; these passed `checkRole`.
 * @param version one more than the newest
 */
export async function publish(
  rows: Rows,
  next: { version: number; roles: readonly Role[]; createdAt: number; createdBy: string | null },
): Promise<Snapshot | Refusal> {
  const { policies, cedar } = compileRoles(next.roles, next.version)
  if (Buffer.byteLength(cedar) > maxPolicyBytes) {
    return refuse(policyRefusals.policyTooLarge, { names: { limit: `${maxPolicyBytes} bytes` } })
  }
  const [problem] = findProblems(policies)
  if (problem !== undefined) return refuse(policyRefusals.policyInvalid, { names: { problem } })
  const snapshot = { version: next.version, hash: hashOf(cedar), cedar }
  await rows
    .insertInto('policy_snapshots')
    .values({ ...snapshot, created_at: next.createdAt, created_by: next.createdBy })
    .execute()
  return snapshot
}

/** Writes one role, new or changed. */
export async function writeRole(rows: Rows, role: Role): Promise<void> {
  const columns = {
    grants: JSON.stringify(role.grants),
    description: role.description,
    is_shipped: role.isShipped ? (1 as const) : (0 as const),
    updated_at: role.updatedAt,
  }
  await rows
    .insertInto('roles')
    .values({ name: role.name, ...columns })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(columns))
    .execute()
}

/**
 * How do changed roles become the policy in force?
 * Stops: an invalid policy; a change on top of a tampered one.
 * Trusts: the transaction it runs in, while which no other runs on any node: versions have no gaps, no update is lost.
 * Fails: invalid roles are refused and nothing is written; a tampered database is a Fault.
 */
import { Fault, refuse, type Refusal } from '#kernel'
import { compileAside } from '../cedar/aside/compile-aside.ts'
import type { CompiledPolicy } from '../cedar/source.ts'
import { policyRefusals } from '../refusals.ts'
import type { Role } from '../roles/role.ts'
import { type SnapshotDocument, writeDocument } from './document.ts'
import { hashOf, readVerified, type Rows, type Snapshot, type VerifiedPolicy } from './store.ts'

/** Of the Cedar text of all rules together, in bytes. */
export const maxPolicyBytes = 4_194_304

/** Of everything that a snapshot is made from, as JSON, in bytes. */
export const maxDocumentBytes = 8_388_608

export interface NextSnapshot {
  /** One more than the newest. */
  readonly version: number
  readonly document: SnapshotDocument
  readonly createdAt: number
  /** What else has to hold for what is about to be written. */
  readonly check?: (compiled: CompiledPolicy) => Promise<Refusal | undefined>
}

/** The policy as it stands, to build the next one on. @throws Fault `policy.unavailable` when it cannot be trusted */
export async function readCurrent(rows: Rows): Promise<VerifiedPolicy> {
  const verified = await readVerified(rows)
  if (verified === undefined) throw new Fault('policy.unavailable', 'there is no policy snapshot')
  return verified
}

function tooLarge(limit: number): Refusal {
  return refuse(policyRefusals.policyTooLarge, { names: { limit: `${limit} bytes` } })
}

/**
 * Writes the next snapshot. Runs in the transaction that changes the roles; these passed `checkRole`.
 * @returns a refusal, and nothing was written
 */
export async function publish(rows: Rows, next: NextSnapshot): Promise<Snapshot | Refusal> {
  const { version, document: made, createdAt, check } = next
  const document = writeDocument(made)
  if (Buffer.byteLength(document) > maxDocumentBytes) return tooLarge(maxDocumentBytes)
  const compilation = await compileAside(made, version)
  if (!compilation.isValid) {
    const { problems } = compilation
    const says = problems[0]?.says ?? 'it cannot be read'
    return refuse(policyRefusals.policyInvalid, {
      names: { problem: says },
      detail: { problems: problems.slice(0, 20) },
    })
  }
  const { cedar } = compilation.policy
  if (Buffer.byteLength(cedar) > maxPolicyBytes) return tooLarge(maxPolicyBytes)
  const refusal = await check?.(compilation.policy)
  if (refusal !== undefined) return refusal
  const hash = hashOf(cedar, document)
  const created = { created_at: createdAt, created_by: made.publisher }
  await rows
    .insertInto('policy_snapshots')
    .values({ version, hash, cedar, document, ...created })
    .execute()
  return { version, hash, cedar }
}

/** Writes one role, new or changed. */
export async function writeRole(rows: Rows, role: Role): Promise<void> {
  const columns = {
    grants: JSON.stringify(role.grants),
    description: role.description,
    owner: role.owner ?? null,
    is_shipped: role.isShipped ? (1 as const) : (0 as const),
    updated_at: role.updatedAt,
  }
  await rows
    .insertInto('roles')
    .values({ name: role.name, ...columns })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(columns))
    .execute()
}

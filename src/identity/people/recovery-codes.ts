/**
 * Which recovery codes does a person have left? Kept as hashes, replaced as a whole.
 * Stops old codes from working beside new ones. Trusts the caller's transaction. Fails with it.
 */
import { createId } from '#kernel'
import type { Query } from '../parts.ts'

/** Takes the place of the codes the person had. */
export async function insertRecoveryCodes(
  transaction: Query,
  personId: string,
  hashes: readonly string[],
  nowMs: number,
): Promise<void> {
  await transaction.deleteFrom('recovery_codes').where('person_id', '=', personId).execute()
  const rows = hashes.map((code_hash) => ({ id: createId(nowMs), person_id: personId, code_hash, used_at: null }))
  await transaction.insertInto('recovery_codes').values(rows).execute()
}

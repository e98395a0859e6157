/**
 * What does a person lose when they are stopped or start anew? What they can come in with, at once.
 * Stops: sessions, tokens, grants, links and factors that outlive the decision to end them; a house without an admin.
 * Trusts: the caller's transaction, which has the entry. Fails with it.
 * @see ASVS 7.4.2, 6.5.6
 */
import { type Refusal, refuse } from '#kernel'
import { revokeTokens } from '../credentials/access-tokens.ts'
import { endSessions } from '../credentials/sessions.ts'
import { adminRole } from '../enrolment/links.ts'
import { endGrants } from '../oauth/grants.ts'
import type { Actor, Query } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { forgiveStreaks } from '../sign-in/throttle.ts'

/** INVARIANT: read in the transaction that takes the person out, and transactions take turns. */
export async function isLastAdmin(transaction: Query, personId: string): Promise<boolean> {
  const enrolled = transaction
    .selectFrom('role_grants')
    .innerJoin('people', 'people.id', 'role_grants.person_id')
    .select('people.id')
    .where('role', '=', adminRole)
    .where('status', '=', 'active')
    .where('password_hash', 'is not', null)
  const admins = await enrolled.execute()
  return admins.length === 1 && admins[0]?.id === personId
}

interface Ended {
  readonly personId: string
  readonly by: Actor
  readonly reason: string
  readonly nowMs: number
}

/** Ends what a person can come in with, and the invitations they made. */
export async function endCredentials(transaction: Query, { personId, by, reason, nowMs }: Ended) {
  const sessions = await endSessions(transaction, { personId, reason, nowMs })
  const tokens = await revokeTokens(transaction, { personId, by, nowMs })
  const grants = await endGrants(transaction, { whose: { personId }, by, reason, nowMs })
  const clients = transaction.selectFrom('oauth_clients').select('id').where('person_id', '=', personId)
  await transaction
    .updateTable('oauth_artifacts')
    .set({ ended_at: nowMs })
    .where('client_id', 'in', clients)
    .where('ended_at', 'is', null)
    .execute()
  await transaction
    .updateTable('enrolments')
    .set({ used_at: nowMs, sealed_draft: null })
    .where('used_at', 'is', null)
    .where((where) => where.or([where('person_id', '=', personId), where('created_by', '=', personId)]))
    .execute()
  await transaction
    .updateTable('resets')
    .set({ ended_at: nowMs, ended_reason: reason, token_hash: null })
    .where('ended_at', 'is', null)
    .where((where) => where.or([where('person_id', '=', personId), where('started_by', '=', personId)]))
    .execute()
  return { sessions, tokens, grants }
}

/** Takes password, second factors, passkeys and recovery codes, and everything that was made with them. */
export async function takeFactors(
  transaction: Query,
  { personId, by, nowMs }: Omit<Ended, 'reason'>,
): Promise<Awaited<ReturnType<typeof endCredentials>> | Refusal> {
  if (await isLastAdmin(transaction, personId)) return refuse(refusals.lastAdmin)
  const counts = await endCredentials(transaction, { personId, by, reason: 'sign-in reset', nowMs })
  for (const table of ['second_factors', 'recovery_codes', 'passkeys'] as const) {
    await transaction.deleteFrom(table).where('person_id', '=', personId).execute()
  }
  const without = { password_hash: null, updated_at: nowMs }
  await transaction.updateTable('people').set(without).where('id', '=', personId).execute()
  await forgiveStreaks(transaction, personId)
  return counts
}

/**
 * Which sessions began at a provider, and what began with them? Ended together, in the transaction of the caller.
 * Stops: a session, or a client's grant, that outlives the sign-in at the provider it came from.
 * Trusts: what was kept of each sign-in. Fails with the caller's transaction: all of it ends, or none.
 * @see OpenID Connect Back-Channel Logout 1.0, section 2.7; ASVS 7.4.1
 */
import { endArtifacts } from '../oauth/artifacts.ts'
import type { Actor, Query } from '../parts.ts'

/** Sessions of one provider, of one account there, or of one session there. */
export type Whose =
  | { readonly provider: string }
  | { readonly issuer: string; readonly subject?: string | undefined; readonly sid?: string | undefined }

export interface Ending {
  readonly by: Actor
  readonly reason: string
  readonly nowMs: number
}

interface Begun {
  readonly session_id: string
  readonly person_id: string
  readonly created_at: number
}

async function begun(transaction: Query, whose: Whose): Promise<Begun[]> {
  const all = transaction.selectFrom('provider_sessions').select(['session_id', 'person_id', 'created_at'])
  if ('provider' in whose) return all.where('provider', '=', whose.provider).execute()
  const { issuer, subject, sid } = whose
  // INVARIANT: without one of the two, nobody is meant rather than everybody.
  if (subject === undefined && sid === undefined) return []
  const there = all.where('issuer', '=', issuer)
  const ofSubject = subject === undefined ? there : there.where('subject', '=', subject)
  return (sid === undefined ? ofSubject : ofSubject.where('sid', '=', sid)).execute()
}

/** What a person let clients do since they signed in there, on the strength of that sign-in. */
async function endGrantsSince(transaction: Query, since: Begun, { by, reason, nowMs }: Ending): Promise<number> {
  const rows = await transaction
    .selectFrom('oauth_grants')
    .select('id')
    .where('person_id', '=', since.person_id)
    .where('factors', 'like', '%"identity-provider"%')
    .where('created_at', '>=', since.created_at)
    .where('ended_at', 'is', null)
    .execute()
  for (const { id } of rows) {
    const end = { ended_at: nowMs, ended_by: by.id, ended_reason: reason }
    await transaction.updateTable('oauth_grants').set(end).where('id', '=', id).execute()
    await endArtifacts(transaction, id, nowMs)
  }
  return rows.length
}

/** @returns how many sessions and grants were ended, and whose */
export async function endSessionsOf(
  transaction: Query,
  whose: Whose,
  ending: Ending,
): Promise<{ sessions: number; grants: number; people: readonly string[] }> {
  const found = await begun(transaction, whose)
  let [sessions, grants] = [0, 0]
  for (const one of found) {
    const ended = await transaction
      .updateTable('sessions')
      .set({ ended_at: ending.nowMs, ended_reason: ending.reason })
      .where('id', '=', one.session_id)
      .where('ended_at', 'is', null)
      .executeTakeFirst()
    sessions += Number(ended.numUpdatedRows)
    grants += await endGrantsSince(transaction, one, ending)
    await transaction.deleteFrom('provider_sessions').where('session_id', '=', one.session_id).execute()
  }
  return { sessions, grants, people: [...new Set(found.map((one) => one.person_id))] }
}

/**
 * Does the session of this principal hold at this moment, inside a transaction that changes something for it?
 * Stops a change by a session that ended while its person typed. Trusts the caller's transaction. Fails closed.
 */
import type { Principal } from '#kernel'
import type { Query } from '../parts.ts'

export async function sessionHolds(transaction: Query, { id, credential }: Principal): Promise<boolean> {
  const session = await transaction
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .select('status')
    .where('sessions.id', '=', credential.id)
    .where('person_id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return session?.status === 'active'
}

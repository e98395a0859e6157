/**
 * Which terminals of a person are signed in, and how do they end? With the person's sessions, because they are one thing to
 * whoever signs out everywhere or changes a password.
 * Stops: a terminal that stays signed in where every session was ended; more of them than sessions are allowed.
 * Trusts: the caller's transaction and its entry in the ledger. Fails closed with it.
 * @see ASVS 7.4.3
 */
import { type Actor, type Query, castellan } from '../parts.ts'
import { terminalClient } from '../oauth/resources.ts'

interface Ended {
  readonly personId: string
  /** Of the token of a terminal that goes on. */
  readonly exceptId?: string | undefined
  /** How many of the newest go on. */
  readonly except?: number
  readonly reason: string
  readonly nowMs: number
  readonly by?: Actor
}

/** Ends the terminals of a person and all their tokens, but one if asked. @returns how many were signed in */
export async function endTerminals(
  transaction: Query,
  { personId, exceptId, except = 0, reason, nowMs, by = castellan }: Ended,
): Promise<number> {
  const own = await transaction
    .selectFrom('oauth_artifacts')
    .select('grant_id')
    .where('public_id', '=', exceptId ?? '')
    .executeTakeFirst()
  const open = await transaction
    .selectFrom('oauth_grants')
    .select('id')
    .where('person_id', '=', personId)
    .where('client_id', '=', terminalClient)
    .where('id', '!=', own?.grant_id ?? '')
    .where('ended_at', 'is', null)
    .where('expires_at', '>', nowMs)
    .orderBy('id', 'desc')
    .execute()
  const ids = open.slice(except).map(({ id }) => id)
  if (ids.length === 0) return 0
  const end = { ended_at: nowMs, ended_by: by.id, ended_reason: reason }
  await transaction.updateTable('oauth_grants').set(end).where('id', 'in', ids).execute()
  await transaction
    .updateTable('oauth_artifacts')
    .set({ ended_at: nowMs })
    .where('grant_id', 'in', ids)
    .where('ended_at', 'is', null)
    .execute()
  return ids.length
}

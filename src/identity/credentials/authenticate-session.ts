/**
 * Who is behind this session token? The person with the roles of the moment, if the session still holds.
 * Stops use after sign-out, suspension, too long a pause or too long a life.
 * Trusts the server's clock and the database. Fails closed: unknown, ended and idle sessions are one refusal.
 * @see ASVS 7.2.1, 7.3.1, 7.3.2
 */
import { type Principal, type Refusal, refuse } from '#kernel'
import { adminRole } from '../enrolment/links.ts'
import { type Parts, castellan } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { readToken } from './opaque-token.ts'
import { belongingOf, principalOf } from './principals.ts'
import { type Sessions, sessionLimit } from './sessions.ts'

const minuteMs = 60_000

/** Of the request that presents a session. */
export interface SessionContext {
  readonly address: string
  /** Nothing can be done there but to look at one's own account, to register a passkey and to sign out. */
  readonly isRegistering?: boolean
}

/** Whether this is an administrator who has to register a passkey first. */
export async function needsPasskey(
  { database, settings }: Pick<Parts, 'database' | 'settings'>,
  personId: string,
  roles: readonly string[],
): Promise<boolean> {
  if (!settings.administratorsNeedPasskey || !roles.includes(adminRole)) return false
  const own = database.query.selectFrom('passkeys').select('id').where('person_id', '=', personId)
  return (await own.limit(1).executeTakeFirst()) === undefined
}

/** Answers with the person behind a session token, and counts the use against the idle limit. */
export function createSessionAuthenticator(parts: Parts, sessions: Pick<Sessions, 'end'>) {
  const { database, clock } = parts

  async function touch(row: { readonly id: string; readonly last_seen_at: number }): Promise<void> {
    const now = clock.now()
    // WHY: at most once a minute, because each write ends every cache; idle time is then cut short, never stretched.
    if (now - row.last_seen_at < minuteMs) return
    const seen = database.query.updateTable('sessions').set({ last_seen_at: now }).where('id', '=', row.id)
    await seen.where('ended_at', 'is', null).where('last_seen_at', '<', now).execute()
  }

  return async function authenticateSession(token: string, context?: SessionContext): Promise<Principal | Refusal> {
    const tokenHash = readToken('session', token)
    if (tokenHash === undefined) return refuse(refusals.sessionInvalid, { detail: { reason: 'malformed' } })
    const row = await database.query
      .selectFrom('sessions')
      .innerJoin('people', 'people.id', 'sessions.person_id')
      .select(['sessions.id', 'person_id', 'name', 'factors', 'last_seen_at', 'expires_at', 'ended_at', 'status'])
      .select('sessions.created_at')
      .where('token_hash', '=', tokenHash)
      .executeTakeFirst()
    if (!row) return refuse(refusals.sessionInvalid, { detail: { reason: 'unknown' } })
    const detail = { credential: row.id, person: row.person_id }
    if (row.ended_at !== null) return refuse(refusals.sessionInvalid, { detail: { ...detail, reason: 'ended' } })
    if (row.status !== 'active') return refuse(refusals.sessionInvalid, { detail: { ...detail, reason: 'suspended' } })
    const limit = sessionLimit(row, parts)
    if (limit) {
      // INVARIANT: a session found to be over is ended for good, also if the clock is set back.
      await sessions.end(row.id, castellan, limit)
      return refuse(refusals.sessionInvalid, { detail: { ...detail, reason: limit } })
    }
    await touch(row)
    const belonging = await belongingOf(database.query, row.person_id)
    if (context?.isRegistering !== true && (await needsPasskey(parts, row.person_id, belonging.roles))) {
      return refuse(refusals.passkeyNeeded, { detail })
    }
    // WHY: a session begins when its last factor was proved.
    return principalOf('session', { ...row, proved_at: row.created_at }, belonging)
  }
}

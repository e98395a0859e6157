/**
 * Does the credential behind an open stream still hold? Asked again and again; synchronous while nothing has changed.
 * Stops streams that outlive their session, token or person.
 * Trusts the database's revision. Fails closed: a credential that is gone does not hold.
 * @see ASVS 7.3.1, 7.3.2, 7.4.1
 */
import type { Principal } from '#kernel'
import { rememberByRevision } from '#platform/database'
import type { Parts } from '../parts.ts'
import { sessionLimit } from './sessions.ts'

const mostRemembered = 10_000

interface Standing {
  readonly isEnded: boolean
  readonly expires_at: number
  /** Of a session. */
  readonly last_seen_at?: number
}

const gone: Standing = { isEnded: true, expires_at: 0 }

export function createStillValid(parts: Parts) {
  const { database, clock } = parts

  async function readToken(id: string): Promise<Standing> {
    const row = await database.query
      .selectFrom('access_tokens')
      .innerJoin('people', 'people.id', 'access_tokens.person_id')
      .select(['expires_at', 'revoked_at', 'status'])
      .where('access_tokens.id', '=', id)
      .executeTakeFirst()
    return row ? { ...row, isEnded: row.revoked_at !== null || row.status !== 'active' } : gone
  }

  async function readSession(id: string): Promise<Standing> {
    const row = await database.query
      .selectFrom('sessions')
      .innerJoin('people', 'people.id', 'sessions.person_id')
      .select(['expires_at', 'last_seen_at', 'ended_at', 'status'])
      .where('sessions.id', '=', id)
      .executeTakeFirst()
    return row ? { ...row, isEnded: row.ended_at !== null || row.status !== 'active' } : gone
  }

  const tokens = rememberByRevision(database, readToken, { maxEntries: mostRemembered })
  const sessions = rememberByRevision(database, readSession, { maxEntries: mostRemembered })

  function holds({ isEnded, expires_at, last_seen_at }: Standing): boolean {
    if (isEnded || clock.now() >= expires_at) return false
    return last_seen_at === undefined || sessionLimit({ expires_at, last_seen_at }, parts) === undefined
  }

  /** @returns at once when the credential is remembered; a promise when it has to be read */
  return function stillValid({ credential }: Principal): boolean | Promise<boolean> {
    const remembered = credential.kind === 'session' ? sessions : tokens
    const known = remembered.peek(credential.id)
    return known ? holds(known) : remembered.get(credential.id).then(holds)
  }
}

/**
 * Does the credential behind an open stream still hold? Asked again and again; synchronous while nothing has changed.
 * Stops streams that outlive their session, token or person.
 * Trusts the database's revision. Fails closed: a credential that is gone does not hold.
 * @see ASVS 7.3.1, 7.3.2, 7.4.1
 */
import type { Principal } from '#kernel'
import { rememberByRevision } from '#platform/database'
import type { ExternalTokens } from '../external/authenticate-external.ts'
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

/** @param external judges what rests on a signed token of another issuer */
export function createStillValid(parts: Parts, external: Pick<ExternalTokens, 'stillValid'>) {
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

  async function readOauthToken(id: string): Promise<Standing> {
    const row = await database.query
      .selectFrom('oauth_artifacts as token')
      .leftJoin('oauth_clients as client', 'client.id', 'token.client_id')
      .leftJoin('oauth_grants as grant', 'grant.id', 'token.grant_id')
      .innerJoin('people as person', (join) =>
        join.on((on) => on('person.id', '=', on.fn.coalesce('token.person_id', 'client.person_id'))),
      )
      .select(['token.expires_at', 'token.ended_at', 'grant.ended_at as grant_ended_at', 'blocked_at', 'status'])
      .where('public_id', '=', id)
      .executeTakeFirst()
    if (!row) return gone
    const ends = [row.ended_at, row.grant_ended_at ?? null, row.blocked_at ?? null]
    return { expires_at: row.expires_at, isEnded: row.status !== 'active' || ends.some((end) => end !== null) }
  }

  const oauthTokens = rememberByRevision(database, readOauthToken, { maxEntries: mostRemembered })
  const tokens = rememberByRevision(database, readToken, { maxEntries: mostRemembered })
  const sessions = rememberByRevision(database, readSession, { maxEntries: mostRemembered })

  function holds({ isEnded, expires_at, last_seen_at }: Standing): boolean {
    if (isEnded || clock.now() >= expires_at) return false
    return last_seen_at === undefined || sessionLimit({ expires_at, last_seen_at }, parts) === undefined
  }

  /** @returns at once when the credential is remembered; a promise when it has to be read */
  return function stillValid(principal: Principal): boolean | Promise<boolean> {
    const { credential } = principal
    if (credential.kind === 'external-token') return external.stillValid(principal)
    const remembered =
      credential.kind === 'session' ? sessions : credential.kind === 'oauth-token' ? oauthTokens : tokens
    const known = remembered.peek(credential.id)
    return known ? holds(known) : remembered.get(credential.id).then(holds)
  }
}

/**
 * Which sign-in of a person is behind this principal, read again inside a transaction: the session of a browser or script,
 * or the grant of a terminal?
 * Stops: a change by a sign-in that ended while its person typed; an OAuth token of another client counting as a sign-in.
 * Trusts: the caller's transaction. Fails closed: what has ended, or is no sign-in, is undefined.
 */
import type { Principal } from '#kernel'
import type { Query } from '../parts.ts'
import { adminScope, terminalClient } from '../oauth/resources.ts'

/** A sign-in that has not ended; its limits are the caller's to judge. */
export interface SignInBehind {
  /** JSON of the factors that were proved. */
  readonly factors: string
  readonly status: 'active' | 'suspended'
  readonly expires_at: number
  /** Of a session; a terminal's tokens carry its idle limit in their own life. */
  readonly last_seen_at: number | undefined
}

async function sessionBehind(query: Query, { id, credential }: Principal): Promise<SignInBehind | undefined> {
  return query
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'sessions.person_id')
    .select(['factors', 'status', 'expires_at', 'last_seen_at'])
    .where('sessions.id', '=', credential.id)
    .where('person_id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
}

async function terminalBehind(query: Query, { id, credential }: Principal): Promise<SignInBehind | undefined> {
  const row = await query
    .selectFrom('oauth_artifacts as token')
    .innerJoin('oauth_grants as grant', 'grant.id', 'token.grant_id')
    .innerJoin('oauth_clients as client', 'client.id', 'grant.client_id')
    .innerJoin('people as person', 'person.id', 'grant.person_id')
    .select(['grant.factors', 'grant.scopes', 'person.status', 'token.expires_at'])
    .where('token.public_id', '=', credential.id)
    .where('token.kind', '=', 'AccessToken')
    .where('token.ended_at', 'is', null)
    .where('grant.ended_at', 'is', null)
    .where('grant.person_id', '=', id)
    .where('grant.client_id', '=', terminalClient)
    .where('client.blocked_at', 'is', null)
    .executeTakeFirst()
  return row?.scopes.split(' ').includes(adminScope) === true ? { ...row, last_seen_at: undefined } : undefined
}

/** The sign-in behind a principal; undefined when it has ended, or when its credential is none. */
export async function signInBehind(query: Query, principal: Principal): Promise<SignInBehind | undefined> {
  const { kind } = principal.credential
  if (kind === 'session') return sessionBehind(query, principal)
  return kind === 'oauth-token' ? terminalBehind(query, principal) : undefined
}

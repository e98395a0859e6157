/**
 * Whose access token is this, and is it for this resource? Synchronous while nothing in the database has changed.
 * Stops use after revocation, suspension or a change of roles, made by any node, from the next request on.
 * Trusts the database's revision. Fails closed: what cannot be read is no token; strangers' tokens are not remembered.
 */
import { type Clock, type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { type Database, rememberByRevision } from '#platform/database'
import { readToken } from './opaque-token.ts'
import { belongingOf, principalOf } from './principals.ts'
import { refusals } from '../refusals.ts'
import { type AccountStanding, endWithin, readStanding } from '../service-accounts/standing.ts'
import { isSameResource } from './resource.ts'

const mostRememberedTokens = 10_000

interface KnownToken {
  readonly principal: Principal
  readonly resource: string
  /** Why it is worth nothing, if it is. */
  readonly ended: 'revoked' | 'suspended' | AccountStanding['ended']
  /** Whose end it is when its time is over, if not its own. */
  readonly expiredBy: string | undefined
}

/** @returns at once when the token is remembered; a promise when it has to be read */
export function createTokenAuthenticator({ database, clock }: { database: Database; clock: Clock }) {
  async function load(tokenHash: string): Promise<KnownToken | undefined> {
    const row = await database.query
      .selectFrom('access_tokens')
      .innerJoin('people', 'people.id', 'access_tokens.person_id')
      .select(['access_tokens.id', 'person_id', 'name', 'kind', 'factors', 'proved_at', 'resource', 'expires_at'])
      .select(['revoked_at', 'status'])
      .where('token_hash', '=', tokenHash)
      .executeTakeFirst()
    if (!row) return undefined
    const standing = await readStanding(database.query, { id: row.person_id, kind: row.kind })
    const { expiresAt, expiredBy } = endWithin(standing, row.expires_at)
    const belonging = await belongingOf(database.query, row.person_id)
    const principal = principalOf('access-token', { ...row, expires_at: expiresAt }, belonging)
    const ended = row.revoked_at !== null ? 'revoked' : row.status !== 'active' ? 'suspended' : standing?.ended
    return { principal, resource: row.resource, ended, expiredBy }
  }

  const remembered = rememberByRevision<string, KnownToken | Refusal>(
    database,
    async (tokenHash) => (await load(tokenHash)) ?? refuse(refusals.tokenInvalid, { detail: { reason: 'unknown' } }),
    { maxEntries: mostRememberedTokens },
  )

  function judge(known: KnownToken | Refusal, resource: string): Principal | Refusal {
    if (isRefusal(known)) return known
    const { principal, ended } = known
    const detail = { person: principal.id, credential: principal.credential.id }
    if (ended) return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: ended } })
    if (clock.now() >= principal.credential.expiresAt) {
      const { expiredBy } = known
      return refuse(refusals.tokenExpired, {
        detail: expiredBy === undefined ? detail : { ...detail, reason: expiredBy },
      })
    }
    if (isSameResource(known.resource, resource)) return principal
    return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: 'wrong-resource' } })
  }

  async function read(tokenHash: string, resource: string): Promise<Principal | Refusal> {
    const found = await database.query
      .selectFrom('access_tokens')
      .select('id')
      .where('token_hash', '=', tokenHash)
      .executeTakeFirst()
    // WHY: remembering invented tokens would let anyone push the real ones out.
    if (!found) return refuse(refusals.tokenInvalid, { detail: { reason: 'unknown' } })
    return judge(await remembered.get(tokenHash), resource)
  }

  return function authenticateAccessToken(
    token: string,
    resource: string,
  ): Principal | Refusal | Promise<Principal | Refusal> {
    const tokenHash = readToken('access-token', token)
    if (tokenHash === undefined) return refuse(refusals.tokenInvalid, { detail: { reason: 'malformed' } })
    const known = remembered.peek(tokenHash)
    return known === undefined ? read(tokenHash, resource) : judge(known, resource)
  }
}

/**
 * Whose OAuth access token is this, is it for this resource, and who presents it? Synchronous while nothing in the database
 * has changed, but for tokens that are bound to a key: their proof is checked each time.
 * Stops: use after revocation, suspension, a blocked client or an ended grant, from the next request on; a token for
 * another path; a stolen token that is bound to a key.
 * Trusts: the database's revision. Fails closed: what cannot be read is no token; strangers' tokens are not remembered.
 * @see RFC 8707, RFC 9449
 */
import { type Clock, type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { rememberByRevision } from '#platform/database'
import { readToken } from '../credentials/opaque-token.ts'
import { principalOf, rolesOf } from '../credentials/principals.ts'
import { isSameResource } from '../credentials/resource.ts'
import { refusals } from '../refusals.ts'
import type { OauthParts } from './parts.ts'
import { openArtifact } from './artifacts.ts'
import { type Replays, createReplays } from './replays.ts'
import { type Presented, verifyProof } from './verify-proof.ts'

const mostRemembered = 10_000
const kinds = ['AccessToken', 'ClientCredentials'] as const

type Parts = Pick<OauthParts, 'database' | 'clock' | 'sealer'>

interface KnownToken {
  readonly principal: Principal
  readonly resource: string
  /** Why it is worth nothing, if it is. */
  readonly ended: string | undefined
  /** Thumbprint of the key that it is bound to. */
  readonly boundTo: string | undefined
}

function rowsOf({ database }: Parts) {
  return database.query
    .selectFrom('oauth_artifacts as token')
    .leftJoin('oauth_clients as client', 'client.id', 'token.client_id')
    .leftJoin('oauth_grants as grant', 'grant.id', 'token.grant_id')
    .innerJoin('people as person', (join) =>
      join.on((on) => on('person.id', '=', on.fn.coalesce('token.person_id', 'client.person_id'))),
    )
    .select([
      'token.kind',
      'token.id_hash',
      'token.public_id',
      'token.client_id',
      'token.sealed_payload',
      'token.expires_at',
      'token.ended_at',
      'token.grant_id',
      'grant.ended_at as grant_ended_at',
      'grant.factors',
      'client.name as client_name',
      'client.blocked_at',
      'client.person_id as client_person_id',
      'person.id as person_id',
      'person.name as person_name',
      'person.status',
    ])
}

type Row = Awaited<ReturnType<ReturnType<typeof rowsOf>['executeTakeFirstOrThrow']>>

function endOf(row: Row): string | undefined {
  if (row.ended_at !== null) return 'revoked'
  if (row.kind === 'AccessToken' && (row.grant_id === null || row.factors === null)) return 'without grant'
  if (row.grant_ended_at !== null && row.grant_ended_at !== undefined) return 'grant ended'
  if (row.blocked_at !== null && row.blocked_at !== undefined) return 'client blocked'
  return row.status === 'active' ? undefined : 'suspended'
}

/** What a client proved itself with when it asked for a token of its own. */
function ownFactor(payload: object): 'client-key' | 'client-secret' {
  const { extra } = payload as { readonly extra?: { readonly client_auth?: unknown } }
  return extra?.client_auth === 'private_key_jwt' ? 'client-key' : 'client-secret'
}

async function load(parts: Parts, idHash: string): Promise<KnownToken | undefined> {
  const row = await rowsOf(parts)
    .where('token.id_hash', '=', idHash)
    .where('token.kind', 'in', kinds)
    .executeTakeFirst()
  const payload = row && openArtifact(parts.sealer, row)
  if (!row || !payload) return undefined
  const isOwn = row.kind === 'ClientCredentials'
  const factors = isOwn ? JSON.stringify([ownFactor(payload)]) : (row.factors ?? '[]')
  const { person_id, person_name: name, public_id: id, expires_at } = row
  const roles = await rolesOf(parts.database.query, person_id)
  const client = {
    id: row.client_id ?? '',
    name: row.client_name ?? row.client_id ?? '',
    scopes: (payload.scope ?? '').split(' ').filter(Boolean),
  }
  const principal = Object.freeze({
    ...principalOf('oauth-token', { id, person_id, name, factors, expires_at }, roles),
    client,
  })
  const { aud, jkt } = payload as { aud?: unknown; jkt?: string }
  return { principal, resource: typeof aud === 'string' ? aud : '', ended: endOf(row), boundTo: jkt }
}

function judge(known: KnownToken | Refusal, resource: string, clock: Clock): KnownToken | Refusal {
  if (isRefusal(known)) return known
  const { principal, ended } = known
  const detail = { person: principal.id, credential: principal.credential.id, client: principal.client?.id ?? null }
  if (ended) return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: ended } })
  if (clock.now() >= principal.credential.expiresAt) return refuse(refusals.tokenExpired, { detail })
  if (isSameResource(known.resource, resource)) return known
  return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: 'wrong-resource' } })
}

/** Whether whoever presents a token may: nobody has to prove anything for one that is not bound. */
function checkHolder(
  known: KnownToken | Refusal,
  presented: Presented,
  more: { clock: Clock; replays: Replays },
): Principal | Refusal | Promise<Principal | Refusal> {
  if (isRefusal(known)) return known
  const { principal, boundTo } = known
  if (boundTo === undefined && presented.how === undefined) return principal
  return verifyProof(presented, boundTo, more).then((isProved) =>
    isProved
      ? principal
      : refuse(refusals.proofInvalid, { detail: { person: principal.id, credential: principal.credential.id } }),
  )
}

/** @returns at once when the token is remembered and not bound to a key; a promise otherwise */
export function createOauthAuthenticator(parts: Parts) {
  const { database, clock } = parts
  const more = { clock, replays: createReplays(parts) }
  const unknown = () => refuse(refusals.tokenInvalid, { detail: { reason: 'unknown' } })
  const remembered = rememberByRevision<string, KnownToken | Refusal>(
    database,
    async (idHash) => (await load(parts, idHash)) ?? unknown(),
    { maxEntries: mostRemembered },
  )

  async function read(idHash: string, presented: Presented): Promise<Principal | Refusal> {
    const found = await database.query
      .selectFrom('oauth_artifacts')
      .select('public_id')
      .where('id_hash', '=', idHash)
      .where('kind', 'in', kinds)
      .executeTakeFirst()
    // WHY: remembering invented tokens would let anyone push the real ones out.
    if (!found) return unknown()
    return checkHolder(judge(await remembered.get(idHash), presented.resource, clock), presented, more)
  }

  return function authenticateOauthToken(presented: Presented): Principal | Refusal | Promise<Principal | Refusal> {
    const idHash = readToken('oauth-access', presented.token)
    if (idHash === undefined) return unknown()
    const known = remembered.peek(idHash)
    return known === undefined
      ? read(idHash, presented)
      : checkHolder(judge(known, presented.resource, clock), presented, more)
  }
}

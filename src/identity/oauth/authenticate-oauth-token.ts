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
import type { AdapterPayload } from 'oidc-provider'
import { readToken } from '../credentials/opaque-token.ts'
import { type Belonging, belongingOf, principalOf } from '../credentials/principals.ts'
import { isSameResource } from '../credentials/resource.ts'
import { type AccountStanding, actsAsPerson, endWithin, readStanding } from '../service-accounts/standing.ts'
import { type Exchanged, readExchanged, whyGroundGone } from '../oauth-exchange/exchanged.ts'
import { refusals } from '../refusals.ts'
import type { OauthParts } from './parts.ts'
import { openArtifact } from './artifacts.ts'
import { type Replays, createReplays } from './replays.ts'
import { type Presented, verifyProof } from './verify-proof.ts'

const mostRemembered = 10_000
const kinds = ['AccessToken', 'ClientCredentials'] as const

type Parts = Pick<OauthParts, 'database' | 'clock' | 'sealer'> & {
  /** Issuers whose tokens are accepted, and what was exchanged for them. */
  readonly settings: { readonly issuers: readonly { readonly issuer: string }[] }
}

/** What is known of a token, whether it holds or not. */
export interface KnownToken {
  readonly principal: Principal
  readonly resource: string
  /** Why it is worth nothing, if it is. */
  readonly ended: string | undefined
  /** Whose end it is when its time is over, if not its own. */
  readonly expiredBy: string | undefined
  /** Thumbprint of the key that it is bound to. */
  readonly boundTo: string | undefined
  /** What it rests on, of a token that a person let a client have; of one that a client has for itself there is none. */
  readonly grantId: string | undefined
  readonly exchanged: Exchanged | undefined
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
      'grant.proved_at',
      'grant.exchanged',
      'grant.expires_at as grant_expires_at',
      'client.name as client_name',
      'client.blocked_at',
      'client.registered_by',
      'client.approved_by',
      'client.person_id as client_person_id',
      'person.id as person_id',
      'person.name as person_name',
      'person.status',
      'person.kind as person_kind',
    ])
}

type Row = Awaited<ReturnType<ReturnType<typeof rowsOf>['executeTakeFirstOrThrow']>>

function endOf(row: Row, standing: AccountStanding | undefined): string | undefined {
  if (row.ended_at !== null) return 'revoked'
  if (row.kind === 'AccessToken' && (row.grant_id === null || row.factors === null)) return 'without grant'
  if (row.grant_ended_at !== null && row.grant_ended_at !== undefined) return 'grant ended'
  if (row.blocked_at !== null && row.blocked_at !== undefined) return 'client blocked'
  // INVARIANT: what a client gets for itself is a service account's; a person is never acted for without a grant.
  if (row.kind === 'ClientCredentials' && standing === undefined) return actsAsPerson
  return row.status === 'active' ? standing?.ended : 'suspended'
}

/** What a client proved itself with when it asked for a token of its own. */
function ownFactor(payload: object): 'client-key' | 'client-secret' {
  const { extra } = payload as { readonly extra?: { readonly client_auth?: unknown } }
  return extra?.client_auth === 'private_key_jwt' ? 'client-key' : 'client-secret'
}

/** Whether nobody here made the client known, or looked at it since. */
function isSelfRegistered({ registered_by: by, approved_by: approver }: Row): boolean {
  return (by === 'registration' || by === 'metadata-document') && (approver ?? null) === null
}

/** The first moment at which it is worth nothing: INVARIANT: no token outlives its grant. */
function ownEnd(row: Row): number {
  return Math.min(row.expires_at, row.grant_expires_at ?? Number.POSITIVE_INFINITY)
}

function principalIn(row: Row, payload: AdapterPayload, held: Belonging & { endsAt: number }): Principal {
  const { person_id, person_name: name, public_id: id, person_kind: kind, proved_at } = row
  const factors = row.kind === 'ClientCredentials' ? JSON.stringify([ownFactor(payload)]) : (row.factors ?? '[]')
  const { external, actors } = readExchanged(row.exchanged) ?? {}
  const own = principalOf(
    'oauth-token',
    { id, person_id, name, kind, factors, proved_at, expires_at: held.endsAt },
    external === undefined ? held : { ...held, roles: [...new Set([...held.roles, ...external.roles])].toSorted() },
  )
  const client = {
    id: row.client_id ?? '',
    name: row.client_name ?? row.client_id ?? '',
    scopes: (payload.scope ?? '').split(' ').filter(Boolean),
    ...(isSelfRegistered(row) ? { isSelfRegistered: true } : {}),
  }
  const delegated = actors === undefined ? {} : { actors }
  return Object.freeze({ ...own, ...(external ? { mappedRoles: external.roles } : {}), client, ...delegated })
}

/** What is known of a token by its hash, at this moment. */
export async function loadToken(parts: Parts, idHash: string): Promise<KnownToken | undefined> {
  const row = await rowsOf(parts)
    .where('token.id_hash', '=', idHash)
    .where('token.kind', 'in', kinds)
    .executeTakeFirst()
  const payload = row && openArtifact(parts.sealer, row)
  if (!row || !payload) return undefined
  const { query } = parts.database
  const standing = await readStanding(query, { id: row.person_id, kind: row.person_kind })
  const { expiresAt: endsAt, expiredBy } = endWithin(standing, ownEnd(row))
  const principal = principalIn(row, payload, { ...(await belongingOf(query, row.person_id)), endsAt })
  const exchanged = readExchanged(row.exchanged)
  const at = { personId: row.person_id, nowMs: parts.clock.now() }
  const ended = endOf(row, standing) ?? (await whyGroundGone(query, exchanged, at))
  const { aud, jkt } = payload as { aud?: unknown; jkt?: string }
  const resource = typeof aud === 'string' ? aud : ''
  return { principal, resource, ended, expiredBy, boundTo: jkt, grantId: row.grant_id ?? undefined, exchanged }
}

/** Whether the issuer that a token goes back to is configured still; of our own tokens there is none. */
function isFromKnown({ exchanged }: KnownToken, { settings }: Parts): boolean {
  const issuer = exchanged?.external?.issuer
  return issuer === undefined || settings.issuers.some((one) => one.issuer === issuer)
}

/** Why a token does not hold at this moment, whatever it is for; undefined when it does. */
export function refuseEnded(known: KnownToken, parts: Parts): Refusal | undefined {
  const { principal, ended, expiredBy } = known
  const detail = { person: principal.id, credential: principal.credential.id, client: principal.client?.id ?? null }
  if (ended) return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: ended } })
  if (!isFromKnown(known, parts)) return refuse(refusals.tokenInvalid, { detail: { ...detail, reason: 'issuer gone' } })
  if (parts.clock.now() < principal.credential.expiresAt) return undefined
  return refuse(refusals.tokenExpired, { detail: expiredBy === undefined ? detail : { ...detail, reason: expiredBy } })
}

function judge(known: KnownToken | Refusal, resource: string, parts: Parts): KnownToken | Refusal {
  if (isRefusal(known)) return known
  const refusal = refuseEnded(known, parts)
  if (refusal) return refusal
  if (isSameResource(known.resource, resource)) return known
  const { principal } = known
  const detail = { person: principal.id, credential: principal.credential.id, client: principal.client?.id ?? null }
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
    async (idHash) => (await loadToken(parts, idHash)) ?? unknown(),
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
    return checkHolder(judge(await remembered.get(idHash), presented.resource, parts), presented, more)
  }

  return function authenticateOauthToken(presented: Presented): Principal | Refusal | Promise<Principal | Refusal> {
    const idHash = readToken('oauth-access', presented.token)
    if (idHash === undefined) return unknown()
    const known = remembered.peek(idHash)
    return known === undefined
      ? read(idHash, presented)
      : checkHolder(judge(known, presented.resource, parts), presented, more)
  }
}

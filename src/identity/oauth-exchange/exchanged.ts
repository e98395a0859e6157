/**
 * Does a token that was exchanged still rest on what it was made from? On the grants before it, its issuer's word, its actors.
 * Stops: an exchanged token that outlives the grant, the claims or the service account that it came from.
 * Trusts: the database at its present revision. Fails: closed: what cannot be found has ended.
 * @see RFC 8693; docs/decisions/0039-token-exchange.md
 */
import type { Acting } from '#kernel'
import { keysWithdrawn } from '../external/withdrawn-keys.ts'
import type { Query } from '../parts.ts'
import { readStanding } from '../service-accounts/standing.ts'

/** What is kept with the grant of an exchanged token. */
export interface Exchanged {
  /** The credential that was exchanged, and the client that it had been given to. */
  readonly subject: { readonly kind: string; readonly credential: string; readonly client: string }
  /** The grants that it rests on, the nearest first. */
  readonly grants: readonly string[]
  /** Who acts, the one who holds the token first. */
  readonly actors: readonly Acting[]
  /** Of a token of another issuer at the beginning. */
  readonly external?: ExternalGround
}

/** What an external issuer had told when its token was exchanged. */
export interface ExternalGround {
  readonly issuer: string
  readonly client: string
  readonly claimsHash: string
  /** Roles that rest on the token. */
  readonly roles: readonly string[]
  /** Keys of the issuer that were withdrawn before. */
  readonly withdrawn: readonly string[]
}

/** What was kept. @param json of `oauth_grants.exchanged` */
export function readExchanged(json: string | null): Exchanged | undefined {
  return json === null ? undefined : (JSON.parse(json) as Exchanged)
}

async function haveGrantsEnded(query: Query, ids: readonly string[]): Promise<boolean> {
  if (ids.length === 0) return false
  const rows = await query
    .selectFrom('oauth_grants')
    .leftJoin('oauth_clients', 'oauth_clients.id', 'oauth_grants.client_id')
    .select(['oauth_grants.id', 'ended_at', 'blocked_at'])
    .where('oauth_grants.id', 'in', [...ids])
    .execute()
  return rows.length < ids.length || rows.some((row) => row.ended_at !== null || (row.blocked_at ?? null) !== null)
}

async function haveClaimsChanged(query: Query, personId: string, ground: ExternalGround): Promise<boolean> {
  const row = await query
    .selectFrom('external_subjects')
    .select('claims_hash')
    .where('person_id', '=', personId)
    .where('client_id', '=', ground.client)
    .executeTakeFirst()
  return row?.claims_hash !== ground.claimsHash
}

/** INVARIANT: whichever key of an issuer is withdrawn, nothing that its word was exchanged for holds any more. */
async function wasKeyWithdrawn(query: Query, { issuer, withdrawn }: ExternalGround): Promise<boolean> {
  return (await keysWithdrawn(query, issuer)).some((key) => !withdrawn.includes(key))
}

async function hasActorEnded(query: Query, { id, client }: Acting, nowMs: number): Promise<boolean> {
  if (id === client) return false
  const row = await query.selectFrom('people').select(['id', 'kind', 'status']).where('id', '=', id).executeTakeFirst()
  const standing = row && (await readStanding(query, row))
  return row?.status !== 'active' || standing === undefined || standing.ended !== undefined || nowMs >= standing.endsAt
}

/** Why a token is worth nothing that was exchanged on this ground; undefined while it holds. */
export async function whyGroundGone(
  query: Query,
  exchanged: Exchanged | undefined,
  { personId, nowMs }: { readonly personId: string; readonly nowMs: number },
): Promise<string | undefined> {
  if (exchanged === undefined) return undefined
  if (await haveGrantsEnded(query, exchanged.grants)) return 'exchanged from what has ended'
  const { external } = exchanged
  if (external && (await haveClaimsChanged(query, personId, external))) return 'exchanged from superseded claims'
  if (external && (await wasKeyWithdrawn(query, external))) return 'exchanged from a withdrawn key'
  for (const actor of exchanged.actors) if (await hasActorEnded(query, actor, nowMs)) return 'actor has ended'
  return undefined
}

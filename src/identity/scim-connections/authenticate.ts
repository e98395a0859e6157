/**
 * Which directory is calling? The connection whose token this is, or the one of the OAuth client that brings a token.
 * Stops: tokens of people, tokens for other resources, tokens without the scope; use after a rotation or the expiry.
 * Trusts: the database for what was kept, and what authenticates access tokens for those. Fails closed.
 * @see RFC 7644, section 2; RFC 6750
 */
import { type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { readToken } from '../credentials/opaque-token.ts'
import { scimScope } from '../oauth/resources.ts'
import type { Actor, Parts } from '../parts.ts'
import { scimRefusals } from '../scim/refusals.ts'

/** A directory that proved itself. */
interface Known {
  readonly name: string
  /** How the ledger knows it. */
  readonly actor: Actor
}

/** A directory that proved itself, with where its request came from. */
export interface Connection extends Known {
  readonly address: string
  readonly exchangeId: string
}

/** The actor of what a directory changes; no person has such a name or id. */
export function actorOf(connection: string): Actor {
  return { id: `scim:${connection}`, name: `scim:${connection}` }
}

export type AuthenticateToken = (token: string, resource: string) => Principal | Refusal | Promise<Principal | Refusal>

/** Who made a change, and from where, for its entry. */
export function from({ actor, address, exchangeId }: Connection) {
  return { principal: actor, address, exchange: exchangeId }
}

/** What a token has to be for. */
export function scimResource({ places }: Pick<Parts, 'places'>): string {
  return `${places.gatewayUrl}/scim/v2`
}

function invalid(reason: string): Refusal {
  return refuse(scimRefusals.directoryUnknown, { detail: { reason } })
}

async function byOwnToken({ database, clock }: Parts, tokenHash: string): Promise<Known | Refusal> {
  const found = await database.query
    .selectFrom('scim_connections')
    .select(['name', 'expires_at'])
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst()
  if (found === undefined) return invalid('unknown')
  if (found.expires_at === null || clock.now() >= found.expires_at) {
    return refuse(scimRefusals.directoryUnknown, { detail: { reason: 'expired', connection: found.name } })
  }
  return { name: found.name, actor: actorOf(found.name) }
}

async function byClient(parts: Parts, token: string, authenticate: AuthenticateToken): Promise<Known | Refusal> {
  const principal = await authenticate(token, scimResource(parts))
  if (isRefusal(principal)) return refuse(scimRefusals.directoryUnknown, { detail: { ...principal.detail } })
  const { client } = principal
  const detail = { person: principal.id, client: client?.id ?? null }
  if (client?.scopes.includes(scimScope) !== true) return refuse(scimRefusals.scopeMissing, { detail })
  // INVARIANT: a client acts for itself here; what a person let a client do gives it no directory.
  const { factors } = principal
  const isOwn = factors.length > 0 && factors.every((factor) => factor === 'client-secret' || factor === 'client-key')
  if (!isOwn) return refuse(scimRefusals.scopeMissing, { detail: { ...detail, reason: 'acts for a person' } })
  const found = await parts.database.query
    .selectFrom('scim_connections')
    .select('name')
    .where('client_id', '=', client.id)
    .executeTakeFirst()
  if (found === undefined) return refuse(scimRefusals.scopeMissing, { detail: { ...detail, reason: 'no connection' } })
  return { name: found.name, actor: actorOf(found.name) }
}

/** Finds the connection of a request by its `Authorization` header. Refusals are the caller's to record. */
export function createAuthenticator(parts: Parts, authenticate: AuthenticateToken) {
  return async (header: string | undefined): Promise<Known | Refusal> => {
    const [, token] = /^Bearer +([A-Za-z0-9._~+/-]{1,4096}=*)$/i.exec(header ?? '') ?? []
    if (token === undefined) return invalid('none')
    const tokenHash = readToken('scim', token)
    if (tokenHash !== undefined) return byOwnToken(parts, tokenHash)
    // INVARIANT: tokens of people and of other issuers are not looked at: they make nobody known here.
    return readToken('oauth-access', token) === undefined ? invalid('unknown') : byClient(parts, token, authenticate)
  }
}

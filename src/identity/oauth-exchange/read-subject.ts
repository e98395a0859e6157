/**
 * For whom does a client ask, and who says that it acts? One of our own tokens, or the signed token of a configured issuer.
 * Stops: tokens that ended, are for elsewhere, or for administration; actors that the client is not; chains without end.
 * Trusts: what judges the same tokens where they are used. Fails: closed, with a reason for the ledger.
 * @see RFC 8693, sections 1.1, 2.1 and 4
 */
import { type Acting, isRefusal, type Principal, type Refusal } from '#kernel'
import { readToken } from '../credentials/opaque-token.ts'
import type { ExternalTokens } from '../external/authenticate-external.ts'
import { readJwt } from '../external/read-jwt.ts'
import { keysWithdrawn } from '../external/withdrawn-keys.ts'
import type { IssuerSettings } from '../external/settings.ts'
import { type KnownToken, loadToken, refuseEnded } from '../oauth/authenticate-oauth-token.ts'
import type { OauthParts } from '../oauth/parts.ts'
import { grantableResource, mcpScope } from '../oauth/resources.ts'
import type { Exchanged, ExternalGround } from './exchanged.ts'
import { tokenTypes } from './grant-type.ts'

/** One who acts for another who acts for another: further nobody can say who answers for it. */
const mostActors = 3

export type ExchangeParts = OauthParts & {
  readonly settings: { readonly issuers: readonly IssuerSettings[] }
  readonly external: Pick<ExternalTokens, 'authenticate'>
}

/** Whose token is exchanged. */
export interface Subject {
  readonly principal: Principal
  /** What the new token rests on; its actors are those before. */
  readonly ground: Exchanged
  /** Thumbprint of the key that it is bound to. */
  readonly boundTo: string | undefined
  /** Who may act, where the token says so. */
  readonly mayAct: unknown
}

/** A token as a client sent it. */
export interface SentToken {
  readonly token: string
  readonly type: string
}

/** Why a token was refused where it would be used. */
function reasonOf({ detail }: Refusal): string {
  const { reason } = detail ?? {}
  return typeof reason === 'string' ? reason : 'expired'
}

async function readOwn(parts: ExchangeParts, token: string): Promise<KnownToken | string> {
  const idHash = readToken('oauth-access', token)
  const known = idHash === undefined ? undefined : await loadToken(parts, idHash)
  if (known === undefined) return 'unknown'
  const refusal = refuseEnded(known, parts)
  return refusal === undefined ? known : reasonOf(refusal)
}

async function readOwnSubject(parts: ExchangeParts, token: string): Promise<Subject | string> {
  const known = await readOwn(parts, token)
  if (typeof known === 'string') return known
  const { principal, resource, grantId, exchanged, boundTo } = known
  if (grantId === undefined) return 'of a client that can ask for itself'
  if (grantableResource(parts.places.gatewayUrl, resource) === undefined) return 'for no MCP server'
  const { external, grants = [], actors = [] } = exchanged ?? {}
  const subject = { kind: 'oauth-token', credential: principal.credential.id, client: principal.client?.id ?? '' }
  const ground = { subject, grants: [grantId, ...grants], actors, ...(external === undefined ? {} : { external }) }
  return { principal, boundTo, mayAct: undefined, ground }
}

/** The resource that an issuer's token names, before anything of it is believed. */
function resourceNamed(parts: ExchangeParts, payload: Readonly<Record<string, unknown>>): string | undefined {
  const { aud, iss } = payload
  const audience: unknown = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
  if (typeof audience !== 'string') return undefined
  const { audiences = {} } = parts.settings.issuers.find(({ issuer }) => issuer === iss) ?? {}
  const path = Object.hasOwn(audiences, audience) ? audiences[audience] : undefined
  const { gatewayUrl } = parts.places
  return grantableResource(gatewayUrl, path === undefined ? audience : gatewayUrl + path)
}

/** What an issuer tells of a person, and which of its keys were withdrawn. */
async function readGround(
  { database }: ExchangeParts,
  told: {
    readonly issuer: string
    readonly personId: string
    readonly client: string
    readonly roles: readonly string[]
  },
): Promise<ExternalGround | undefined> {
  const { issuer, personId, client, roles } = told
  const withdrawn = await keysWithdrawn(database.query, issuer)
  const row = await database.query
    .selectFrom('external_subjects')
    .select('claims_hash')
    .where('person_id', '=', personId)
    .where('client_id', '=', client)
    .where('issuer', '=', issuer)
    .executeTakeFirst()
  return row && { issuer, client, claimsHash: row.claims_hash, roles, withdrawn }
}

async function readExternalSubject(parts: ExchangeParts, token: string): Promise<Subject | string> {
  const jwt = readJwt(token)
  if (typeof jwt === 'string') return jwt
  const resource = resourceNamed(parts, jwt.payload)
  if (resource === undefined) return 'for no MCP server'
  const principal = await parts.external.authenticate(token, resource)
  if (isRefusal(principal)) return reasonOf(principal)
  const { id, credential, mappedRoles: roles = [] } = principal
  const [client, issuer] = [principal.client?.id ?? '', String(jwt.payload['iss'])]
  const external = await readGround(parts, { issuer, personId: id, client, roles })
  if (external === undefined) return 'unknown'
  // INVARIANT: what was read is what the token says: nothing newer has come while it was read.
  const still = await parts.external.authenticate(token, resource)
  if (isRefusal(still)) return reasonOf(still)
  const ground = {
    subject: { kind: credential.kind, credential: credential.id, client },
    grants: [],
    actors: [],
    external,
  }
  return { principal, boundTo: undefined, mayAct: jwt.payload['may_act'], ground }
}

/** The person whose token is exchanged, or why it cannot be. */
export async function readSubject(parts: ExchangeParts, { token, type }: SentToken): Promise<Subject | string> {
  const isSigned = token.includes('.')
  if (type !== tokenTypes.access && !(type === tokenTypes.jwt && isSigned)) return 'of an unknown type'
  const subject = await (isSigned ? readExternalSubject(parts, token) : readOwnSubject(parts, token))
  if (typeof subject === 'string') return subject
  if (subject.principal.client?.scopes.includes(mcpScope) !== true) return 'without the scope of MCP'
  return subject.ground.actors.length >= mostActors ? 'exchanged too often' : subject
}

/** Who acts, and until when they may. */
export interface Actor {
  readonly acting: Acting
  readonly endsAt: number
}

/**
 * Who acts: the client, or the service account whose token of this very client is shown.
 * INVARIANT: nobody is named as an actor by somebody else.
 */
export async function readActor(
  parts: ExchangeParts,
  client: { readonly id: string; readonly name: string },
  sent: SentToken | undefined,
): Promise<Actor | string> {
  if (sent === undefined) return { acting: { ...client, client: client.id }, endsAt: Number.POSITIVE_INFINITY }
  if (sent.type !== tokenTypes.access) return 'of an unknown type'
  const known = await readOwn(parts, sent.token)
  if (typeof known === 'string') return known
  const { principal, grantId, boundTo } = known
  if (grantId !== undefined || principal.client?.id !== client.id) return 'of somebody else'
  if (boundTo !== undefined) return 'bound to a key'
  const { id, name } = principal
  return { acting: { id, name, client: client.id }, endsAt: principal.credential.expiresAt }
}

/** Whether a token that says who may act says it of this actor. */
export function mayAct(said: unknown, { id, client }: Acting): boolean {
  if (said === undefined) return true
  if (typeof said !== 'object' || said === null) return false
  const { sub, client_id: named = client } = said as { readonly sub?: unknown; readonly client_id?: unknown }
  return (sub === id || sub === client) && named === client
}

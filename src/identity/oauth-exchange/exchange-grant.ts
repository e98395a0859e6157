/**
 * Gives a client a token of a person for another server, in exchange for one that it holds: never for more, never for longer.
 * Stops: clients that no administrator let exchange; wider scopes, other resources, longer lives; delegation without a name.
 * Trusts: the judges of tokens; the client's registration. Fails closed: `invalid_request`, `invalid_target`, `invalid_scope`;
 * the reason is in the ledger.
 * @see RFC 8693; docs/decisions/0039-token-exchange.md
 */
import { type Acting, type Refusal, refuse } from '#kernel'
import { type Client, errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider'
import { oauthPaths } from '../oauth/configuration.ts'
import { grantRow } from '../oauth/grants.ts'
import { presentWrites } from '../oauth/held-writes.ts'
import { grantableResource, mcpScope } from '../oauth/resources.ts'
import type { Replays } from '../oauth/replays.ts'
import { useProof } from '../oauth/verify-proof.ts'
import type { Query } from '../parts.ts'
import { refusals } from '../refusals.ts'
import { type Exchanged, whyGroundGone } from './exchanged.ts'
import { tokenExchange, tokenTypes } from './grant-type.ts'
import { type ExchangeParts, mayAct, readActor, readSubject, type SentToken, type Subject } from './read-subject.ts'

const minuteSeconds = 60

/** What comes with the grant. */
interface Sent {
  readonly subject_token?: string
  readonly subject_token_type?: string
  readonly actor_token?: string
  readonly actor_token_type?: string
  readonly requested_token_type?: string
  readonly audience?: string
}

type Context = TokenEndpointGrantContext<Sent>

export interface ExchangeNeeds {
  readonly parts: ExchangeParts
  readonly provider: Provider
  readonly replays: Replays
  /** The resources that a client may exchange tokens for. */
  readonly allowed: (clientId: string) => Promise<readonly string[]>
}

function invalid(reason: string): never {
  throw new errors.InvalidRequest('request is invalid', undefined, reason)
}

function sentToken(token: string | undefined, type: string | undefined, name: string): SentToken | undefined {
  if ((token === undefined) !== (type === undefined)) invalid(`${name} without its type, or the type without it`)
  return token === undefined || type === undefined ? undefined : { token, type }
}

/** The one place that a token is asked for. */
async function targetOf({ parts, allowed }: ExchangeNeeds, { oidc }: Context): Promise<string> {
  const { resource, audience } = oidc.params
  const named = [resource, audience].filter((one) => one !== undefined)
  const asked = named.length === 1 && typeof named[0] === 'string' ? named[0] : ''
  const target = grantableResource(parts.places.gatewayUrl, asked)
  const { clientId } = oidc.client
  if (target === undefined) throw new errors.InvalidTarget(undefined, 'not one MCP server of this gateway')
  const isAllowed = (await allowed(clientId)).includes(target)
  if (!isAllowed) throw new errors.InvalidTarget(undefined, 'not one that this client may exchange tokens for')
  return target
}

function checkScope({ scope }: { readonly scope?: string | undefined }): void {
  const more = (scope ?? mcpScope).split(' ').filter((one) => one !== mcpScope)
  if (more.length > 0) throw new errors.InvalidScope('more than the subject token has', more.join(' '))
}

/** The key that the new token is bound to: that of the subject's token, or the one that the client shows. */
async function keyOf(
  { parts, replays }: ExchangeNeeds,
  ctx: Context,
  { boundTo }: Subject,
): Promise<string | undefined> {
  const proof = ctx.get('DPoP')
  if (proof === '') return boundTo === undefined ? undefined : invalid('subject bound to a key that was not shown')
  const request = { method: 'POST', address: parts.places.gatewayUrl + oauthPaths.token }
  const shown = await useProof(proof, request, { clock: parts.clock, replays })
  if (shown === undefined) throw new errors.InvalidDpopProof('invalid DPoP key binding')
  return boundTo === undefined || boundTo === shown ? shown : invalid('subject bound to another key')
}

/** SPEC: RFC 8693, section 4.1: the actor of the moment outside, those before inside of it. */
function actClaim([first, ...before]: readonly Acting[]): Record<string, unknown> | undefined {
  if (first === undefined) return undefined
  const inner = actClaim(before)
  return { sub: first.id, client_id: first.client, ...(inner === undefined ? {} : { act: inner }) }
}

/** What is about to be given. */
interface Exchange {
  readonly subject: Subject
  readonly exchanged: Exchanged
  readonly client: Client
  readonly resource: string
  readonly lifeSeconds: number
  readonly boundTo: string | undefined
}

/** Writes down what the token rests on, with the token. @returns the grant's id */
async function hold({ parts, provider }: ExchangeNeeds, given: Exchange): Promise<string> {
  const { subject, exchanged, client, resource, lifeSeconds } = given
  const { principal } = subject
  const named = { id: client.clientId, name: client.clientName ?? client.clientId }
  const made = {
    person: principal,
    factors: principal.factors,
    factorsAt: principal.factorsAt,
    client: named,
    resource,
    scopes: [mcpScope],
    lifeSeconds,
  }
  const row = { ...grantRow(parts, { ...made, by: 'token-exchange' }), exchanged: JSON.stringify(exchanged) }
  const writes = presentWrites()
  if (writes === undefined) throw new TypeError('an exchange outside of a token request')
  writes.also.push(async (transaction: Query): Promise<Refusal | undefined> => {
    const at = { personId: principal.id, nowMs: parts.clock.now() }
    const gone = await whyGroundGone(transaction, exchanged, at)
    if (gone !== undefined) return refuse(refusals.tokenInvalid, { detail: { reason: gone } })
    await transaction.insertInto('oauth_grants').values(row).execute()
    return undefined
  })
  const life = { expiresIn: lifeSeconds }
  const grant = new provider.Grant({ accountId: principal.id, clientId: named.id, ...life })
  grant.addResourceScope(resource, mcpScope)
  Object.assign(grant, { jti: row.id })
  await grant.save()
  return row.id
}

async function give(needs: ExchangeNeeds, ctx: Context, given: Exchange): Promise<void> {
  const { provider } = needs
  const { subject, exchanged, client, resource, lifeSeconds, boundTo } = given
  const server = {
    scope: mcpScope,
    audience: resource,
    accessTokenTTL: lifeSeconds,
    accessTokenFormat: 'opaque',
  } as const
  const token = new provider.AccessToken({
    accountId: subject.principal.id,
    client,
    grantId: await hold(needs, given),
    gty: tokenExchange,
    scope: mcpScope,
    resourceServer: new provider.ResourceServer(resource, server),
  })
  if (boundTo !== undefined) token.setThumbprint('jkt', boundTo)
  ctx.state['oauthExtra'] = { act: actClaim(exchanged.actors) }
  ctx.state['oauthDetails'] = { person: subject.principal.id, subject: exchanged.subject, actors: exchanged.actors }
  ctx.oidc.entity('AccessToken', token)
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: tokenTypes.access,
    token_type: token.tokenType,
    expires_in: lifeSeconds,
    scope: mcpScope,
  }
}

/** How long what was exchanged may live: at most as long as what it was made from. */
function lifeOf({ settings, clock }: ExchangeParts, ends: readonly number[]): number {
  const left = Math.floor((Math.min(...ends) - clock.now()) / 1_000)
  const seconds = Math.min(left, settings.oauth.accessTokenMinutes * minuteSeconds)
  return seconds >= 1 ? seconds : invalid('subject or actor expires now')
}

async function exchange(needs: ExchangeNeeds, ctx: Context): Promise<void> {
  const { parts } = needs
  const { client, params } = ctx.oidc
  if (client.clientAuthMethod === 'none') throw new errors.InvalidClient('authenticate')
  const sent = sentToken(params.subject_token, params.subject_token_type, 'subject_token')
  const sentActor = sentToken(params.actor_token, params.actor_token_type, 'actor_token')
  if (sent === undefined) return invalid('no subject_token')
  if ((params.requested_token_type ?? tokenTypes.access) !== tokenTypes.access) invalid('only access tokens are given')
  const resource = await targetOf(needs, ctx)
  checkScope(params)
  const subject = await readSubject(parts, sent)
  if (typeof subject === 'string') return invalid(`subject ${subject}`)
  const named = { id: client.clientId, name: client.clientName ?? client.clientId }
  const actor = await readActor(parts, named, sentActor)
  if (typeof actor === 'string') return invalid(`actor ${actor}`)
  if (!mayAct(subject.mayAct, actor.acting)) return invalid('subject lets another act')
  const boundTo = await keyOf(needs, ctx, subject)
  const lifeSeconds = lifeOf(parts, [subject.principal.credential.expiresAt, actor.endsAt])
  const exchanged = { ...subject.ground, actors: [actor.acting, ...subject.ground.actors] }
  return give(needs, ctx, { subject, exchanged, client, resource, lifeSeconds, boundTo })
}

const parameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
]

/** Teaches a provider the grant. */
export function registerTokenExchange(needs: ExchangeNeeds): void {
  needs.provider.registerGrantType<Sent>(tokenExchange, (ctx) => exchange(needs, ctx), parameters)
}

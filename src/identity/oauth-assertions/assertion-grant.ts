/**
 * Gives a client a token because an identity provider vouches for its person: once for each assertion, to the client that
 * it names, for what it names.
 * Stops: replay, also at two nodes at once; clients that did not authenticate; people who never signed in by that provider.
 * Trusts: the assertion's judge; the links that sign-in made between people and providers.
 * Fails: closed with `invalid_grant`; the reason is in the ledger.
 * @see RFC 7523; SEP-990
 */
import { type KoaContextWithOIDC, type Provider, errors } from 'oidc-provider'
import { grantTo } from '../oauth/create-interactions.ts'
import type { OauthParts } from '../oauth/parts.ts'
import { mcpScope } from '../oauth/resources.ts'
import type { Replays } from '../oauth/replays.ts'
import { type Assertion, createAssertions } from './read-assertion.ts'

/** The grant type of RFC 7523. */
export const assertionGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const minuteSeconds = 60

function refused(reason: string): never {
  throw new errors.InvalidGrant(`assertion ${reason}`)
}

/** The person whom a provider's subject is known to be, if they may act. */
async function personOf({ database }: OauthParts, { issuer, subject }: Assertion) {
  return database.query
    .selectFrom('provider_identities')
    .innerJoin('people', 'people.id', 'provider_identities.person_id')
    .select(['people.id', 'people.name'])
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .where('status', '=', 'active')
    .where('kind', '=', 'person')
    .executeTakeFirst()
}

function checkAsked(ctx: KoaContextWithOIDC, { clientId, resource, scopes }: Assertion): void {
  const { client, params } = ctx.oidc
  const asked = (params ?? {}) as { resource?: unknown; scope?: unknown }
  if (client?.clientId !== clientId) refused('for another client')
  if (asked.resource !== undefined && asked.resource !== resource) throw new errors.InvalidTarget()
  const wanted = typeof asked.scope === 'string' ? asked.scope.split(' ') : scopes
  if (wanted.some((scope) => !scopes.includes(scope)))
    throw new errors.InvalidScope('not in the assertion', wanted.join(' '))
}

/** Teaches a provider the grant. */
export function registerAssertionGrant(provider: Provider, parts: OauthParts, replays: Replays): void {
  const assertions = createAssertions(parts)

  async function answer(ctx: KoaContextWithOIDC): Promise<void> {
    const { client, params } = ctx.oidc
    // SPEC: SEP-990: client authentication is enforced.
    if (client === undefined || client.tokenEndpointAuthMethod === 'none')
      throw new errors.InvalidClient('authenticate')
    const { assertion: text } = (params ?? {}) as { assertion?: unknown }
    const assertion = await assertions.read(typeof text === 'string' ? text : '')
    if (typeof assertion === 'string') return refused(assertion)
    checkAsked(ctx, assertion)
    const person = await personOf(parts, assertion)
    if (!person) return refused('nobody here is this person')
    const isFirst = await replays.useOnce(`id-jag/${assertion.issuer}`, assertion.id, assertion.endsAt)
    if (!isFirst) return refused('used before')
    const { resource, scopes, clientId: id } = assertion
    const lifeSeconds = parts.settings.oauth.accessTokenMinutes * minuteSeconds
    const named = { id, name: client.clientName ?? id }
    const made = { person, factors: ['identity-provider'] as const, client: named, resource, scopes, lifeSeconds }
    const grant = await grantTo(provider, parts, { ...made, by: 'identity-assertion' })
    const format = { accessTokenTTL: lifeSeconds, accessTokenFormat: 'opaque' } as const
    const server = { scope: mcpScope, audience: resource, ...format }
    const token = new provider.AccessToken({
      accountId: person.id,
      client,
      grantId: grant.id,
      gty: assertionGrant,
      resourceServer: new provider.ResourceServer(resource, server),
      scope: scopes.join(' '),
    })
    ctx.oidc.entity('AccessToken', token)
    const value = await token.save()
    ctx.body = { access_token: value, expires_in: lifeSeconds, token_type: 'Bearer', scope: scopes.join(' ') }
  }

  provider.registerGrantType(assertionGrant, answer, ['assertion', 'scope', 'resource'])
}

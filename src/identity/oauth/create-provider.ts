/**
 * Makes the authorization server: oidc-provider with our stores, our token shapes and our record.
 * Stops: an answer whose token no record explains; a token that does not look like ours.
 * Trusts: oidc-provider for the protocol. Fails: without a receipt of the ledger nothing is answered but an error.
 * @see docs/decisions/0030-authorization-server.md
 */
import { EventEmitter } from 'node:events'
import { Provider, type KoaContextWithOIDC } from 'oidc-provider'
import { registerAssertionGrant } from '../oauth-assertions/assertion-grant.ts'
import { registerTokenExchange } from '../oauth-exchange/exchange-grant.ts'
import { keepPace } from '../oauth-devices/pace.ts'
import { createToken } from '../credentials/opaque-token.ts'
import type { OauthParts } from './parts.ts'
import { giveTokens } from './give-tokens.ts'
import { holdWrites } from './held-writes.ts'
import type { Replays } from './replays.ts'
import { type ConfigurationParts, configurationOf } from './configuration.ts'
import { problemOf, sendOauthProblem } from './problem.ts'
import { recordAnswer } from './record-answer.ts'

const secondMs = 1_000
const idJagProfile = 'urn:ietf:params:oauth:grant-profile:id-jag'

/** Our own shapes of what clients hold, so that scanners and the gateway know them. */
function shapeTokens(provider: Provider): void {
  const { AccessToken, ClientCredentials, RefreshToken } = provider
  for (const { prototype } of [AccessToken, ClientCredentials]) {
    // WHY: the provider's own maker of ids is also where it decides between opaque tokens and JWTs.
    const opaque = function (this: { format?: string }): string {
      this.format = 'opaque'
      return createToken('oauth-access')
    }
    Object.assign(prototype, { generateTokenId: opaque })
  }
  Object.assign(RefreshToken.prototype, { generateTokenId: () => createToken('oauth-refresh') })
}

/** INVARIANT: a proof counts once on all nodes: the first to write it down wins. */
function countProofs(provider: Provider, replays: Replays): void {
  Object.assign(provider.ReplayDetection, {
    unique: (issuer: string, id: string, expiresAt: number) =>
      replays.useOnce(`proof/${issuer}`, id, expiresAt * secondMs),
  })
}

const failures = [
  'authorization.error',
  'grant.error',
  'revocation.error',
  'introspection.error',
  'registration_create.error',
  'device_authorization.error',
  'pushed_authorization_request.error',
] as const

/** Reasons that clients are not told, for the record. */
function keepReasons(provider: Provider): void {
  const keep = (ctx: KoaContextWithOIDC, error: { readonly error_detail?: string | undefined }): void => {
    ctx.state['oauthReason'] = error.error_detail
  }
  // WHY: the provider's types tell of each event by itself; what is read is the same in all of them.
  for (const failure of failures) EventEmitter.prototype.on.call(provider, failure, keep)
}

function describe(
  ctx: KoaContextWithOIDC,
  { metadataDocuments, assertionIssuers }: OauthParts['settings']['oauth'],
): void {
  const body: unknown = ctx.body
  if (typeof body !== 'object' || body === null) return
  Object.assign(body, {
    scopes_supported: ['mcp', 'openid', 'offline_access'],
    response_modes_supported: ['query', 'form_post'],
    ...(metadataDocuments ? { client_id_metadata_document_supported: true } : {}),
    ...(assertionIssuers.length > 0 ? { authorization_grant_profiles_supported: [idJagProfile] } : {}),
  })
}

/** @throws TypeError when the configuration cannot be one */
export function createProvider(given: ConfigurationParts & { readonly replays: Replays }): Provider {
  const { parts, replays } = given
  const provider = new Provider(parts.places.gatewayUrl, configurationOf(given))
  // WHY: the address is taken from headers that the mount wrote itself, on top of whatever came in.
  provider.proxy = true
  provider.silent = true
  keepReasons(provider)
  shapeTokens(provider)
  countProofs(provider, replays)
  registerTokenExchange({ parts, provider, replays, allowed: given.mayExchangeFor })
  if (parts.settings.oauth.assertionIssuers.length > 0) registerAssertionGrant(provider, parts, replays)
  provider.use(async (ctx, next) => {
    const answered = ctx as KoaContextWithOIDC
    // INVARIANT: by the route and not by the path, of which the protocol's routing takes several spellings.
    const isToken = (): boolean => answered.oidc?.route === 'token'
    const writes = await holdWrites(next, isToken)
    if (isToken()) await keepPace(parts, answered)
    if (answered.oidc?.route === 'discovery') describe(answered, parts.settings.oauth)
    await (isToken() ? giveTokens(parts, answered, writes) : recordAnswer(parts, answered))
    const problem = problemOf(ctx)
    if (problem === undefined) return
    ctx.respond = false
    sendOauthProblem(ctx.res, ctx.status, problem)
  })
  return provider
}

/**
 * How does the authorization server behave? Codes only, S256 only, opaque tokens, one resource each, consent every time.
 * Stops: what OAuth 2.1 took out, and each extension that nobody asked for.
 * Trusts: oidc-provider to do as its configuration says. Fails: closed: what is not switched on here is off.
 * @see OAuth 2.1 draft, RFC 8707, RFC 9207, RFC 9700; docs/decisions/0030-authorization-server.md
 */
import {
  type AccessToken,
  type Adapter,
  type ClientCredentials,
  type Configuration,
  type KoaContextWithOIDC,
  type RefreshToken,
  errors,
} from 'oidc-provider'
import { applyClientRules } from '../oauth-clients/client-rules.ts'
import type { ExchangeParts } from '../oauth-exchange/read-subject.ts'
import { noteProblem } from './problem.ts'
import type { RegisteredBy } from './interactions.ts'
import { mayHave, mcpScope, resourceOf, terminalClient } from './resources.ts'
import { terminalSeconds } from '../terminals/life.ts'
import { presentVisit } from './visiting.ts'
import type { ServerKeys } from './signing-keys.ts'

const minuteSeconds = 60
const daySeconds = 86_400
const codeSeconds = 60
const interactionSeconds = 900
const deviceSeconds = 600
const idTokenSeconds = 300
const documentBytes = 5 * 1024
const keySetBytes = 64 * 1024
const documentSeconds = { min: 30, max: 3_600 }

/** Where each thing is answered, below the issuer. */
export const oauthPaths = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  registration: '/oauth/register',
  device_authorization: '/oauth/device',
  code_verification: '/device',
  pushed_authorization_request: '/oauth/par',
  jwks: '/oauth/jwks',
  end_session: '/oauth/end-session',
  userinfo: '/oauth/userinfo',
} as const

export interface ConfigurationParts {
  readonly parts: ExchangeParts
  readonly keys: ServerKeys
  readonly adapter: (kind: string) => Adapter
  readonly fetch: (url: string | URL, options?: RequestInit) => Promise<Response>
  /** Whether the person may still act. */
  readonly isActive: (personId: string) => Promise<boolean>
  /** The resources that an admin let the client exchange tokens for. */
  readonly mayExchangeFor: (clientId: string) => Promise<readonly string[]>
  /** Whether an admin blocked the client. */
  readonly isBlocked: (clientId: string) => Promise<boolean>
  /** How the client became known; undefined when it is not. */
  readonly registeredBy: (clientId: string) => Promise<RegisteredBy | undefined>
}

function resourceIndicators({ parts, registeredBy }: ConfigurationParts) {
  return {
    enabled: true,
    async defaultResource(_ctx: KoaContextWithOIDC, _client: unknown, oneOf?: readonly string[]) {
      const [only, ...others] = oneOf ?? []
      if (only !== undefined && others.length === 0) return only
      throw new errors.InvalidTarget('name exactly one resource: the full URL of an MCP endpoint')
    },
    useGrantedResource: async () => true,
    async getResourceServerInfo(ctx: KoaContextWithOIDC, asked: string, { clientId }: { readonly clientId: string }) {
      const resource = resourceOf(parts.places, asked)
      const { route, params } = ctx.oidc
      const isForItself = route === 'token' && params?.['grant_type'] === 'client_credentials'
      const asker = { clientId, registeredBy: await registeredBy(clientId), isForItself }
      // WHY: whoever may not have a resource is told what everybody is told of one that is not there.
      if (resource === undefined || !mayHave(resource.scope, asker))
        throw new errors.InvalidTarget('this resource is not served here')
      return {
        ...resource,
        accessTokenFormat: 'opaque' as const,
        accessTokenTTL: parts.settings.oauth.accessTokenMinutes * minuteSeconds,
      }
    },
  }
}

function features(given: ConfigurationParts): NonNullable<Configuration['features']> {
  const { oauth } = given.parts.settings
  return {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    claimsParameter: { enabled: false },
    requestObjects: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: {
      enabled: true,
      charset: 'base-20',
      mask: '****-****',
      deviceInfo: (ctx) => ({ address: presentVisit()?.address ?? '', agent: ctx.get('user-agent') }),
    },
    dPoP: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
    revocation: {
      enabled: true,
      allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
    },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: false },
    registration:
      oauth.registration === 'closed' ? { enabled: false } : { enabled: true, issueRegistrationAccessToken: false },
    clientIdMetadataDocument: {
      enabled: oauth.metadataDocuments,
      ack: 'draft-02',
      allowFetch: async () => true,
      allowClient: async (_ctx, client) => !(await given.isBlocked(client.clientId)),
      cacheDuration: documentSeconds,
    },
    resourceIndicators: resourceIndicators(given),
  }
}

function lifetimes({ parts }: ConfigurationParts): Configuration['ttl'] {
  const { oauth } = parts.settings
  const untilGrantEnds = (ctx: KoaContextWithOIDC): number => {
    const { exp } = ctx.oidc.entities.Grant ?? {}
    const left = exp === undefined ? 0 : exp - Math.floor(parts.clock.now() / 1_000)
    return Math.max(1, left)
  }
  const access = (ctx: KoaContextWithOIDC, token: AccessToken | ClientCredentials): number => {
    const seconds = token.resourceServer?.accessTokenTTL ?? oauth.accessTokenMinutes * minuteSeconds
    if (token.clientId !== terminalClient) return seconds
    return Math.min(seconds, terminalSeconds(parts.settings).access, untilGrantEnds(ctx))
  }
  const refresh = (ctx: KoaContextWithOIDC, { clientId }: RefreshToken): number => {
    const left = untilGrantEnds(ctx)
    return clientId === terminalClient ? Math.min(left, terminalSeconds(parts.settings).refresh) : left
  }
  return {
    AccessToken: access,
    ClientCredentials: access,
    AuthorizationCode: codeSeconds,
    DeviceCode: deviceSeconds,
    Grant: oauth.grantDays * daySeconds,
    IdToken: idTokenSeconds,
    Interaction: interactionSeconds,
    RefreshToken: refresh,
    Session: interactionSeconds,
  }
}

/** SPEC: RFC 6749, section 3.3: a client may name no scope. It asks for what every MCP server here takes. */
async function nameScope({ oidc: { params } }: KoaContextWithOIDC): Promise<void> {
  if (params !== undefined) params['scope'] ||= mcpScope
}

/** What oidc-provider is made with. */
export function configurationOf(given: ConfigurationParts): Configuration {
  const { keys, adapter } = given
  return {
    adapter,
    jwks: { keys: [keys.signing] } as Configuration['jwks'],
    cookies: {
      keys: [...keys.cookies],
      names: { session: 'castellan-oauth', interaction: 'castellan-consent', resume: 'castellan-resume' },
      long: { signed: true, httpOnly: true, sameSite: 'lax', path: '/oauth' },
      short: { signed: true, httpOnly: true, sameSite: 'lax' },
    },
    clientDefaults: {
      id_token_signed_response_alg: 'ES256',
      grant_types: ['authorization_code', 'refresh_token'],
    },
    extraClientMetadata: {
      // WHY: a member that no client has is how the provider lets metadata be judged as a whole.
      properties: ['castellan_rules'],
      validator: (ctx, _name, _value, metadata) => applyClientRules(ctx, metadata as Record<string, unknown>),
    },
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'PS256', 'RS256', 'EdDSA', 'Ed25519'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA', 'Ed25519'],
      idTokenSigningAlgValues: ['ES256'],
    },
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access', mcpScope],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    features: features(given),
    ttl: lifetimes(given),
    routes: { ...oauthPaths },
    interactions: { url: (_ctx, interaction) => `/consent/${interaction.uid}` },
    // WHY: consent is given anew each time; what was said yes to once is no yes to the next request.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId)
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    extraParams: { scope: nameScope },
    expiresWithSession: async () => false,
    revokeGrantPolicy: () => true,
    // WHY: the gateway's doorway has refused every foreign Origin that is not configured.
    clientBasedCORS: () => true,
    // WHY: how a client proved itself is the factor of a token that it has for itself.
    extraTokenClaims: async (ctx, token) =>
      token.kind === 'ClientCredentials'
        ? { client_auth: ctx.oidc.client?.clientAuthMethod }
        : (ctx.state['oauthExtra'] as Record<string, unknown> | undefined),
    findAccount: async (_ctx, id) =>
      (await given.isActive(id)) ? { accountId: id, claims: async () => ({ sub: id }) } : undefined,
    renderError: noteProblem,
    fetch: given.fetch as Configuration['fetch'],
    fetchResponseBodyLimits: { 'client_id metadata document': documentBytes, jwks_uri: keySetBytes },
  } as Configuration
}

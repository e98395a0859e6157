/**
 * Does an identity provider vouch for this person, to this client, at this resource? An ID-JAG of a configured issuer.
 * Stops: forged, foreign and expired assertions, those for another server, client or resource, and a second use.
 * Trusts: the keys of issuers that the configuration names. Fails: closed, with a reason for the ledger.
 * @see draft-ietf-oauth-identity-assertion-authz-grant; RFC 7523, section 3; SEP-990
 */
import type { Clock } from '#kernel'
import { compactVerify } from 'jose'
import { createFindKeys } from '../external/find-keys.ts'
import { type IssuerKeys, createIssuerKeys } from '../external/issuer-keys.ts'
import { readJwt } from '../external/read-jwt.ts'
import type { OauthParts } from '../oauth/parts.ts'
import { grantableResource, mcpScope } from '../oauth/resources.ts'

const type = 'oauth-id-jag+jwt'
const algorithms = ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA']
const skewSeconds = 60
const longestLifeSeconds = 3_600
const longestClaim = 255
const keysFreshSeconds = 600
const keysStaleSeconds = 3_600

/** What a good assertion says. */
export interface Assertion {
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  readonly resource: string
  readonly scopes: readonly string[]
  readonly id: string
  /** In wall-clock milliseconds. */
  readonly endsAt: number
}

export interface Assertions {
  /** The assertion, or why it is none. It is not spent by this. */
  read(text: string): Promise<Assertion | string>
}

function shortText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longestClaim ? value : undefined
}

function onlyOne(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value
}

function timesProblem({ exp, iat, nbf }: Readonly<Record<string, unknown>>, clock: Clock): string | undefined {
  const now = clock.now() / 1_000
  if (typeof exp !== 'number' || typeof iat !== 'number') return 'no times'
  if (now >= exp + skewSeconds) return 'expired'
  if (iat > now + skewSeconds || (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + skewSeconds))) {
    return 'not yet valid'
  }
  return exp - iat > longestLifeSeconds ? 'lives too long' : undefined
}

function judge(claims: Readonly<Record<string, unknown>>, parts: OauthParts): Assertion | string {
  const publicUrl = parts.places.gatewayUrl
  const problem = timesProblem(claims, parts.clock)
  if (problem !== undefined) return problem
  if (onlyOne(claims['aud']) !== publicUrl) return 'for another server'
  const asked = onlyOne(claims['resource'])
  const resource = typeof asked === 'string' ? grantableResource(publicUrl, asked) : undefined
  const [subject, clientId, id] = [shortText(claims['sub']), shortText(claims['client_id']), shortText(claims['jti'])]
  if (resource === undefined) return 'for no resource of this server'
  if (subject === undefined || clientId === undefined || id === undefined) return 'incomplete'
  const { scope = mcpScope } = claims
  const named = typeof scope === 'string' ? scope.split(' ') : []
  const scopes = named.filter((one) => one === mcpScope)
  const endsAt = (Number(claims['exp']) + skewSeconds) * 1_000
  return { issuer: String(claims['iss']), subject, clientId, resource, scopes, id, endsAt }
}

/** Judges assertions of the issuers that are configured when it is made. */
export function createAssertions(parts: OauthParts): Assertions {
  const keysOf = new Map<string, IssuerKeys>(
    parts.settings.oauth.assertionIssuers.map((issuer) => {
      const fetchKeys = createFindKeys({ issuer, endpointHosts: [] })
      const rooms = { clock: parts.clock, fetchKeys, onWithdrawn: () => undefined }
      return [issuer, createIssuerKeys({ keysFreshSeconds, keysStaleSeconds }, rooms)]
    }),
  )
  return {
    async read(text) {
      const jwt = readJwt(text)
      if (typeof jwt === 'string') return jwt
      if (jwt.type !== type) return 'wrong type'
      if (!algorithms.includes(jwt.algorithm)) return 'algorithm not allowed'
      const keys = keysOf.get(String(jwt.payload['iss']))
      if (keys === undefined) return 'unknown issuer'
      const key = await keys.find(jwt)
      if (key === undefined || 'unreachable' in key) return 'unknown key'
      const isSigned = await compactVerify(text, key.key, { algorithms: [jwt.algorithm] }).then(
        () => true,
        () => false,
      )
      return isSigned ? judge(jwt.payload, parts) : 'wrong signature'
    },
  }
}

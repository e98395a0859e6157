/**
 * Whose tokens are accepted besides our own, and what they are worth here: `identity.issuers` of the configuration.
 * Stops: an issuer that nobody named. Trusts: the configuration's schema for every value.
 * Fails: with an empty list no token of anybody else is accepted.
 */

/** One entry of `identity.issuers`. */
export interface IssuerSettings {
  /** What `iss` has to be, character by character. */
  readonly issuer: string
  readonly jwksUri?: string | undefined
  /** Hosts that the metadata may name beside the issuer's own. */
  readonly endpointHosts: readonly string[]
  /** An audience, and the one path it is good for; beside the resource itself. */
  readonly audiences: Readonly<Record<string, string>>
  readonly algorithms: readonly string[]
  readonly typ: string
  readonly claims: { readonly name: string; readonly groups: string; readonly client: string }
  /** A group, and the roles it gives. */
  readonly roles: Readonly<Record<string, readonly string[]>>
  /** What a token has to be granted, all of it. */
  readonly scopes: readonly string[]
  readonly mfa: { readonly amr: readonly string[]; readonly acr: readonly string[] }
  readonly requireMfa: boolean
  readonly signInMaxAgeSeconds?: number | undefined
  readonly clockSkewSeconds: number
  readonly tokenMaxAgeSeconds: number
  readonly keysFreshSeconds: number
  readonly keysStaleSeconds: number
}

/**
 * What every file of the authorization server is built from. Stops hidden dependencies. Trusts whoever composes the room.
 * Fails at compile time when a part is missing.
 */
import type { Ledger } from '#audit'
import type { Clock, Sealer } from '#kernel'
import type { Database } from '#platform/database'
import type { IdentitySettings, Places } from '../parts.ts'

/** `oauth` of the configuration. */
export interface OauthSettings {
  /** Life of an access token. */
  readonly accessTokenMinutes: number
  /** Longest life of what a person let a client do, however often its tokens are refreshed. */
  readonly grantDays: number
  /** Whether clients may register themselves: at once, once an admin approves, or not at all. */
  readonly registration: 'open' | 'approved' | 'closed'
  /** Registrations from one address. */
  readonly registrationsPerHour: number
  /** Whether a client may be known by the https address of its metadata document. */
  readonly metadataDocuments: boolean
  /** Identity providers whose assertions about their people (ID-JAG) are exchanged for tokens. */
  readonly assertionIssuers: readonly string[]
  /** Networks that are not public and from which metadata documents may be fetched all the same. */
  readonly metadataNetworks: readonly string[]
}

/** `identity` of the configuration: what a signed-in terminal may not go beyond. */
export type SessionLimits = Pick<
  IdentitySettings,
  'sessionHours' | 'sessionIdleMinutes' | 'sessionsPerPerson' | 'secondFactor'
>

export interface OauthParts {
  readonly database: Database
  readonly ledger: Pick<Ledger, 'append'>
  readonly clock: Clock
  readonly sealer: Sealer
  readonly settings: { readonly oauth: OauthSettings } & SessionLimits
  readonly places: Places
}

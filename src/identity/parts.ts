/**
 * What every file of identity is built from. Stops hidden dependencies: nothing here reaches a clock, a key or a
 * store by itself. Trusts whoever composes the room. Fails at compile time when a part is missing.
 */
import type { Ledger } from '#audit'
import type { Clock, Principal, Sealer } from '#kernel'
import type { Database, Tables } from '#platform/database'
import type { Kysely } from 'kysely'
import type { Argon2id } from './methods/argon2id.ts'
import type { IssuerSettings } from './external/settings.ts'
import type { OauthSettings } from './oauth/parts.ts'
import type { Gate } from './sign-in/gate.ts'

/** `identity` and `oauth` of the configuration. */
export interface IdentitySettings {
  /** Longest life of a session, from sign-in. */
  readonly sessionHours: number
  /** Longest pause between two uses of a session. */
  readonly sessionIdleMinutes: number
  readonly secondFactor: 'required' | 'optional'
  /** Longest life of an access token. */
  readonly accessTokenDays: number
  /** Longest life that a service account is given at a time. */
  readonly serviceAccountDays: number
  /** Sessions a person may have at a time; one more ends the oldest. */
  readonly sessionsPerPerson: number
  /** The domain of passkeys, where it is not the host of the gateway. */
  readonly passkeyDomain?: string | undefined
  /** Whether an administrator without a passkey may do nothing but register one. */
  readonly administratorsNeedPasskey: boolean
  readonly oauth: OauthSettings
  /** Issuers elsewhere whose access tokens are accepted. Another list, by reference, is another version. */
  readonly issuers: readonly IssuerSettings[]
}

/** Addresses under which people reach the two listeners. */
export interface Places {
  readonly gatewayUrl: string
  readonly adminUrl: string
}

export interface Parts {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly sealer: Sealer
  readonly settings: IdentitySettings
  readonly places: Places
  readonly argon2id: Argon2id
  readonly gate: Gate
}

export type Query = Kysely<Tables>

/** Who makes a change: a person, or Castellan itself. */
export type Actor = Pick<Principal, 'id' | 'name'>

/** The actor of what happens by itself; no person can have this name. */
export const castellan: Actor = { id: 'castellan', name: 'castellan' }

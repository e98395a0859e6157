/**
 * What every file of identity is built from. Stops hidden dependencies: nothing here reaches a clock, a key or a
 * store by itself. Trusts whoever composes the room. Fails at compile time when a part is missing.
 */
import type { Ledger } from '#audit'
import type { Clock, Principal, Sealer } from '#kernel'
import type { Database, Tables } from '#platform/database'
import type { Kysely } from 'kysely'
import type { Argon2id } from './methods/argon2id.ts'
import type { Gate } from './sign-in/gate.ts'

/** `identity` of the configuration. */
export interface IdentitySettings {
  /** Longest life of a session, from sign-in. */
  readonly sessionHours: number
  /** Longest pause between two uses of a session. */
  readonly sessionIdleMinutes: number
  readonly secondFactor: 'required' | 'optional'
  /** Longest life of an access token. */
  readonly accessTokenDays: number
}

export interface Parts {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly sealer: Sealer
  readonly settings: IdentitySettings
  readonly argon2id: Argon2id
  readonly gate: Gate
}

export type Query = Kysely<Tables>

/** Who makes a change: a person, or Castellan itself. */
export type Actor = Pick<Principal, 'id' | 'name'>

/** The actor of what happens by itself; no person can have this name. */
export const castellan: Actor = { id: 'castellan', name: 'castellan' }

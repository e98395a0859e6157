/**
 * What does the data plane need from the other rooms?
 * Stops: a guard reaching for more than its question needs.
 * Trusts: the composer to pass real rooms.
 * Fails: nothing here can fail.
 */
import type { Ledger } from '#audit'
import type { Identity } from '#identity'
import type { Clock, Sealer } from '#kernel'
import type { Policy } from '#policy'
import type { Upstreams } from '#upstream'
import type { Definitions } from './definitions.ts'
import type { InFlight } from './in-flight.ts'

export interface GatewaySettings {
  /** Where clients reach the gateway, e.g. `http://localhost:8090`; no trailing slash. */
  readonly publicUrl: string
  /** Accepted `Host` values, lower case, with port. */
  readonly hosts: ReadonlySet<string>
  /** Accepted `Origin` values, lower case. */
  readonly origins: ReadonlySet<string>
  readonly maxBodyBytes: number
  /** How long an upstream may take to begin its answer, and between two messages of it. */
  readonly deadlineMs: number
}

export interface GatewayRooms {
  readonly database: { revision(): number }
  readonly identity: Pick<Identity, 'authenticateAccessToken' | 'stillValid'>
  readonly policy: Pick<Policy, 'decide' | 'findHold' | 'refresh' | 'roles'>
  readonly upstreams: Upstreams
  readonly ledger: Ledger
  readonly sealer: Sealer
  readonly clock: Clock
  /** Distinguishes this process from other gateways on the same database. */
  readonly node: string
  readonly settings: GatewaySettings
}

export interface PipelineRooms extends GatewayRooms {
  readonly definitions: Definitions
  readonly inFlight: InFlight
}

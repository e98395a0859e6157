/**
 * What does the data plane need from the other rooms?
 * Stops: a guard reaching for more than its question needs.
 * Trusts: the composer to pass real rooms.
 * Fails: nothing here can fail.
 */
import type { Ledger } from '#audit'
import type { Identity } from '#identity'
import type { Clock, Sealer } from '#kernel'
import type { Admission } from '#platform/http'
import type { Log, Meter, Tracer } from '#platform/telemetry'
import type { Policy, Remedies } from '#policy'
import type { Upstreams } from '#upstream'
import type { Definitions } from './definitions.ts'
import type { InFlight } from './in-flight.ts'
import type { RequestRates } from './limits/request-rate.ts'
import type { Turns } from './limits/turns.ts'

/** What one client, one call and this process may cost: the configuration's `limits`. */
export interface GatewayLimits {
  readonly bodyBytes: number
  readonly openStreams: number
  readonly openStreamsPerPrincipal: number
  readonly requestsPerMinutePerAddress: number
  readonly requestsPerMinutePerPrincipal: number
  readonly answerBytes: number
  readonly streamSeconds: number
  readonly openStreamSeconds: number
  readonly openStreamIdleSeconds: number
}

/** Who may come in, and how much of what: as configured at this moment. */
export interface GatewaySettings extends Admission {
  /** Where clients reach the gateway, e.g. `http://localhost:8090`; no trailing slash. */
  readonly publicUrl: string
  readonly limits: GatewayLimits
  /** How long an upstream may take to begin its answer, and between two messages of it. */
  readonly deadlineMs: number
}

/** Settings that a reload of the configuration swaps: read where they are used, never kept. */
export interface LiveSettings {
  readonly current: GatewaySettings
}

export interface GatewayRooms {
  readonly database: { revision(): number }
  readonly identity: Pick<
    Identity,
    'authenticateAccessToken' | 'stillValid' | 'epoch' | 'front' | 'stepUps' | 'notices'
  >
  readonly policy: Pick<
    Policy,
    | 'budgets'
    | 'decide'
    | 'findAddressHold'
    | 'findHold'
    | 'flow'
    | 'readsConsents'
    | 'readsFlow'
    | 'refresh'
    | 'roles'
    | 'shadows'
  >
  readonly remedies: Pick<Remedies, 'ask' | 'consents' | 'isReady' | 'spend' | 'goOn'>
  readonly upstreams: Upstreams
  readonly ledger: Ledger
  readonly sealer: Sealer
  readonly clock: Clock
  /** Distinguishes this process from other gateways on the same database. */
  readonly node: string
  /** Of this program. */
  readonly version: string
  readonly settings: LiveSettings
  readonly telemetry: { readonly log: Log; readonly meter: Meter; readonly tracer: Tracer }
}

export interface PipelineRooms extends Omit<GatewayRooms, 'ledger'> {
  readonly ledger: Pick<Ledger, 'append'>
  readonly definitions: Definitions
  readonly inFlight: InFlight
  readonly rates: RequestRates
  readonly turns: Turns
  /** Asks the servers that answer together at one address. */
  readonly members: Pick<Upstreams, 'exchange'>
}

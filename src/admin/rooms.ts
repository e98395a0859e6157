import type { Ledger } from '#audit'
import type { Identity } from '#identity'
import type { Clock, Secret } from '#kernel'
import type { LiveConfig } from '#platform/config'
import type { Database } from '#platform/database'
import type { Admission, Networks } from '#platform/http'
import type { Telemetry } from '#platform/telemetry'
import type { Policy, Remedies } from '#policy'
import type { Upstreams } from '#upstream'

/** Who may come in, and how often, as configured at this moment. */
export interface AdminAdmission extends Admission {
  readonly requestsPerMinutePerAddress: number
  /** Proxies before the other listener, which no hold may stop. */
  readonly gatewayProxies: Networks
}

/** What the admin API stands on. */
export interface Rooms {
  readonly identity: Identity
  readonly policy: Policy
  readonly remedies: Pick<Remedies, 'approvals'>
  readonly upstreams: Upstreams
  readonly ledger: Ledger
  readonly clock: Clock
  readonly admission: { readonly current: AdminAdmission }
  readonly database: Pick<Database, 'query'>
  readonly telemetry: Pick<Telemetry, 'health' | 'log' | 'prometheus'>
  readonly live: Pick<LiveConfig, 'reload'>
  /** Addresses under which people reach the two listeners, without a path. */
  readonly config: {
    readonly admin: { readonly publicUrl: string }
    readonly gateway: { readonly publicUrl: string }
    readonly telemetry: { readonly metricsToken?: Secret | undefined }
  }
  /** Of the program, shown in the OpenAPI document. */
  readonly version: string
}

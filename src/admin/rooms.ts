import type { Ledger } from '#audit'
import type { Identity } from '#identity'
import type { Clock } from '#kernel'
import type { Policy } from '#policy'
import type { Upstreams } from '#upstream'

/** What the admin API stands on. */
export interface Rooms {
  readonly identity: Identity
  readonly policy: Policy
  readonly upstreams: Upstreams
  readonly ledger: Ledger
  readonly clock: Clock
  /** Addresses under which people reach the two listeners, without a path. */
  readonly config: { readonly admin: { readonly publicUrl: string }; readonly gateway: { readonly publicUrl: string } }
  /** Of the program, shown in the OpenAPI document. */
  readonly version: string
}

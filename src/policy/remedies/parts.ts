/**
 * What are remedies made from?
 * Stops: hidden dependencies. Trusts: whoever composes the room. Fails: at compile time when a part is missing.
 */
import type { Ledger } from '#audit'
import type { Clock, Sealer } from '#kernel'
import type { Database } from '#platform/database'

export interface RemedyParts {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly sealer: Sealer
  readonly policy: {
    /** Reads what is in force at this moment. */
    refresh(): void | Promise<void>
    /** Changes when and only when the rule of that id does; undefined where there is none. */
    ruleFingerprint(rule: string): string | undefined
  }
}

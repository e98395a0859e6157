import type { Milliseconds } from '../tables.ts'

export interface DistrustedPolicyTables {
  distrusted_policies: {
    /** SHA-256 in hex of the rules' texts. */
    rules_hash: string
    /** The version under which it was found. */
    version: number
    found_at: Milliseconds
  }
}

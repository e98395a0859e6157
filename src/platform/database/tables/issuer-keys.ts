import type { Milliseconds } from '../tables.ts'

interface WithdrawnIssuerKeysRow {
  issuer: string
  /** The `kid`, or the SHA-256 of the public key in hex. */
  key: string
  withdrawn_at: Milliseconds
  withdrawn_by: string
}

/** Keys of issuers elsewhere that an administrator withdrew, whatever the issuer says. */
export interface IssuerKeyTables {
  withdrawn_issuer_keys: WithdrawnIssuerKeysRow
}

/**
 * What is shown of an access token? Everything but its bytes, which nobody has.
 * Stops a listing from being a credential. Trusts the row. Fails at compile time when a column is missing.
 */
import type { Factor } from '#kernel'
import { readFactors } from './principals.ts'

/** What is shown of an access token. Times in wall-clock milliseconds. */
export interface AccessTokenView {
  readonly id: string
  readonly personId: string
  readonly label: string
  /** In canonical spelling, without a slash at the end. */
  readonly resource: string
  readonly factors: readonly Factor[]
  readonly createdAt: number
  readonly expiresAt: number
  readonly revokedAt?: number
  readonly revokedBy?: string
}

export interface TokenRow {
  readonly id: string
  readonly person_id: string
  readonly label: string
  readonly resource: string
  readonly factors: string
  readonly created_at: number
  readonly expires_at: number
  readonly revoked_at: number | null
  readonly revoked_by: string | null
}

export function tokenView(row: TokenRow): AccessTokenView {
  return {
    id: row.id,
    personId: row.person_id,
    label: row.label,
    resource: row.resource,
    factors: readFactors(row.factors),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
    ...(row.revoked_by === null ? {} : { revokedBy: row.revoked_by }),
  }
}

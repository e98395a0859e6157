import type { Flag, Milliseconds } from '../tables.ts'

/** What there is of a service account beside its row of people. */
interface ServiceAccountsRow {
  person_id: string
  /** A person who answers for it. */
  owner_id: string
  purpose: string
  expires_at: Milliseconds
  /** An administrator said that it may read by the admin API. */
  may_read_admin: Flag
  created_at: Milliseconds
  created_by: string | null
  /** Nothing brings it back. */
  removed_at: Milliseconds | null
}

/** Agents without people. */
export interface ServiceAccountTables {
  service_accounts: ServiceAccountsRow
}

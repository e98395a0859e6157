import type { JsonText, Milliseconds } from '../tables.ts'

export interface ClassificationTables {
  classifications: {
    upstream: string
    /** Empty for the server as a whole. */
    tool: string
    /** The definition that was classified; it counts for no other. Empty for a server. */
    approved_hash: string
    classification: JsonText
    set_at: Milliseconds
    set_by: string
  }
}

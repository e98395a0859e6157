import type { Milliseconds } from '../tables.ts'

export interface FlowLabelTables {
  flow_labels: {
    person_id: string
    /** What acts for the person: `client/<id>`, or `tokens` for the person's own access tokens. */
    bearer: string
    label: string
    /** Where it was met first. */
    upstream: string
    target_kind: string
    target_name: string
    added_at: Milliseconds
  }
}

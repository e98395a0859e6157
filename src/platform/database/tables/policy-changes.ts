import type { JsonText, Milliseconds } from '../tables.ts'

interface PolicyDraftsRow {
  id: string
  /** The snapshot that it changes. */
  base_version: number
  /** What is to be in force: roles, policy files and tests. */
  document: JsonText
  /** SHA-256 of the document in UTF-8, in hex. */
  hash: string
  state: 'draft' | 'proposed' | 'published' | 'abandoned'
  /** The person who made it. */
  author: string
  /** Ids of everybody who changed it, the author among them. */
  editors: JsonText
  note: string
  /** What lint and tests said, and of what. */
  checks: JsonText
  /** What a person decided about it, and when. */
  decisions: JsonText
  /** Where it came from: a folder, or an older snapshot. */
  came_from: JsonText
  published_version: number | null
  created_at: Milliseconds
  updated_at: Milliseconds
}

interface PolicySettingsRow {
  name: string
  value: string
}

/** Changes of the policy that are under way or were, and what nodes last found configured. */
export interface PolicyChangeTables {
  policy_drafts: PolicyDraftsRow
  policy_settings: PolicySettingsRow
}

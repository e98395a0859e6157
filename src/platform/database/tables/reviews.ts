import type { JsonText, Milliseconds } from '../tables.ts'

/** Which rules are in force, told by what they say, and since when without a break. */
interface RulePrintsRow {
  /** See `printOf`. */
  print: string
  rule: string
  since_version: number
  since_at: Milliseconds
}

/** What the calls of one ledger used, by week. */
interface RuleUsesRow {
  /** The id of its first entry. */
  ledger: string
  person_id: string
  print: string
  upstream: string
  kind: string
  /** Empty of a server. */
  name: string
  /** The effect class that it had then. */
  effect: string
  /** When the week begins. */
  week: Milliseconds
  uses: number
  first_at: Milliseconds
  last_at: Milliseconds
  /** The entry of the last one. */
  last_seq: number
}

/** How far each ledger was counted. */
interface UseCursorsRow {
  ledger: string
  seq: number
  /** Of its first entry. */
  begins_at: Milliseconds
  /** Everything before is counted. */
  read_at: Milliseconds
}

interface ReviewCampaignsRow {
  id: string
  name: string
  scope: JsonText
  /** Ids of those who were named; empty where owners review. */
  reviewers: JsonText
  when_due: 'open' | 'keep' | 'revoke'
  due_at: Milliseconds
  state: 'open' | 'closed'
  /** What its reviewers were told last. */
  told: 'nothing' | 'asked' | 'soon' | 'due'
  snapshot_version: number
  /** Since when there are calls to go by, and up to when. */
  evidence: JsonText
  created_at: Milliseconds
  created_by: string
  closed_at: Milliseconds | null
  closed_by: string | null
  /** The draft of the policy that its revoked grants became. */
  draft: string | null
  /** SHA-256 of its export, in hex. */
  export_hash: string | null
}

interface ReviewItemsRow {
  id: string
  campaign: string
  /** From 1 on. */
  place: number
  kind: 'assignment' | 'grant' | 'account'
  /** Empty of a grant. */
  person_id: string
  /** Empty of an account. */
  role: string
  /** What it was when the campaign began. */
  subject: JsonText
  evidence: JsonText
  /** Ids; empty where whoever holds the right reviews. */
  reviewers: JsonText
  state: 'open' | 'kept' | 'revoked' | 'unanswered' | 'gone'
  /** Counts its changes. */
  revision: number
  decided_by: string | null
  decided_at: Milliseconds | null
  reason: string
  outcome: JsonText
}

/** What was used, and who looked at who has what. */
export interface ReviewTables {
  rule_prints: RulePrintsRow
  rule_uses: RuleUsesRow
  use_cursors: UseCursorsRow
  review_campaigns: ReviewCampaignsRow
  review_items: ReviewItemsRow
}

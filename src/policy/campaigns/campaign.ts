/**
 * What is a campaign, and what is each of its items?
 * Stops: nothing by itself: these are its shapes.
 * Trusts: nothing.
 * Fails: nothing here can fail.
 */
import type { Grant } from '../roles/role.ts'

export const itemKinds = ['assignment', 'grant', 'account'] as const
export type ItemKind = (typeof itemKinds)[number]

/** What becomes of items that nobody answered in time. */
export const whenDueWays = ['open', 'keep', 'revoke'] as const
export type WhenDue = (typeof whenDueWays)[number]

/** What a campaign is about; an empty list leaves nothing out. */
export interface Scope {
  readonly kinds: readonly ItemKind[]
  readonly roles: readonly string[]
  readonly servers: readonly string[]
  /** Of servers and their tools: `sensitivity:restricted`, `data:personal`. */
  readonly labels: readonly string[]
  /** Ids of persons and service accounts. */
  readonly people: readonly string[]
}

export interface ProposedCampaign {
  readonly name: string
  readonly scope: Scope
  /** Ids of persons; empty where owners review. */
  readonly reviewers: readonly string[]
  readonly whenDue: WhenDue
  /** Wall-clock milliseconds. */
  readonly dueAt: number
  /** Uses are told from then on. */
  readonly since: number
}

/** What the evidence of a campaign rests on. */
export interface CampaignEvidence {
  readonly since: number
  /** There is no evidence before. */
  readonly from: number
  readonly upTo: number | null
}

export interface Campaign extends Omit<ProposedCampaign, 'since'> {
  readonly id: string
  readonly state: 'open' | 'closed'
  readonly told: 'nothing' | 'asked' | 'soon' | 'due'
  /** What roles meant when it began. */
  readonly snapshotVersion: number
  readonly evidence: CampaignEvidence
  readonly createdAt: number
  readonly createdBy: string
  readonly closedAt: number | null
  readonly closedBy: string | null
  /** The draft that its revoked grants became. */
  readonly draft: string | null
  readonly exportHash: string | null
}

/** What an item was when the campaign began. */
export type Subject =
  | {
      readonly kind: 'assignment'
      readonly person: { readonly id: string; readonly name: string; readonly kind: 'person' | 'service' }
      readonly role: string
      /** Changes with what the role grants. */
      readonly roleHash: string
      readonly grantedAt: number
      readonly grantedBy: string | null
      readonly how: string
      readonly by: string | null
    }
  | { readonly kind: 'grant'; readonly role: string; readonly number: number; readonly grant: Grant }
  | {
      readonly kind: 'account'
      readonly person: { readonly id: string; readonly name: string }
      readonly purpose: string
      readonly owner: string
      readonly roles: readonly { readonly role: string; readonly grantedAt: number; readonly roleHash: string }[]
    }

/** The last use that the ledgers show. */
export interface ItemEvidence {
  readonly uses: number
  readonly lastAt: number | null
  readonly ledger: string | null
  readonly seq: number | null
}

/** What came of a decision. */
export interface ItemOutcome {
  /** In words. */
  readonly done: string
  /** Name of who decided, as it was then. */
  readonly byName?: string
  /** Where the role comes from, and has to be taken as well. */
  readonly source?: string
  /** Code of what kept it from being carried out. */
  readonly refusal?: string
}

export type ItemState = 'open' | 'kept' | 'revoked' | 'unanswered' | 'gone'

export interface Item {
  readonly id: string
  readonly campaign: string
  /** From 1 on. */
  readonly place: number
  readonly kind: ItemKind
  /** Empty of a grant. */
  readonly personId: string
  /** Empty of an account. */
  readonly role: string
  readonly subject: Subject
  readonly evidence: ItemEvidence
  /** Ids; empty where whoever holds the right reviews. */
  readonly reviewers: readonly string[]
  readonly state: ItemState
  readonly revision: number
  readonly decidedBy: string | null
  readonly decidedAt: number | null
  readonly reason: string
  readonly outcome: ItemOutcome | null
}

export const campaignLimits = {
  maxItems: 10_000,
  maxNameLength: 200,
  maxReasonLength: 500,
  maxReviewers: 50,
  maxScope: 500,
  longestDays: 366,
} as const

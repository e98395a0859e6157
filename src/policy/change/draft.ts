/**
 * What is a draft of the policy?
 * Stops: nothing by itself: these are its shapes.
 * Trusts: nothing.
 * Fails: nothing here can fail.
 */
import type { CameFrom, PolicyContents } from '../snapshot/document.ts'
import type { Finding } from '../lint/finding.ts'
import type { TestResult } from '../cases/run-tests.ts'

export type DraftState = 'draft' | 'proposed' | 'published' | 'abandoned'

/** What lint and tests said. */
export interface Checks {
  /** Hash of the contents that were judged. */
  readonly judged: string
  readonly findings: readonly Finding[]
  readonly tests: readonly TestResult[]
}

export interface DraftDecision {
  readonly by: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly decision: 'published' | 'abandoned'
  /** Hash of the contents it was about. */
  readonly hash: string
  readonly note: string
}

export interface Draft {
  readonly id: string
  readonly baseVersion: number
  readonly contents: PolicyContents
  /** SHA-256 of the contents as they are kept, in hex: what a decision is about. */
  readonly hash: string
  readonly state: DraftState
  /** Ids of persons. */
  readonly author: string
  readonly editors: readonly string[]
  readonly note: string
  readonly checks: Checks
  readonly decisions: readonly DraftDecision[]
  readonly cameFrom: CameFrom
  readonly publishedVersion: number | undefined
  readonly createdAt: number
  readonly updatedAt: number
}

import type { Generated } from 'kysely'
import type { JsonText, Milliseconds } from '../tables.ts'

interface RemedyAsksRow {
  /** 256 random bits, base64url; part of the link, and worth nothing without its person. */
  id: string
  person_id: string
  person_name: string
  /** Ids of those who act for the person. */
  actors: JsonText
  /** The client or credential that asked, and who acts by it: no other one can use what was given. */
  bound_to: string
  client_name: string
  upstream: string
  permission: string
  target_kind: string
  target_name: string
  /** SHA-256 of the call as canonical JSON, base64url. */
  call_hash: string
  /** SHA-256 of the rules that were to be met, as they were written. */
  rules_hash: string
  /** What each rule asks for, with its fingerprint. */
  rules: JsonText
  /** The snapshot under which it was asked. */
  snapshot: number
  /** The call as approvers are shown it. */
  sealed_call: string
  state: 'waiting' | 'ready' | 'used' | 'denied' | 'expired' | 'void'
  created_at: Milliseconds
  /** Until when what is asked for can be given. */
  asked_until: Milliseconds
  /** Of the state: until when it can be given, or used. */
  expires_at: Milliseconds
  ended_at: Milliseconds | null
  /** How often the call that it let pass went on after a question of its server. */
  rounds: Generated<number>
}

interface RemedyAnswersRow {
  ask_id: string
  person_id: string
  /** Of a justification; empty for the answer of an approver, who counts once. */
  rule: string
  person_name: string
  deed: 'approved' | 'denied' | 'justified'
  /** What they said. */
  sealed_text: string
  answered_at: Milliseconds
}

interface RemedyApproverRolesRow {
  ask_id: string
  role: string
}

interface ConsentsRow {
  id: string
  person_id: string
  bound_to: string
  client_name: string
  rule: string
  /** Of the rule as it was when the person consented. */
  fingerprint: string
  purpose: string
  given_at: Milliseconds
  expires_at: Milliseconds
  revoked_at: Milliseconds | null
}

/** Calls that wait for somebody, or passed after somebody had agreed; and consents that are kept. */
export interface RemedyTables {
  remedy_asks: RemedyAsksRow
  remedy_answers: RemedyAnswersRow
  remedy_approver_roles: RemedyApproverRolesRow
  consents: ConsentsRow
}

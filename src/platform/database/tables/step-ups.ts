import type { Generated } from 'kysely'
import type { JsonText, Milliseconds } from '../tables.ts'

interface StepUpsRow {
  /** 256 random bits, base64url; part of the link, and worth nothing without its person. */
  id: string
  person_id: string
  /** The client or credential that asked: no other one can use what was proved. */
  bound_to: string
  client_name: string
  upstream: string
  permission: string
  target_kind: string
  target_name: string
  /** SHA-256 of the call as canonical JSON, base64url. */
  call_hash: string
  /** The call as its person is shown it. */
  sealed_call: string
  state: 'pending' | 'denied' | 'proven' | 'used'
  created_at: Milliseconds
  /** Of the state: until when it can be proved, or used. */
  expires_at: Milliseconds
  proven_at: Milliseconds | null
  factors: JsonText | null
  used_at: Milliseconds | null
  /** How often the call that it let pass went on after a question of its server. */
  rounds: Generated<number>
}

/** Fresh factors that single calls wait for, or passed with. */
export interface StepUpTables {
  step_ups: StepUpsRow
}

import type { Generated } from 'kysely'
import type { Flag, JsonText, Milliseconds } from '../tables.ts'

interface PasskeysTable {
  id: string
  person_id: string
  /** Base64url; unique over all people. */
  credential_id: string
  /** COSE key, base64url. */
  public_key: string
  algorithm: number
  /** Of signatures, as the authenticator counts them; 0 where it does not. */
  counter: number
  /** What its person calls it. */
  name: string
  transports: JsonText
  /** Model of the authenticator, as it says itself. */
  aaguid: string
  is_syncable: Flag
  is_synced: Flag
  created_at: Milliseconds
  last_used_at: Milliseconds | null
}

interface PasskeyHandlesTable {
  person_id: string
  /** Random: what authenticators know the person by. */
  handle: string
}

interface SpentChallengesTable {
  challenge_hash: string
  spent_at: Milliseconds
}

interface ResetsTable {
  id: string
  /** Of the link, once there is one. */
  token_hash: string | null
  person_id: string
  kind: 'password-lost' | 'factors-lost'
  reason: string
  /** Different administrators, with the one who started it. */
  approvals_needed: number
  started_by: string
  started_at: Milliseconds
  expires_at: Milliseconds
  attempts: Generated<number>
  ended_at: Milliseconds | null
  ended_reason: string | null
}

interface ResetApprovalsTable {
  reset_id: string
  approver_id: string
  approved_at: Milliseconds
}

interface NoticesTable {
  id: string
  person_id: string
  kind: string
  details: JsonText
  created_at: Milliseconds
  read_at: Milliseconds | null
}

/** Passkeys and what proves with them, ways back in, and notices to people. */
export interface PasskeyTables {
  passkeys: PasskeysTable
  passkey_handles: PasskeyHandlesTable
  spent_challenges: SpentChallengesTable
  resets: ResetsTable
  reset_approvals: ResetApprovalsTable
  notices: NoticesTable
}

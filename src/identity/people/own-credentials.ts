/**
 * May this person change their own password or recovery codes? With the present password and a code, proved again.
 * Stops a stolen session from taking the account over; guesses count as at sign-in.
 * Trusts the prover and the throttle. Fails closed: one refusal for all that is wrong, and nothing is changed.
 * @see ASVS 6.2.3, 7.4.3, 7.5.1
 */
import { type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { changeRefused, passwordChanged, recoveryCodesReplaced } from '../events.ts'
import { refusePassword } from '../methods/password/rules.ts'
import { createRecoveryCodes } from '../methods/recovery-code/recovery-code.ts'
import { revokeTokens } from '../credentials/access-tokens.ts'
import type { Parts } from '../parts.ts'
import { createProver, findProvable } from '../sign-in/prove-factors.ts'
import { addNotice } from '../notices/notices.ts'
import { type Tools, applyProved, proveAgain } from '../step-up/prove-again.ts'
import { insertRecoveryCodes } from './recovery-codes.ts'
import { refusals } from '../refusals.ts'
import { endSessions } from '../credentials/sessions.ts'
import { createThrottle } from '../sign-in/throttle.ts'

export interface ChangePasswordRequest {
  /** From `authenticateSession`. */
  readonly principal: Principal
  readonly current: string
  readonly next: string
  readonly code?: string | undefined
  readonly address?: string | undefined
  /** Also revoke the person's access tokens. Their other sessions always end. */
  readonly isRevokingTokens?: boolean | undefined
}

export interface ReplaceCodesRequest {
  readonly principal: Principal
  readonly password: string
  readonly code: string
  readonly address?: string | undefined
}

export interface OwnCredentials {
  changePassword(request: ChangePasswordRequest): Promise<{ endedSessions: number; revokedTokens: number } | Refusal>
  resetRecoveryCodes(request: ReplaceCodesRequest): Promise<{ recoveryCodes: readonly string[] } | Refusal>
}

async function changePassword(tools: Tools, request: ChangePasswordRequest) {
  const { database, argon2id } = tools
  const { principal, current, next, code, address, isRevokingTokens = false } = request
  // WHY: refused before anything is counted or computed; the rules are no secret.
  const known = await findProvable(database.query, { id: principal.id })
  const words = [principal.name, known?.displayName ?? principal.name]
  const bad = refusePassword(next, { hasSecondFactor: known?.totp !== undefined || known?.hasPasskey === true, words })
  if (bad) return bad
  const proved = await proveAgain(tools, { principal, password: current, code }, () => argon2id.hash(next))
  if (isRefusal(proved)) return proved
  const { made } = proved
  const by = { id: principal.id, name: principal.name }
  return applyProved(tools, {
    principal,
    proved,
    async change(transaction, nowMs) {
      const personId = principal.id
      const changed = { password_hash: made, updated_at: nowMs }
      await transaction.updateTable('people').set(changed).where('id', '=', personId).execute()
      const others = { personId, exceptId: principal.credential.id, reason: 'password changed', nowMs }
      const endedSessions = await endSessions(transaction, others)
      const revokedTokens = isRevokingTokens ? await revokeTokens(transaction, { personId, by, nowMs }) : 0
      await addNotice(transaction, { personId, kind: 'password-changed', nowMs, details: { address } })
      return { endedSessions, revokedTokens }
    },
    tell: (counts) => [passwordChanged, { principal, address, outcome: 'succeeded', details: counts }],
  })
}

async function resetRecoveryCodes(tools: Tools, request: ReplaceCodesRequest) {
  const { principal, address } = request
  const proved = await proveAgain(tools, request, () => createRecoveryCodes(tools.argon2id))
  if (isRefusal(proved)) return proved
  const { made, person } = proved
  if (!person.totp && !person.hasPasskey) return refuse(refusals.secondFactorNeeded)
  return applyProved(tools, {
    principal,
    proved,
    async change(transaction, nowMs) {
      const personId = principal.id
      await insertRecoveryCodes(transaction, personId, made.hashes, nowMs)
      await addNotice(transaction, { personId, kind: 'recovery-codes-replaced', nowMs, details: { address } })
      return { recoveryCodes: made.codes }
    },
    tell: () => [recoveryCodesReplaced, { principal, address, outcome: 'succeeded' }],
  })
}

export function createOwnCredentials(parts: Parts): OwnCredentials {
  const tools: Tools = { ...parts, throttle: createThrottle(parts), prover: createProver(parts) }

  async function recorded<T>(
    request: { principal: Principal; address?: string | undefined },
    attempt: Promise<T | Refusal>,
  ) {
    const answer = await attempt
    if (!isRefusal(answer)) return answer
    await parts.ledger.append(changeRefused, {
      principal: request.principal,
      address: request.address,
      outcome: 'refused',
      refusal: answer.code,
      details: { ...answer.detail },
    })
    return answer
  }

  return {
    changePassword: (request) => recorded(request, changePassword(tools, request)),
    resetRecoveryCodes: (request) => recorded(request, resetRecoveryCodes(tools, request)),
  }
}

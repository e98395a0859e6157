/**
 * May this person change their own password or recovery codes? With the present password and a code, proved again.
 * Stops a stolen session from taking the account over; guesses count as at sign-in.
 * Trusts the prover and the throttle. Fails closed: one refusal for all that is wrong, and nothing is changed.
 * @see ASVS 6.2.3, 7.4.3, 7.5.1
 */
import type { EntryFields, EventDefinition } from '#audit'
import { type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { changeRefused, passwordChanged, recoveryCodesReplaced } from '../events.ts'
import { refusePassword } from '../methods/password/rules.ts'
import { createRecoveryCodes } from '../methods/recovery-code/recovery-code.ts'
import { revokeTokens } from '../credentials/access-tokens.ts'
import type { Parts, Query } from '../parts.ts'
import {
  type Proof,
  type ProvablePerson,
  type Prover,
  createProver,
  findProvable,
  spendCode,
  whyNot,
} from '../sign-in/prove-factors.ts'
import { recordChange } from '../record-change.ts'
import { insertRecoveryCodes } from './recovery-codes.ts'
import { refusals } from '../refusals.ts'
import { endSessions } from '../credentials/sessions.ts'
import { type Throttle, type Turn, createThrottle } from '../sign-in/throttle.ts'

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

interface Proved {
  readonly person: ProvablePerson
  readonly proof: Proof
  readonly turn: Turn
}

type Typed = { readonly principal: Principal; readonly password: string; readonly code?: string | undefined }

type Tools = Parts & { readonly throttle: Throttle; readonly prover: Prover }

/** Proves the factors and makes ready what is to be written, both inside the gate. */
async function prove<T>(
  { database, settings, gate, throttle, prover }: Tools,
  typed: Typed,
  make: () => Promise<T>,
): Promise<(Proved & { made: T }) | Refusal> {
  return gate.run(async () => {
    const person = await findProvable(database.query, { id: typed.principal.id })
    const source = `signed in as ${typed.principal.id}`
    const attempt = { account: typed.principal.name, source, personId: typed.principal.id, isSignedIn: true }
    const turn = await throttle.take(attempt)
    if (isRefusal(turn)) return turn
    const proof = await prover.prove(person, typed)
    const reason = whyNot(person, proof, { secondFactor: settings.secondFactor, streak: turn.streak })
    if (person === undefined || reason !== undefined) return refuse(refusals.proofRefused, { detail: { reason } })
    return { person, proof, turn, made: await make() }
  })
}

/** Spends the code and makes the change, if the person is still who was proved. */
function apply<T>(
  parts: Parts,
  principal: Principal,
  { person, proof, turn }: Proved,
  change: (transaction: Query, nowMs: number) => Promise<T>,
  tell: (result: T) => readonly [EventDefinition, EntryFields],
): Promise<T | Refusal> {
  return recordChange<T>(parts, {
    async work(transaction) {
      const fresh = await findProvable(transaction, { id: person.id })
      const session = await transaction
        .selectFrom('sessions')
        .select('ended_at')
        .where('id', '=', principal.credential.id)
        .where('ended_at', 'is', null)
        .executeTakeFirst()
      if (!session) return refuse(refusals.sessionInvalid)
      const isSame = fresh?.status === 'active' && fresh.passwordHash === person.passwordHash
      const proved = isSame && (await spendCode(transaction, person, proof, parts.clock.now()))
      if (!proved) return refuse(refusals.proofRefused, { detail: { reason: 'code-used' } })
      await turn.settle(transaction)
      return change(transaction, parts.clock.now())
    },
    tell,
  })
}

async function changePassword(tools: Tools, request: ChangePasswordRequest) {
  const { database, argon2id } = tools
  const { principal, current, next, code, address, isRevokingTokens = false } = request
  // WHY: refused before anything is counted or computed; the rules are no secret.
  const known = await findProvable(database.query, { id: principal.id })
  const words = [principal.name, known?.displayName ?? principal.name]
  const bad = refusePassword(next, { hasSecondFactor: known?.totp !== undefined, words })
  if (bad) return bad
  const proved = await prove(tools, { principal, password: current, code }, () => argon2id.hash(next))
  if (isRefusal(proved)) return proved
  const { made } = proved
  const by = { id: principal.id, name: principal.name }
  return apply(
    tools,
    principal,
    proved,
    async (transaction, nowMs) => {
      const personId = principal.id
      const changed = { password_hash: made, updated_at: nowMs }
      await transaction.updateTable('people').set(changed).where('id', '=', personId).execute()
      const others = { personId, exceptId: principal.credential.id, reason: 'password changed', nowMs }
      const endedSessions = await endSessions(transaction, others)
      const revokedTokens = isRevokingTokens ? await revokeTokens(transaction, { personId, by, nowMs }) : 0
      return { endedSessions, revokedTokens }
    },
    (counts) => [passwordChanged, { principal, address, outcome: 'succeeded', details: counts }],
  )
}

async function resetRecoveryCodes(tools: Tools, request: ReplaceCodesRequest) {
  const { principal, address } = request
  const proved = await prove(tools, request, () => createRecoveryCodes(tools.argon2id))
  if (isRefusal(proved)) return proved
  const { made, person } = proved
  if (!person.totp) return refuse(refusals.secondFactorNeeded)
  return apply(
    tools,
    principal,
    proved,
    async (transaction, nowMs) => {
      await insertRecoveryCodes(transaction, principal.id, made.hashes, nowMs)
      return { recoveryCodes: made.codes }
    },
    () => [recoveryCodesReplaced, { principal, address, outcome: 'succeeded' }],
  )
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

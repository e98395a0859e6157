/**
 * Is this the person whose reset was started? They have the link and prove a factor they still have; then they choose a
 * password. Stops: a link alone from opening anything; a link that works twice, late, or for ever more guesses.
 * Trusts: the prover, and the database for single use. Fails: closed, with one refusal for every link that does not hold.
 * @see ASVS 6.4.3; docs/decisions/0034-passkeys-and-recovery.md
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { readToken } from '../credentials/opaque-token.ts'
import { resetFinished, resetRefused } from '../events.ts'
import { mostEnrolmentAttempts } from '../enrolment/links.ts'
import { refusePassword } from '../methods/password/rules.ts'
import { addNotice } from '../notices/notices.ts'
import type { Parts, Query } from '../parts.ts'
import { endCredentials } from '../people/take-factors.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import {
  type ProvablePerson,
  type Proof,
  type Prover,
  createProver,
  findProvable,
  spendCode,
} from '../sign-in/prove-factors.ts'

export interface FinishReset {
  /** `csr_…` of the link. */
  readonly token: string
  /** Of the authenticator, or a recovery code. */
  readonly code: string
  readonly password: string
  readonly address: string
}

interface Open {
  readonly id: string
  readonly person: ProvablePerson
}

async function findOpen({ database, clock }: Parts, token: string): Promise<Open | undefined> {
  const tokenHash = readToken('reset', token)
  if (tokenHash === undefined) return undefined
  const row = await database.query
    .selectFrom('resets')
    .select(['id', 'person_id'])
    .where('token_hash', '=', tokenHash)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', clock.now())
    .where('attempts', '<', mostEnrolmentAttempts)
    .executeTakeFirst()
  const person = row && (await findProvable(database.query, { id: row.person_id }))
  return row && person?.status === 'active' ? { id: row.id, person } : undefined
}

/** Counts before it is judged, so that guesses at the same time count, too. */
async function countAttempt({ database }: Parts, id: string): Promise<boolean> {
  const counted = await database.query
    .updateTable('resets')
    .set((column) => ({ attempts: column('attempts', '+', 1) }))
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .where('attempts', '<', mostEnrolmentAttempts)
    .executeTakeFirst()
  return counted.numUpdatedRows === 1n
}

function isCodeRight({ code }: Proof, person: ProvablePerson): boolean {
  if (code.kind === 'recovery-code') return code.isUnused
  return person.totp !== undefined && code.steps.length > 0
}

async function use(transaction: Query, id: string, nowMs: number): Promise<boolean> {
  const end = { ended_at: nowMs, ended_reason: 'finished', token_hash: null }
  const used = transaction.updateTable('resets').set(end).where('id', '=', id).where('ended_at', 'is', null)
  return (await used.where('expires_at', '>', nowMs).executeTakeFirst()).numUpdatedRows === 1n
}

async function finish(
  parts: Parts & { readonly prover: Prover },
  { token, code, password, address }: FinishReset,
): Promise<{ readonly name: string } | Refusal> {
  const { gate, argon2id, clock, prover } = parts
  const open = await findOpen(parts, token)
  if (open === undefined) return refuse(refusals.resetInvalid)
  const { id, person } = open
  const bad = refusePassword(password, { hasSecondFactor: true, words: [person.name, person.displayName] })
  if (bad) return bad
  if (!(await countAttempt(parts, id))) return refuse(refusals.resetInvalid)
  const proved = await gate.run(async () => ({
    proof: await prover.prove(person, { password: '', code }),
    passwordHash: await argon2id.hash(password),
  }))
  if (isRefusal(proved)) return proved
  const { proof, passwordHash } = proved
  if (!isCodeRight(proof, person)) return refuse(refusals.codeWrong)
  const personId = person.id
  return recordChange<{ readonly name: string }>(parts, {
    async work(transaction) {
      const nowMs = clock.now()
      if (!(await use(transaction, id, nowMs))) return refuse(refusals.resetInvalid)
      const spent = await spendCode(transaction, person, proof, nowMs)
      if (!spent) return refuse(refusals.codeWrong)
      const changed = { password_hash: passwordHash, updated_at: nowMs }
      const updated = transaction.updateTable('people').set(changed).where('id', '=', personId)
      if ((await updated.where('status', '=', 'active').executeTakeFirst()).numUpdatedRows !== 1n) {
        return refuse(refusals.resetInvalid)
      }
      await endCredentials(transaction, { personId, by: person, reason: 'password reset', nowMs })
      await addNotice(transaction, { personId, kind: 'reset-finished', nowMs, details: { address } })
      return { name: person.name }
    },
    tell: ({ name }) => [
      resetFinished,
      {
        principal: { id: personId, name },
        address,
        outcome: 'succeeded',
        details: { reset: id, factor: proof.code.kind },
      },
    ],
  })
}

/** Sets the new password, once. Either answer is on record before it is given. */
export function createFinishReset(
  parts: Parts,
): (request: FinishReset) => Promise<{ readonly name: string } | Refusal> {
  const tools = { ...parts, prover: createProver(parts) }
  return async (request) => {
    const answer = await finish(tools, request)
    if (!isRefusal(answer)) return answer
    const { address } = request
    await parts.ledger.append(resetRefused, { address, outcome: 'refused', refusal: answer.code })
    return answer
  }
}

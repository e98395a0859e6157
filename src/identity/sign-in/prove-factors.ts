/**
 * Is this the person's password, and which of their codes is this? Looks only; `spendCode` makes it count, once.
 * Stops enumeration: an unknown name costs the same computations as a known one with a wrong password.
 * Trusts the sealer for the secret. Fails closed: what cannot be read matches nothing.
 * @see ASVS 6.3.8
 */
import { randomBytes } from 'node:crypto'
import type { Factor } from '#kernel'
import { saltOf } from '../methods/argon2id.ts'
import { mostPasswordBytes } from '../methods/password/rules.ts'
import { readRecoveryCode } from '../methods/recovery-code/recovery-code.ts'
import { createTotpSecret, matchingSteps, readTotpCode } from '../methods/totp/totp.ts'
import type { Parts, Query } from '../parts.ts'
import { mostConsecutiveFailures } from './throttle.ts'

/** Compared like a code and never equal to one. */
const noCode = '------'

export interface ProvablePerson {
  readonly id: string
  readonly name: string
  readonly displayName: string
  readonly status: 'active' | 'suspended'
  readonly passwordHash: string | null
  /** Their confirmed authenticator. */
  readonly totp: { readonly id: string; readonly sealedSecret: string } | undefined
  readonly hasPasskey: boolean
  /** Nothing proves a service account here. */
  readonly isService: boolean
}

export type ProvedCode =
  | { readonly kind: 'totp'; readonly steps: readonly number[] }
  | { readonly kind: 'recovery-code'; readonly hash: string; readonly isUnused: boolean }

export interface Proof {
  readonly isPasswordRight: boolean
  readonly code: ProvedCode
}

/** Where the secret of an authenticator is sealed to. */
export function totpPlace(id: string): string {
  return `second_factors/sealed_secret/${id}`
}

/** The person with that canonical name or id, in the same three look-ups whether or not there is one. */
export async function findProvable(
  query: Query,
  by: { readonly name: string } | { readonly id: string },
): Promise<ProvablePerson | undefined> {
  const people = query.selectFrom('people').selectAll()
  const person = await (
    'name' in by ? people.where('name', '=', by.name) : people.where('id', '=', by.id)
  ).executeTakeFirst()
  const totp = await query
    .selectFrom('second_factors')
    .select(['id', 'sealed_secret'])
    .where('person_id', '=', person?.id ?? '')
    .where('confirmed_at', 'is not', null)
    .executeTakeFirst()
  const passkey = await query
    .selectFrom('passkeys')
    .select('id')
    .where('person_id', '=', person?.id ?? '')
    .limit(1)
    .executeTakeFirst()
  return (
    person && {
      id: person.id,
      name: person.name,
      displayName: person.display_name,
      status: person.status,
      passwordHash: person.password_hash,
      totp: totp && { id: totp.id, sealedSecret: totp.sealed_secret },
      hasPasskey: passkey !== undefined,
      isService: person.kind === 'service',
    }
  )
}

export interface Prover {
  /** Costs one Argon2id computation, or two when the code has the form of a recovery code. Call it inside the gate. */
  prove(person: ProvablePerson | undefined, typed: { password: string; code?: string | undefined }): Promise<Proof>
}

export function createProver({ database, sealer, clock, argon2id }: Parts): Prover {
  const nobody = { id: '', sealedSecret: sealer.seal(createTotpSecret(), totpPlace('')) }

  async function proveRecoveryCode(personId: string, code: string): Promise<ProvedCode> {
    const one = await database.query
      .selectFrom('recovery_codes')
      .select('code_hash')
      .where('person_id', '=', personId)
      .limit(1)
      .executeTakeFirst()
    const salt = (one && saltOf(one.code_hash)) ?? randomBytes(16)
    const hash = await argon2id.hash(code, salt)
    // WHY: looked up here, for right and wrong passwords alike, so that only a right code goes on to be spent.
    const found = await database.query
      .selectFrom('recovery_codes')
      .select('id')
      .where('person_id', '=', personId)
      .where('code_hash', '=', hash)
      .where('used_at', 'is', null)
      .executeTakeFirst()
    return { kind: 'recovery-code', hash, isUnused: found !== undefined }
  }

  function proveTotp(person: ProvablePerson | undefined, code: string): ProvedCode {
    const factor = person?.totp ?? nobody
    const secret = sealer.open(factor.sealedSecret, totpPlace(factor.id))
    return { kind: 'totp', steps: matchingSteps(secret ?? createTotpSecret(), code, clock.now()) }
  }

  return {
    async prove(person, { password, code = '' }) {
      const isTyped = password.isWellFormed() && Buffer.byteLength(password) <= mostPasswordBytes
      const isRight = await argon2id.verify(person?.passwordHash ?? undefined, isTyped ? password : '')
      const recovery = readRecoveryCode(code)
      const proved = recovery
        ? await proveRecoveryCode(person?.id ?? '', recovery)
        : proveTotp(person, readTotpCode(code) ?? noCode)
      return { isPasswordRight: isRight && isTyped, code: proved }
    },
  }
}

/** Why a proof is not enough, for the ledger; undefined when the code has yet to be spent or none is asked for. */
export function whyNot(
  person: ProvablePerson | undefined,
  proof: Proof,
  asked: { readonly secondFactor: 'required' | 'optional'; readonly streak: number },
): string | undefined {
  if (person === undefined) return 'unknown-name'
  if (person.isService) return 'service-account'
  if (!proof.isPasswordRight) return 'wrong-password'
  if (person.status !== 'active') return 'suspended'
  if (proof.code.kind === 'recovery-code') return proof.code.isUnused ? undefined : 'wrong-code'
  // INVARIANT: who has a passkey has a second factor, and a password alone is not enough.
  const isAlone = asked.secondFactor === 'optional' && !person.hasPasskey
  if (person.totp === undefined) return isAlone ? undefined : 'no-second-factor'
  if (proof.code.steps.length === 0) return 'wrong-code'
  // SPEC: NIST SP 800-63B-4, section 3.2.2: after 100 failures in a row the authenticator is disabled.
  return asked.streak >= mostConsecutiveFailures ? 'too-many-failures' : undefined
}

/**
 * Makes the code count, once: one conditional update that only one of any number of simultaneous callers wins.
 * @returns the factors that were proved, or undefined when the code had been used
 */
export async function spendCode(
  transaction: Query,
  person: ProvablePerson,
  proof: Proof,
  nowMs: number,
): Promise<readonly Factor[] | undefined> {
  if (proof.code.kind === 'totp') {
    if (person.totp === undefined) return ['password']
    for (const step of proof.code.steps) {
      if (await spendStep(transaction, person.totp.id, step)) return ['password', 'totp']
    }
    return undefined
  }
  const spent = await transaction
    .updateTable('recovery_codes')
    .set({ used_at: nowMs })
    .where('person_id', '=', person.id)
    .where('code_hash', '=', proof.code.hash)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  return spent.numUpdatedRows === 1n ? ['password', 'recovery-code'] : undefined
}

async function spendStep(transaction: Query, factorId: string, step: number): Promise<boolean> {
  // SPEC: RFC 6238, section 5.2: the verifier must not accept the second attempt of a code.
  const spent = await transaction
    .updateTable('second_factors')
    .set({ last_step: step })
    .where('id', '=', factorId)
    .where((where) => where.or([where('last_step', 'is', null), where('last_step', '<', step)]))
    .executeTakeFirst()
  return spent.numUpdatedRows === 1n
}

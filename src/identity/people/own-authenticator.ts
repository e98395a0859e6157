/**
 * May this person set up an authenticator? Whoever has none, after a fresh proof of what they sign in with.
 * Stops a stolen session from adding a thief's authenticator; a secret that was shown counting without a code of it.
 * Trusts the ceremony, which is opened only after the proof. Fails closed: no entry in the ledger, no authenticator.
 * @see ASVS 6.3.7, 7.5.1; RFC 6238
 */
import { createId, type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { authenticatorAdded, changeRefused } from '../events.ts'
import { createRecoveryCodes } from '../methods/recovery-code/recovery-code.ts'
import { describeTotp, matchingSteps, readTotpCode } from '../methods/totp/totp.ts'
import { addNotice } from '../notices/notices.ts'
import type { Parts, Query } from '../parts.ts'
import { type Ceremonies, type Subject, createCeremonies, subjectOf } from '../passkey/ceremonies.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { totpPlace } from '../sign-in/prove-factors.ts'
import type { ProofRequest, ProveFresh } from '../step-up/prove-fresh.ts'
import { sessionHolds } from '../step-up/session-holds.ts'
import { insertRecoveryCodes } from './recovery-codes.ts'

const secretBytes = 20

/** What is shown once, and the sealed state that is sent back with a code. */
export interface ShownSecret {
  readonly state: string
  readonly otpauthUri: string
  readonly secret: string
}

export interface ConfirmRequest {
  readonly principal: Principal
  readonly binding: string
  readonly state: string
  readonly code: string
  readonly address?: string | undefined
}

export interface OwnAuthenticator {
  begin(request: ProofRequest): Promise<ShownSecret | Refusal>
  /** The same secret, for who mistyped its first code. */
  again(request: ConfirmRequest): ShownSecret | Refusal
  /** @returns recovery codes for whoever had none, shown once */
  confirm(request: ConfirmRequest): Promise<{ readonly recoveryCodes: readonly string[] } | Refusal>
}

function secretOf(challenge: string): Uint8Array {
  return Buffer.from(challenge, 'base64url').subarray(0, secretBytes)
}

async function hasAuthenticator(query: Query, personId: string): Promise<boolean> {
  const rows = query.selectFrom('second_factors').select('id').where('person_id', '=', personId)
  return (await rows.executeTakeFirst()) !== undefined
}

async function hasRecoveryCodes(query: Query, personId: string): Promise<boolean> {
  const rows = query.selectFrom('recovery_codes').select('id').where('person_id', '=', personId)
  return (await rows.where('used_at', 'is', null).executeTakeFirst()) !== undefined
}

interface Tools {
  readonly parts: Parts
  readonly ceremonies: Ceremonies
}

function subject(who: Pick<ConfirmRequest, 'principal' | 'binding'>): Subject {
  return subjectOf('authenticator', who)
}

async function add(
  { parts, ceremonies }: Tools,
  request: ConfirmRequest,
): Promise<{ recoveryCodes: readonly string[] } | Refusal> {
  const { clock, sealer, gate, argon2id } = parts
  const { principal, state, code, address } = request
  const looked = ceremonies.look(state, subject(request))
  if (isRefusal(looked)) return looked
  const secret = secretOf(looked.challenge)
  const typed = readTotpCode(code)
  const step = typed === undefined ? undefined : matchingSteps(secret, typed, clock.now()).at(-1)
  if (step === undefined) return refuse(refusals.codeWrong)
  const spent = await ceremonies.spend(state, subject(request))
  if (isRefusal(spent)) return spent
  const recovery = await gate.run(() => createRecoveryCodes(argon2id))
  if (isRefusal(recovery)) return recovery
  const [nowMs, personId] = [clock.now(), principal.id]
  const id = createId(nowMs)
  return recordChange<{ recoveryCodes: readonly string[] }>(parts, {
    async work(transaction) {
      if (!(await sessionHolds(transaction, principal))) return refuse(refusals.sessionInvalid)
      if (await hasAuthenticator(transaction, personId)) return refuse(refusals.authenticatorKnown)
      const sealed_secret = sealer.seal(secret, totpPlace(id))
      const row = { id, person_id: personId, kind: 'totp' as const, sealed_secret, confirmed_at: nowMs }
      // INVARIANT: the confirming code has been used.
      await transaction
        .insertInto('second_factors')
        .values({ ...row, last_step: step })
        .execute()
      await addNotice(transaction, { personId, kind: 'authenticator-added', nowMs, details: { address } })
      if (await hasRecoveryCodes(transaction, personId)) return { recoveryCodes: [] }
      await insertRecoveryCodes(transaction, personId, recovery.hashes, nowMs)
      return { recoveryCodes: recovery.codes }
    },
    tell: () => [authenticatorAdded, { principal, address, outcome: 'succeeded', details: { factor: id } }],
  })
}

export function createOwnAuthenticator(parts: Parts, proveFresh: ProveFresh): OwnAuthenticator {
  const { database, ledger } = parts
  const ceremonies = createCeremonies(parts)
  return {
    async begin(request) {
      const { principal } = request
      if (await hasAuthenticator(database.query, principal.id)) return refuse(refusals.authenticatorKnown)
      const proven = await proveFresh(request)
      if (isRefusal(proven)) return proven
      const { challenge, state } = ceremonies.open(subject(request))
      return { state, ...describeTotp(principal.name, secretOf(challenge)) }
    },
    again(request) {
      const { state, principal } = request
      const looked = ceremonies.look(state, subject(request))
      return isRefusal(looked) ? looked : { state, ...describeTotp(principal.name, secretOf(looked.challenge)) }
    },
    async confirm(request) {
      const answer = await add({ parts, ceremonies }, request)
      if (!isRefusal(answer)) return answer
      const { principal, address } = request
      const fields = { principal, address, outcome: 'refused', refusal: answer.code } as const
      await ledger.append(changeRefused, { ...fields, details: { ...answer.detail } })
      return answer
    },
  }
}

/**
 * Is the authenticator really theirs? One code of it confirms, and person, factor, codes and roles are made at once.
 * Stops finishing twice, a second first admin, and the confirming code from being used again to sign in.
 * Trusts the sealed draft. Fails closed: each try is counted first; the person exists only with the entry that tells it.
 */
import { createId, isRefusal, type Refusal, refuse, type Sealer } from '#kernel'
import { type EnrolmentDraft, openDraft } from './draft.ts'
import { type OpenEnrolment, findOpenEnrolment, hasAdmin, mostEnrolmentAttempts } from './links.ts'
import { personEnrolled } from '../events.ts'
import { leastAlone } from '../methods/password/rules.ts'
import { type RecoveryCodes, createRecoveryCodes } from '../methods/recovery-code/recovery-code.ts'
import { matchingSteps, readTotpCode } from '../methods/totp/totp.ts'
import type { Parts, Query } from '../parts.ts'
import { totpPlace } from '../sign-in/prove-factors.ts'
import { recordChange } from '../record-change.ts'
import { insertRecoveryCodes } from '../people/recovery-codes.ts'
import { refusals } from '../refusals.ts'

export interface FinishRequest {
  readonly token: string
  /** Of the authenticator that `choose` showed. May be left out where the second factor is optional. */
  readonly code?: string | undefined
  readonly address: string
}

export interface Enrolled {
  readonly principalName: string
  /** Ten, shown once; none without a second factor. */
  readonly recoveryCodes: readonly string[]
}

interface Confirmed {
  readonly open: OpenEnrolment
  readonly draft: EnrolmentDraft
  /** The step of the confirming code; undefined without a second factor. */
  readonly step: number | undefined
  readonly recovery: RecoveryCodes
}

interface FreshIds {
  readonly personId: string
  readonly factorId: string
  readonly nowMs: number
}

async function countAttempt({ database }: Parts, enrolmentId: string): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const counted = await transaction
      .updateTable('enrolments')
      .set((column) => ({ attempts: column('attempts', '+', 1) }))
      .where('id', '=', enrolmentId)
      .where('used_at', 'is', null)
      .where('attempts', '<', mostEnrolmentAttempts)
      .executeTakeFirst()
    return counted.numUpdatedRows === 1n
  })
}

async function confirm(parts: Parts, { token, code }: FinishRequest): Promise<Omit<Confirmed, 'recovery'> | Refusal> {
  const { database, clock, settings, sealer } = parts
  const open = await findOpenEnrolment(database.query, token, clock.now())
  if (!open) return refuse(refusals.enrolmentInvalid)
  const draft = openDraft(sealer, open.id, open.sealedDraft)
  if (!draft) return refuse(refusals.enrolmentIncomplete)
  if (code === undefined && settings.secondFactor === 'optional') {
    const isLong = draft.passwordLength >= leastAlone
    if (!isLong) return refuse(refusals.passwordTooShort, { names: { least: String(leastAlone) } })
    return { open, draft, step: undefined }
  }
  if (!(await countAttempt(parts, open.id))) return refuse(refusals.enrolmentInvalid)
  const typed = readTotpCode(code ?? '')
  const secret = Buffer.from(draft.totpSecret, 'base64url')
  const step = typed === undefined ? undefined : matchingSteps(secret, typed, clock.now()).at(-1)
  return step === undefined ? refuse(refusals.codeWrong) : { open, draft, step }
}

/** Uses the enrolment up: only for the draft that was confirmed, and only once. */
async function use(transaction: Query, { open }: Confirmed, nowMs: number): Promise<Refusal | undefined> {
  const used = await transaction
    .updateTable('enrolments')
    .set({ used_at: nowMs, sealed_draft: null })
    .where('id', '=', open.id)
    .where('used_at', 'is', null)
    .where('expires_at', '>', nowMs)
    .where('sealed_draft', '=', open.sealedDraft)
    .executeTakeFirst()
  if (used.numUpdatedRows !== 1n) return refuse(refusals.enrolmentInvalid)
  const isTooLate = open.kind === 'setup' && (await hasAdmin(transaction))
  return isTooLate ? refuse(refusals.enrolmentInvalid) : undefined
}

async function make(
  sealer: Sealer,
  transaction: Query,
  confirmed: Confirmed,
  fresh: FreshIds,
): Promise<Enrolled | Refusal> {
  const { open, draft, step, recovery } = confirmed
  const refusal = (await use(transaction, confirmed, fresh.nowMs)) ?? (await writePerson(transaction, confirmed, fresh))
  if (refusal) return refusal
  const { personId: person_id, nowMs } = fresh
  if (step !== undefined) {
    const secret = Buffer.from(draft.totpSecret, 'base64url')
    const sealed_secret = sealer.seal(secret, totpPlace(fresh.factorId))
    const factor = { id: fresh.factorId, person_id, kind: 'totp' as const, sealed_secret, confirmed_at: nowMs }
    // INVARIANT: one authenticator each: that of the link takes the place of one that was set up without a password.
    await transaction.deleteFrom('second_factors').where('person_id', '=', person_id).execute()
    // INVARIANT: the confirming code has been used; the first sign-in needs the next one.
    await transaction
      .insertInto('second_factors')
      .values({ ...factor, last_step: step })
      .execute()
    await insertRecoveryCodes(transaction, person_id, recovery.hashes, nowMs)
  }
  const grants = open.roles.map((role) => ({ person_id, role, granted_at: nowMs, granted_by: open.createdBy }))
  if (grants.length > 0) {
    const granted = transaction.insertInto('role_grants').values(grants)
    await granted.onConflict((conflict) => conflict.columns(['person_id', 'role']).doNothing()).execute()
  }
  return { principalName: draft.name, recoveryCodes: recovery.codes }
}

async function writePerson(
  transaction: Query,
  { open, draft }: Confirmed,
  { personId, nowMs }: FreshIds,
): Promise<Refusal | undefined> {
  const chosen = { display_name: draft.displayName, password_hash: draft.passwordHash, updated_at: nowMs }
  if (open.kind === 'invitation') {
    const updated = await transaction
      .updateTable('people')
      .set(chosen)
      .where('id', '=', personId)
      .where('password_hash', 'is', null)
      .where('status', '=', 'active')
      .executeTakeFirst()
    return updated.numUpdatedRows === 1n ? undefined : refuse(refusals.enrolmentInvalid)
  }
  const taken = await transaction.selectFrom('people').select('id').where('name', '=', draft.name).executeTakeFirst()
  if (taken) return refuse(refusals.nameTaken, { names: { name: draft.name } })
  const person = { id: personId, name: draft.name, status: 'active' as const, created_at: nowMs }
  await transaction
    .insertInto('people')
    .values({ ...person, ...chosen })
    .execute()
  return undefined
}

/** The last step of an enrolment: everything at once, or nothing. */
export async function finish(parts: Parts, request: FinishRequest): Promise<Enrolled | Refusal> {
  const { clock, sealer, gate, argon2id } = parts
  const confirmed = await confirm(parts, request)
  if (isRefusal(confirmed)) return confirmed
  const isWithFactor = confirmed.step !== undefined
  const recovery = isWithFactor ? await gate.run(() => createRecoveryCodes(argon2id)) : { codes: [], hashes: [] }
  if (isRefusal(recovery)) return recovery
  const nowMs = clock.now()
  const personId = confirmed.open.person?.id ?? createId(nowMs)
  const fresh = { personId, factorId: createId(nowMs), nowMs }
  return recordChange<Enrolled>(parts, {
    work: (transaction) => make(sealer, transaction, { ...confirmed, recovery }, fresh),
    tell: ({ principalName }) => [
      personEnrolled,
      {
        principal: { id: personId, name: principalName },
        address: request.address,
        outcome: 'succeeded',
        details: { kind: confirmed.open.kind, roles: confirmed.open.roles, hasSecondFactor: isWithFactor },
      },
    ],
  })
}

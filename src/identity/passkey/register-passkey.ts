/**
 * May this person add this passkey? After a fresh proof of a factor they have, in the same browser and session.
 * Stops a stolen session from adding a thief's passkey, one authenticator from being registered twice, and passkeys
 * without user verification or resident key.
 * Trusts the ceremony, which is opened only after the proof. Fails closed: no entry in the ledger, no passkey.
 * @see ASVS 6.3.7, 6.5.2, 7.5.1; Web Authentication Level 3, section 7.1
 */
import { createId, type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { isDuplicate } from '#platform/database'
import { changeRefused, passkeyAdded } from '../events.ts'
import { readLine } from '../names.ts'
import { addNotice } from '../notices/notices.ts'
import type { Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { sessionHolds } from '../step-up/session-holds.ts'
import type { ProofRequest, ProveFresh } from '../step-up/prove-fresh.ts'
import type { RegistrationAnswer } from './answers.ts'
import { refusePasskey } from './assert.ts'
import { type Ceremonies, ceremonyMs, subjectOf } from './ceremonies.ts'
import { describeCredentials, handleOf, listPasskeys, type PasskeyView } from './passkeys.ts'
import { allowedAlgorithms, relyingParty } from './relying-party.ts'
import { type Registered, verifyRegistration } from './verify.ts'

const mostPasskeys = 20

/** What a browser is asked, in the form of `PublicKeyCredential.parseCreationOptionsFromJSON()`, and the sealed state. */
export interface Asked {
  readonly state: string
  readonly options: Readonly<Record<string, unknown>>
}

export interface RegisterRequest {
  /** From `authenticateSession`. */
  readonly principal: Principal
  readonly state: string
  /** Undefined when what was sent is none. */
  readonly answer: RegistrationAnswer | undefined
  /** What its person calls it. */
  readonly name: string
  readonly binding: string
  readonly address?: string | undefined
}

export interface RegisterTools extends Parts {
  readonly ceremonies: Ceremonies
  readonly proveFresh: ProveFresh
}

/** Asks for a new passkey, after the proof. */
export async function beginRegistration(tools: RegisterTools, request: ProofRequest): Promise<Asked | Refusal> {
  const { database, ceremonies } = tools
  const { principal } = request
  const proven = await tools.proveFresh(request)
  if (isRefusal(proven)) return proven
  const person = await database.query
    .selectFrom('people')
    .select('display_name')
    .where('id', '=', principal.id)
    .executeTakeFirstOrThrow()
  const { challenge, state } = ceremonies.open(subjectOf('registration', request))
  const options = {
    rp: { id: relyingParty(tools).id, name: 'Castellan' },
    user: {
      id: await handleOf(database.query, principal.id),
      name: principal.name,
      displayName: person.display_name,
    },
    challenge,
    pubKeyCredParams: allowedAlgorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout: ceremonyMs,
    excludeCredentials: await describeCredentials(database.query, principal.id),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
  }
  return { state, options }
}

async function insert(
  transaction: Query,
  { principal, answer }: RegisterRequest,
  row: Registered & { readonly id: string; readonly name: string; readonly nowMs: number },
): Promise<Refusal | undefined> {
  const known = await listPasskeys(transaction, principal.id)
  if (known.length >= mostPasskeys) return refuse(refusals.tooManyPasskeys)
  const taken = transaction.selectFrom('passkeys').select('id').where('credential_id', '=', row.credentialId)
  if (await taken.executeTakeFirst()) return refuse(refusals.passkeyKnown)
  await transaction
    .insertInto('passkeys')
    .values({
      id: row.id,
      person_id: principal.id,
      credential_id: row.credentialId,
      public_key: row.publicKey,
      algorithm: row.algorithm,
      counter: row.counter,
      name: row.name,
      transports: JSON.stringify(answer?.response.transports ?? []),
      aaguid: row.aaguid,
      is_syncable: row.isSyncable ? 1 : 0,
      is_synced: row.isSynced ? 1 : 0,
      created_at: row.nowMs,
      last_used_at: null,
    })
    .execute()
  const { name, nowMs } = row
  await addNotice(transaction, { personId: principal.id, kind: 'passkey-added', nowMs, details: { name } })
  return undefined
}

async function add(tools: RegisterTools, request: RegisterRequest): Promise<PasskeyView | Refusal> {
  const { clock, ceremonies } = tools
  const { principal, state, answer, address } = request
  const name = readLine(request.name)
  if (name === undefined) return refuse(refusals.passkeyNameInvalid)
  const spent = await ceremonies.spend(state, subjectOf('registration', request))
  if (isRefusal(spent)) return spent
  if (answer === undefined) return refusePasskey('answer-malformed')
  const found = await verifyRegistration(answer, { party: relyingParty(tools), challenge: spent.challenge })
  if ('reason' in found) return refusePasskey(found.reason)
  const nowMs = clock.now()
  const row = { ...found, id: createId(nowMs), name, nowMs }
  const { id, aaguid, isSyncable, isSynced, algorithm } = row
  return recordChange<PasskeyView>(tools, {
    async work(transaction) {
      if (!(await sessionHolds(transaction, principal))) return refuse(refusals.sessionInvalid)
      const refusal = await insert(transaction, request, row)
      return refusal ?? { id, name, aaguid, isSyncable, isSynced, createdAt: nowMs, lastUsedAt: null }
    },
    tell: () => [
      passkeyAdded,
      {
        principal,
        address,
        outcome: 'succeeded',
        details: { passkey: id, name, algorithm, aaguid, isSyncable, isSynced },
      },
    ],
  })
}

/** Keeps the new passkey. Either answer is on record before it is given. */
export async function registerPasskey(tools: RegisterTools, request: RegisterRequest): Promise<PasskeyView | Refusal> {
  const { principal, address } = request
  const answer = await add(tools, request).catch((error: unknown) => {
    if (isDuplicate(error)) return refuse(refusals.passkeyKnown)
    throw error
  })
  if (!isRefusal(answer)) return answer
  const fields = { principal, address, outcome: 'refused', refusal: answer.code } as const
  await tools.ledger.append(changeRefused, { ...fields, details: { ...answer.detail } })
  return answer
}

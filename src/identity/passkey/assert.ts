/**
 * Whose passkey signed this? Found by the credential id alone: nobody is asked for a name.
 * Stops finding out who has passkeys: an unknown credential costs what a wrong signature of a known one costs, and is
 * answered alike. Stops replay (ceremonies), and cloned authenticators (counters).
 * Trusts the ceremony for the challenge, the library for the signature. Fails closed: one refusal for all that is wrong.
 * @see ASVS 6.3.8; Web Authentication Level 3, section 7.2
 */
import { generateKeyPairSync } from 'node:crypto'
import { type Refusal, isRefusal, refuse } from '#kernel'
import { passkeyCloned } from '../events.ts'
import { addNotice } from '../notices/notices.ts'
import type { Parts, Query } from '../parts.ts'
import { refusals } from '../refusals.ts'
import type { AssertionAnswer } from './answers.ts'
import type { Ceremonies, Subject } from './ceremonies.ts'
import { type KeptPasskey, countUse, findPasskey } from './passkeys.ts'
import { relyingParty } from './relying-party.ts'
import { type Asserted, verifyAssertion } from './verify.ts'

export interface Presented {
  /** As it was given out with the challenge. */
  readonly state: string
  /** Undefined when what was sent is none. */
  readonly answer: AssertionAnswer | undefined
}

export interface Judged {
  readonly passkey: KeptPasskey
  readonly asserted: Asserted
}

export interface Asserter {
  /** Uses the challenge up and judges the answer. Changes nothing of the passkey. */
  judge(presented: Presented, subject: Subject, known: KeptPasskey | undefined): Promise<Judged | Refusal>
  find(presented: Presented): Promise<KeptPasskey | undefined>
  /** Counts the use, in the transaction that grants what was asked for. */
  accept(transaction: Query, judged: Judged, nowMs: number): Promise<Refusal | undefined>
  /** Tells the ledger and the person when a refusal says that there are two of one authenticator. */
  noticeClone(refusal: Refusal, judged: Judged, address: string | undefined): Promise<void>
}

const cloned = 'counter-went-back'

/** A refusal of a passkey, with its reason for the ledger. */
export function refusePasskey(reason: string, passkey?: KeptPasskey): Refusal {
  return refuse(refusals.passkeyRefused, { detail: { reason, ...(passkey && { passkey: passkey.id }) } })
}

/** A COSE key that nobody has: what unknown credentials are judged by. CTAP's canonical order of members. */
function nobodysKey(): string {
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
  const head = Buffer.from('a5010203262001215820', 'hex')
  const parts = [head, Buffer.from(x, 'base64url'), Buffer.from('225820', 'hex'), Buffer.from(y, 'base64url')]
  return Buffer.concat(parts).toString('base64url')
}

export function createAsserter(parts: Parts, ceremonies: Ceremonies): Asserter {
  const { database, clock, ledger } = parts
  const nobody = nobodysKey()

  return {
    find: ({ answer }) => findPasskey(database.query, answer?.id ?? ''),

    async judge({ state, answer }, subject, known) {
      const spent = await ceremonies.spend(state, subject)
      if (isRefusal(spent)) return spent
      if (answer === undefined) return refusePasskey('answer-malformed')
      const asked = { party: relyingParty(parts), challenge: spent.challenge }
      const asserted = await verifyAssertion(answer, { ...asked, publicKey: known?.publicKey ?? nobody })
      if (known === undefined) return refusePasskey('unknown-passkey')
      if ('reason' in asserted) return refusePasskey(asserted.reason, known)
      // SPEC: Web Authentication Level 3, section 7.2, step 6: it must be there where nobody said before who they are.
      const handle = answer.response.userHandle ?? (subject.personId === undefined ? '' : known.handle)
      if (handle !== known.handle) return refusePasskey('handle-of-another-person', known)
      if (asserted.isSyncable !== known.isSyncable) return refusePasskey('another-kind-of-authenticator', known)
      const isOfSubject = subject.personId === undefined || subject.personId === known.personId
      return isOfSubject ? { passkey: known, asserted } : refusePasskey('passkey-of-another-person', known)
    },

    async accept(transaction, { passkey, asserted }, nowMs) {
      const isCounted = await countUse(transaction, passkey, { ...asserted, nowMs })
      if (isCounted) return undefined
      const kept = await findPasskey(transaction, passkey.credentialId)
      return refusePasskey(kept === undefined ? 'passkey-removed' : cloned, passkey)
    },

    async noticeClone(refusal, { passkey, asserted }, address) {
      if (refusal.detail['reason'] !== cloned) return
      const { personId, id, name } = passkey
      const details = { passkey: id, person: personId, counter: asserted.counter }
      await ledger.append(passkeyCloned, { address, outcome: 'refused', refusal: refusal.code, details })
      await database.transaction((transaction) =>
        addNotice(transaction, { personId, kind: 'passkey-cloned', nowMs: clock.now(), details: { name, address } }),
      )
    },
  }
}

/**
 * May this person rename or remove this passkey? Their own, after a fresh proof, and never the last factor.
 * Stops a stolen session from locking its person out. Trusts the proof. Fails closed: no entry in the ledger, no change.
 * @see ASVS 6.3.7, 6.5.6, 7.4.3, 7.5.1
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { endSessions } from '../credentials/sessions.ts'
import { adminRole } from '../enrolment/links.ts'
import { changeRefused, passkeyRemoved, passkeyRenamed } from '../events.ts'
import { readLine } from '../names.ts'
import { addNotice } from '../notices/notices.ts'
import type { Parts, Query } from '../parts.ts'
import { rolesOf } from '../credentials/principals.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import type { ProofRequest, ProveFresh } from '../step-up/prove-fresh.ts'
import { listPasskeys } from './passkeys.ts'

export interface PasskeyChange extends ProofRequest {
  /** Of the passkey. */
  readonly id: string
}

export interface ChangeTools extends Parts {
  readonly proveFresh: ProveFresh
}

interface Changed {
  readonly name: string
  /** Other sessions that ended with it. */
  readonly endedSessions: number
}

/** Proves, then changes; a refusal of the change is recorded like one of the proof. */
async function proved<T>(
  tools: ChangeTools,
  request: PasskeyChange,
  change: () => Promise<T | Refusal>,
): Promise<T | Refusal> {
  const proven = await tools.proveFresh(request)
  if (isRefusal(proven)) return proven
  const answer = await change()
  if (!isRefusal(answer)) return answer
  const { principal, address } = request
  await tools.ledger.append(changeRefused, { principal, address, outcome: 'refused', refusal: answer.code })
  return answer
}

async function findOwn(transaction: Query, { principal, id }: PasskeyChange) {
  return (await listPasskeys(transaction, principal.id)).find((one) => one.id === id)
}

/** Gives a passkey another name. */
export function renamePasskey(
  tools: ChangeTools,
  request: PasskeyChange & { readonly name: string },
): Promise<{ readonly name: string } | Refusal> {
  const { principal, address, id } = request
  return proved(tools, request, async () => {
    const name = readLine(request.name)
    if (name === undefined) return refuse(refusals.passkeyNameInvalid)
    return recordChange<{ readonly name: string; readonly before: string }>(tools, {
      async work(transaction) {
        const own = await findOwn(transaction, request)
        if (own === undefined) return refuse(refusals.factorUnknown)
        await transaction.updateTable('passkeys').set({ name }).where('id', '=', id).execute()
        const details = { name, before: own.name }
        await addNotice(transaction, {
          personId: principal.id,
          kind: 'passkey-renamed',
          nowMs: tools.clock.now(),
          details,
        })
        return details
      },
      tell: (details) => [
        passkeyRenamed,
        { principal, address, outcome: 'succeeded', details: { passkey: id, ...details } },
      ],
    })
  })
}

/** Whether the person could still prove a second factor, and be what they are, without one of their passkeys. */
async function isLast({ settings }: ChangeTools, transaction: Query, personId: string): Promise<boolean> {
  const others = (await listPasskeys(transaction, personId)).length - 1
  if (others > 0) return false
  if (settings.administratorsNeedPasskey && (await rolesOf(transaction, personId)).includes(adminRole)) return true
  const totp = await transaction
    .selectFrom('second_factors')
    .select('id')
    .where('person_id', '=', personId)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirst()
  return totp === undefined
}

/** Takes a passkey away. The person's other sessions end with it. */
export function removePasskey(tools: ChangeTools, request: PasskeyChange): Promise<Changed | Refusal> {
  const { principal, address, id } = request
  const personId = principal.id
  return proved(tools, request, () =>
    recordChange<Changed>(tools, {
      async work(transaction) {
        const own = await findOwn(transaction, request)
        if (own === undefined) return refuse(refusals.factorUnknown)
        if (await isLast(tools, transaction, personId)) return refuse(refusals.lastFactor)
        await transaction.deleteFrom('passkeys').where('id', '=', id).execute()
        const nowMs = tools.clock.now()
        const others = { personId, exceptId: principal.credential.id, reason: 'passkey removed', nowMs }
        const endedSessions = await endSessions(transaction, others)
        await addNotice(transaction, { personId, kind: 'passkey-removed', nowMs, details: { name: own.name } })
        return { name: own.name, endedSessions }
      },
      tell: (details) => [
        passkeyRemoved,
        { principal, address, outcome: 'succeeded', details: { passkey: id, ...details } },
      ],
    }),
  )
}

/**
 * What happens when somebody was recognised, by whatever method? They get a session, if they are active.
 * Stops a session without a record, more sessions than a person may have, and a sign-in from elsewhere that its person
 * never hears of.
 * Trusts the method for having recognised the person. Fails closed: no entry in the ledger, no session.
 * @see ASVS 6.3.5, 7.1.2, 7.2.4
 */
import { type Factor, type Refusal, isRefusal, refuse } from '#kernel'
import { belongingOf, principalOf } from '../credentials/principals.ts'
import { draftSession, endOldest } from '../credentials/sessions.ts'
import { adminRole } from '../enrolment/links.ts'
import { sessionStarted } from '../events.ts'
import { readAgent } from '../names.ts'
import { addNotice } from '../notices/notices.ts'
import { isFromElsewhere } from '../notices/elsewhere.ts'
import type { Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import type { SignedIn } from './sign-in.ts'

export interface Admission {
  readonly personId: string
  readonly factors: readonly Factor[]
  /** Of the connection. */
  readonly address: string
  readonly agent?: string | undefined
  /** For the entry in the ledger. */
  readonly details?: Readonly<Record<string, unknown>>
  /**
   * What belongs into the same transaction, before the session is made: codes spent, counters moved on. A refusal ends
   * it. May answer with other factors than those above.
   * @param sessionId of the session that is about to be made
   */
  within?(transaction: Query, nowMs: number, sessionId: string): Promise<Refusal | readonly Factor[] | undefined>
}

interface Admitted {
  readonly signedIn: SignedIn
  /** Sessions that had to make room. */
  readonly endedSessions: number
}

async function admit(
  parts: Parts,
  transaction: Query,
  admission: Admission,
  draft: ReturnType<typeof draftSession>,
): Promise<Admitted | Refusal> {
  const { personId, address } = admission
  const nowMs = parts.clock.now()
  const person = await transaction.selectFrom('people').selectAll().where('id', '=', personId).executeTakeFirst()
  if (person?.status !== 'active') return refuse(refusals.signInRefused, { detail: { reason: 'suspended' } })
  // INVARIANT: whatever method recognised it, a service account has no session.
  if (person.kind === 'service') return refuse(refusals.signInRefused, { detail: { reason: 'service-account' } })
  const within = await admission.within?.(transaction, nowMs, draft.id)
  if (isRefusal(within)) return within
  const belonging = await belongingOf(transaction, personId)
  const { roles } = belonging
  if (roles.includes(adminRole)) {
    await transaction.updateTable('people').set({ administered_at: nowMs }).where('id', '=', personId).execute()
  }
  const place = { personId, address, agent: readAgent(admission.agent) }
  const isElsewhere = await isFromElsewhere(transaction, place)
  const session = await draft.insert(transaction, within ?? admission.factors)
  if (isElsewhere) {
    const { agent, factors } = session
    await addNotice(transaction, {
      personId,
      kind: 'sign-in-from-elsewhere',
      nowMs,
      details: { address, agent, factors },
    })
  }
  const endedSessions = await endOldest(transaction, parts, { personId, exceptId: session.id })
  const row = {
    id: session.id,
    person_id: personId,
    name: person.name,
    factors: JSON.stringify(session.factors),
    expires_at: session.expiresAt,
    proved_at: session.createdAt,
  }
  return { signedIn: { token: draft.token, session, principal: principalOf('session', row, belonging) }, endedSessions }
}

/** A new session for a person who was recognised; on record before it is given. Refusals are the caller's to record. */
export async function admitPerson(parts: Parts, admission: Admission): Promise<SignedIn | Refusal> {
  const { personId, address, details = {} } = admission
  const agent = readAgent(admission.agent)
  const draft = draftSession(parts, { personId, address, agent })
  const admitted = await recordChange<Admitted>(parts, {
    work: (transaction) => admit(parts, transaction, admission, draft),
    tell: ({ signedIn: { session, principal }, endedSessions }) => [
      sessionStarted,
      {
        principal,
        address,
        outcome: 'succeeded',
        details: {
          credential: session.id,
          factors: session.factors,
          agent,
          ...(endedSessions === 0 ? {} : { endedSessions }),
          ...details,
        },
      },
    ],
  })
  return isRefusal(admitted) ? admitted : admitted.signedIn
}

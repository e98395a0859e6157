/**
 * What has a person consented to, and how do they take it back?
 * Stops: a consent that nobody can look up; taking back what is another's.
 * Trusts: its caller for who is asking.
 * Fails: with one answer for another person's consent and one that never was; without an entry nothing changes.
 */
import { type Principal, type Refusal, refuse } from '#kernel'
import { recordChange } from '../record-change.ts'
import { remedyEvents } from './events.ts'
import type { RemedyParts } from './parts.ts'
import { remedyRefusals } from './refusals.ts'

/** A consent in force. */
export interface ConsentView {
  readonly id: string
  readonly purpose: string
  readonly clientName: string
  /** Wall-clock milliseconds. */
  readonly givenAt: number
  readonly expiresAt: number
}

export interface Consents {
  /** Those in force, newest first, at most 200. */
  list(personId: string): Promise<ConsentView[]>
  /** No call passes with it from here on. */
  revoke(id: string, principal: Principal): Promise<Refusal | undefined>
}

const mostListed = 200

export function createConsents({ database, ledger, clock }: RemedyParts): Consents {
  return {
    async list(personId) {
      const rows = await database.query
        .selectFrom('consents')
        .selectAll()
        .where('person_id', '=', personId)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', clock.now())
        .orderBy('given_at', 'desc')
        .limit(mostListed)
        .execute()
      return rows.map((row) => ({
        id: row.id,
        purpose: row.purpose,
        clientName: row.client_name,
        givenAt: Number(row.given_at),
        expiresAt: Number(row.expires_at),
      }))
    },

    revoke: (id, principal) =>
      recordChange(database, ledger, async (rows, record) => {
        const nowMs = clock.now()
        const revoked = await rows
          .updateTable('consents')
          .set({ revoked_at: nowMs })
          .where('id', '=', id)
          .where('person_id', '=', principal.id)
          .where('revoked_at', 'is', null)
          .where('expires_at', '>', nowMs)
          .returning(['rule', 'purpose'])
          .executeTakeFirst()
        if (revoked === undefined) return refuse(remedyRefusals.consentUnknown)
        const details = { consent: id, rule: revoked.rule, purpose: revoked.purpose }
        await record(remedyEvents.consentRevoked, { principal, details })
        return undefined
      }),
  }
}

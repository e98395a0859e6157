/**
 * What has a person consented to, and how do they take it back?
 * Stops: a consent that nobody can look up; taking back what is another's.
 * Trusts: its caller for who is asking.
 * Fails: with one answer for another person's consent and one that never was; without an entry nothing changes.
 */
import { type Principal, type Refusal, refuse } from '#kernel'
import { recordChange } from '../record-change.ts'
import { boundTo } from './asked-call.ts'
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

/** What counts for one principal, for what it acts by. */
export interface ConsentsInForce {
  readonly purposes: ReadonlySet<string>
  /** Wall-clock milliseconds at which the first purpose ends; `Infinity` without any. */
  readonly until: number
}

export interface Consents {
  /**
   * What the person has consented to for the client, as committed on any node at this moment. A consent to a rule that was
   * changed since, or that is gone, is none.
   */
  inForce(principal: Principal): Promise<ConsentsInForce>
  /** Those in force, newest first, at most 200. */
  list(personId: string): Promise<ConsentView[]>
  /** No call passes with it from here on. */
  revoke(id: string, principal: Principal): Promise<Refusal | undefined>
}

const mostListed = 200

export function createConsents({ database, ledger, clock, policy }: RemedyParts): Consents {
  return {
    async inForce(principal) {
      const rows = await database.query
        .selectFrom('consents')
        .select(['rule', 'fingerprint', 'purpose', 'expires_at'])
        .where('person_id', '=', principal.id)
        .where('bound_to', '=', boundTo(principal))
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', clock.now())
        .orderBy('expires_at')
        .execute()
      const given = rows.filter(({ rule, fingerprint }) => policy.ruleFingerprint(rule) === fingerprint)
      // WHY: two rules may ask for one purpose; the consent that ends last stands last, and counts.
      const ends = new Map(given.map((row) => [row.purpose, Number(row.expires_at)]))
      return { purposes: new Set(ends.keys()), until: Math.min(...ends.values()) }
    },

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

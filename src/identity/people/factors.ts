/**
 * What can this person prove themselves with, and may an administrator take one of it? Each factor by itself.
 * Stops: a lost authenticator from being good until its person comes back.
 * Trusts: the caller for the permission to act; who it was is recorded. Fails closed: no entry in the ledger, no change.
 * @see ASVS 6.5.6, 7.4.3
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { endSessions } from '../credentials/sessions.ts'
import { factorRevoked } from '../events.ts'
import { addNotice } from '../notices/notices.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { listPasskeys } from '../passkey/passkeys.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { isLastAdmin } from './take-factors.ts'

export interface FactorView {
  /** Of an authenticator or passkey; `password` and `recovery-codes` are their own. */
  readonly id: string
  readonly kind: 'password' | 'totp' | 'passkey' | 'recovery-codes'
  /** What its person calls it; of recovery codes, how many are left. */
  readonly name: string
  /** Wall-clock milliseconds; null where it is not kept. */
  readonly createdAt: number | null
  readonly lastUsedAt: number | null
}

export interface Factors {
  /** Of nobody there are none. */
  list(personId: string): Promise<FactorView[]>
  /** Takes one and ends the person's sessions. A password is taken by a reset. */
  revoke(request: { readonly personId: string; readonly id: string; readonly by: Actor }): Promise<FactorView | Refusal>
}

async function readFactors(query: Query, personId: string): Promise<FactorView[]> {
  const person = await query.selectFrom('people').select('password_hash').where('id', '=', personId).executeTakeFirst()
  const totp = await query
    .selectFrom('second_factors')
    .select(['id', 'confirmed_at'])
    .where('person_id', '=', personId)
    .where('confirmed_at', 'is not', null)
    .execute()
  const passkeys = await listPasskeys(query, personId)
  const { left } = await query
    .selectFrom('recovery_codes')
    .select((select) => select.fn.countAll<number>().as('left'))
    .where('person_id', '=', personId)
    .where('used_at', 'is', null)
    .executeTakeFirstOrThrow()
  const unknown = { createdAt: null, lastUsedAt: null }
  const password: FactorView = { id: 'password', kind: 'password', name: 'password', ...unknown }
  const codes: FactorView = { id: 'recovery-codes', kind: 'recovery-codes', name: `${left} left`, ...unknown }
  return [
    ...(person?.password_hash ? [password] : []),
    ...totp.map(({ id, confirmed_at: createdAt }) => {
      return { id, kind: 'totp' as const, name: 'authenticator app', createdAt, lastUsedAt: null }
    }),
    ...passkeys.map(({ id, name, createdAt, lastUsedAt }) => {
      return { id, kind: 'passkey' as const, name, createdAt, lastUsedAt }
    }),
    ...(left > 0 ? [codes] : []),
  ]
}

async function take(transaction: Query, personId: string, { kind, id }: FactorView): Promise<void> {
  if (kind === 'recovery-codes') {
    await transaction.deleteFrom('recovery_codes').where('person_id', '=', personId).execute()
    return
  }
  const table = kind === 'totp' ? 'second_factors' : 'passkeys'
  await transaction.deleteFrom(table).where('id', '=', id).where('person_id', '=', personId).execute()
}

export function createFactors(parts: Parts): Factors {
  const { database, clock } = parts
  return {
    list: (personId) => readFactors(database.query, personId),

    async revoke({ personId, id, by }) {
      const revoked = await recordChange<{ factor: FactorView; sessions: number }>(parts, {
        async work(transaction) {
          const all = await readFactors(transaction, personId)
          const factor = all.find((one) => one.id === id && one.kind !== 'password')
          if (factor === undefined) return refuse(refusals.factorUnknown)
          const others = all.filter((one) => one !== factor && one.kind !== 'password' && one.kind !== 'recovery-codes')
          // WHY: the house would have no administrator who can come in.
          if (others.length === 0 && (await isLastAdmin(transaction, personId))) return refuse(refusals.lastAdmin)
          await take(transaction, personId, factor)
          const nowMs = clock.now()
          const sessions = await endSessions(transaction, { personId, reason: 'factor revoked', nowMs })
          const { kind, name } = factor
          await addNotice(transaction, { personId, kind: 'factor-revoked', nowMs, details: { factor: kind, name } })
          return { factor, sessions }
        },
        tell: ({ factor, sessions }) => [
          factorRevoked,
          {
            principal: { id: by.id, name: by.name },
            outcome: 'succeeded',
            details: { person: personId, factor: id, kind: factor.kind, name: factor.name, sessions },
          },
        ],
      })
      return isRefusal(revoked) ? revoked : revoked.factor
    },
  }
}

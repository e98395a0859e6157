/**
 * Which access tokens does a person have? 256 random bits each, for one resource, with an end, revocable at once.
 * Stops use after revocation, from the next request on.
 * Trusts the caller for permission to act; who it was is recorded. Fails closed: no entry in the ledger, no change.
 * @see RFC 8707 (resource indicators), ASVS 7.2
 */
import { type Refusal, refuse } from '#kernel'
import type { Tables } from '#platform/database'
import type { ExpressionBuilder } from 'kysely'
import { tokenRevoked } from '../events.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { type MintedToken, type MintRequest, mintToken } from './mint-token.ts'
import { type AccessTokenView, tokenView } from './token-view.ts'

export interface AccessTokens {
  mint(request: MintRequest): Promise<MintedToken | Refusal>
  /** Newest first, revoked and expired ones too, at most 1000; of everybody without a person. */
  list(personId?: string): Promise<AccessTokenView[]>
  /** @param ownerId when given, only a token of this person or of a service account of theirs; another's is unknown */
  revoke(id: string, by: Actor, ownerId?: string): Promise<AccessTokenView | Refusal>
}

/** Revokes the tokens of a person that hold, in a transaction that has its own entry. */
export async function revokeTokens(
  transaction: Query,
  revoked: { personId: string; by: Actor; nowMs: number },
): Promise<number> {
  const outcome = await transaction
    .updateTable('access_tokens')
    .set({ revoked_at: revoked.nowMs, revoked_by: revoked.by.id })
    .where('person_id', '=', revoked.personId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(outcome.numUpdatedRows)
}

/** Those of a person, and of the service accounts that they answer for. */
function ownedBy(transaction: Query, ownerId: string) {
  const accounts = transaction.selectFrom('service_accounts').select('person_id').where('owner_id', '=', ownerId)
  return (where: ExpressionBuilder<Tables, 'access_tokens'>) =>
    where.or([where('person_id', '=', ownerId), where('person_id', 'in', accounts)])
}

export function createAccessTokens(parts: Parts): AccessTokens {
  const { database, clock } = parts
  return {
    mint: (request) => mintToken(parts, request),

    async list(personId) {
      const all = database.query.selectFrom('access_tokens').selectAll().orderBy('id', 'desc').limit(1000)
      const rows = await (personId === undefined ? all : all.where('person_id', '=', personId)).execute()
      return rows.map(tokenView)
    },

    revoke(id, by, ownerId) {
      const end = { revoked_at: clock.now(), revoked_by: by.id }
      return recordChange<AccessTokenView>(parts, {
        async work(transaction) {
          const found = transaction
            .selectFrom('access_tokens')
            .selectAll()
            .where('id', '=', id)
            .where('revoked_at', 'is', null)
          const row = await (
            ownerId === undefined ? found : found.where(ownedBy(transaction, ownerId))
          ).executeTakeFirst()
          if (!row) return refuse(refusals.credentialUnknown)
          await transaction.updateTable('access_tokens').set(end).where('id', '=', id).execute()
          return tokenView({ ...row, ...end })
        },
        tell: (view) => [
          tokenRevoked,
          {
            principal: { id: by.id, name: by.name },
            outcome: 'succeeded',
            details: { credential: id, label: view.label, person: view.personId },
          },
        ],
      })
    },
  }
}

/**
 * Which keys of issuers elsewhere did an administrator withdraw, whatever the issuer publishes?
 * Stops: tokens of a stolen signing key, and streams opened with them, on all nodes, before the issuer has acted.
 * Trusts: the caller for permission to act. Fails closed: no entry in the ledger, no change; what cannot be read, refuses.
 * @see RFC 7517, section 4.5; docs/decisions/0040-what-ends-an-open-stream.md
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import type { Actor, Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { issuerKeyRestored, issuerKeyWithdrawn } from './events.ts'
import { createFindKeys } from './find-keys.ts'
import type { IssuerSettings } from './settings.ts'

/** One key that was withdrawn. Times in wall-clock milliseconds. */
export interface WithdrawnKey {
  readonly issuer: string
  /** Its `kid`, or the SHA-256 of its SubjectPublicKeyInfo in hex. */
  readonly key: string
  readonly withdrawnAt: number
}

/** A key that was withdrawn just then. */
export interface Withdrawal extends WithdrawnKey {
  /** Whether the issuer publishes it at this moment; undefined where the issuer cannot be asked. */
  readonly isPublished: boolean | undefined
}

export interface IssuerKeyring {
  list(): Promise<WithdrawnKey[]>
  /** Ends what the key signed, on all nodes. A second time it changes nothing. */
  withdraw(key: Pick<WithdrawnKey, 'issuer' | 'key'>, by: Actor): Promise<Withdrawal | Refusal>
  /** Lets it count again. */
  restore(key: Pick<WithdrawnKey, 'issuer' | 'key'>, by: Actor): Promise<WithdrawnKey | Refusal>
}

/** The keys of an issuer that nothing counts of. */
export async function keysWithdrawn(query: Query, issuer: string): Promise<readonly string[]> {
  const rows = await query.selectFrom('withdrawn_issuer_keys').select('key').where('issuer', '=', issuer).execute()
  return rows.map(({ key }) => key)
}

function readOne(
  query: Query,
  { issuer, key }: Pick<WithdrawnKey, 'issuer' | 'key'>,
): Promise<WithdrawnKey | undefined> {
  return query
    .selectFrom('withdrawn_issuer_keys')
    .select(['issuer', 'key', 'withdrawn_at as withdrawnAt'])
    .where('issuer', '=', issuer)
    .where('key', '=', key)
    .executeTakeFirst()
}

/** WHY: a key that is not published may have been, and counts as withdrawn; a name that was misspelled ends nothing. */
async function isPublished(settings: IssuerSettings, key: string): Promise<boolean | undefined> {
  const published = await createFindKeys(settings)().catch(() => undefined)
  return published?.some(({ keyId, thumbprint }) => keyId === key || thumbprint === key)
}

function tellOf(by: Actor, { issuer, key }: WithdrawnKey) {
  return { principal: { id: by.id, name: by.name }, outcome: 'succeeded', details: { issuer, key } } as const
}

export function createIssuerKeyring(parts: Parts): IssuerKeyring {
  const { database, clock } = parts
  return {
    list: () =>
      database.query
        .selectFrom('withdrawn_issuer_keys')
        .select(['issuer', 'key', 'withdrawn_at as withdrawnAt'])
        .orderBy('withdrawn_at', 'desc')
        .execute(),
    async withdraw({ issuer, key }, by) {
      const settings = parts.settings.issuers.find((one) => one.issuer === issuer)
      if (settings === undefined) return refuse(refusals.issuerUnknown)
      const row = { issuer, key, withdrawn_at: clock.now(), withdrawn_by: by.id }
      let isNew = true
      const withdrawn = await recordChange<WithdrawnKey>(parts, {
        async work(transaction) {
          const known = await readOne(transaction, row)
          isNew = known === undefined
          if (known !== undefined) return known
          await transaction.insertInto('withdrawn_issuer_keys').values(row).execute()
          return { issuer, key, withdrawnAt: row.withdrawn_at }
        },
        tell: (one) => (isNew ? [issuerKeyWithdrawn, tellOf(by, one)] : undefined),
      })
      // INVARIANT: withdrawn first; an issuer that does not answer delays nothing.
      return isRefusal(withdrawn) ? withdrawn : { ...withdrawn, isPublished: await isPublished(settings, key) }
    },
    restore: (asked, by) =>
      recordChange<WithdrawnKey>(parts, {
        async work(transaction) {
          const known = await readOne(transaction, asked)
          if (known === undefined) return refuse(refusals.issuerKeyUnknown)
          const rows = transaction.deleteFrom('withdrawn_issuer_keys').where('issuer', '=', asked.issuer)
          await rows.where('key', '=', asked.key).execute()
          return known
        },
        tell: (restored) => [issuerKeyRestored, tellOf(by, restored)],
      }),
  }
}

/**
 * When does what one token request wrote become true? All of it at once, with its entry in the ledger, or nothing of it.
 * Stops: a code or refresh token that is used up and was answered with nothing, whenever the process ends; two answers to
 * one use, also of two nodes.
 * Trusts: the database's transaction and the ledger's receipt. Fails closed: what cannot be written was not given.
 * @see RFC 9700, section 4.14; docs/decisions/0039-token-exchange.md
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { EntryFields, EventDefinition } from '#audit'
import { isRefusal, type Refusal, refuse } from '#kernel'
import type { Tables } from '#platform/database'
import type { Insertable } from 'kysely'
import type { Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import type { OauthParts } from './parts.ts'

/** A row as it is first written. */
export type ArtifactRow = Insertable<Tables['oauth_artifacts']>

/** Something that may be used once, and is being used. */
export interface Use {
  readonly kind: string
  readonly idHash: string
}

/** What a token request would write. */
export interface HeldWrites {
  readonly rows: ArtifactRow[]
  readonly uses: readonly Use[]
  /** What else belongs to it; a refusal undoes all. May run more than once. */
  readonly also: ((transaction: Query) => Promise<Refusal | undefined>)[]
  /** When each thing that was found had been consumed, by kind and hash. */
  readonly seen: Map<string, number | null>
  consume(use: Use): void
}

const present = new AsyncLocalStorage<{ readonly writes: HeldWrites; readonly isHeld: () => boolean }>()

/** The writes of the token request that is being answered; undefined where each is made at once. */
export function presentWrites(): HeldWrites | undefined {
  const { writes, isHeld } = present.getStore() ?? {}
  return isHeld?.() === true ? writes : undefined
}

/**
 * Runs something whose writes are held back.
 * @param isHeld asked at each write: what a request is for is not known before the protocol's own routing
 * @returns what it would write
 */
export async function holdWrites(work: () => Promise<void>, isHeld: () => boolean): Promise<HeldWrites> {
  const uses: Use[] = []
  const writes: HeldWrites = { rows: [], uses, also: [], seen: new Map(), consume: (use) => void uses.push(use) }
  await present.run({ writes, isHeld }, work)
  return writes
}

/** Writes an artifact; what has the same id is replaced and keeps whether it was used. */
export async function writeArtifact(query: Query, row: ArtifactRow): Promise<void> {
  const { grant_id, client_id, person_id, sealed_payload, expires_at } = row
  await query
    .insertInto('oauth_artifacts')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['kind', 'id_hash']).doUpdateSet({ grant_id, client_id, person_id, sealed_payload, expires_at }),
    )
    .execute()
}

function usable(query: Query, { kind, idHash }: Use) {
  return query
    .updateTable('oauth_artifacts')
    .where('kind', '=', kind)
    .where('id_hash', '=', idHash)
    .where('answered_at', 'is', null)
    .where('ended_at', 'is', null)
}

/** INVARIANT: whoever consumes is the first since they looked: of two that saw the same, one changes a row. */
async function consumeOne(transaction: Query, use: Use, at: { nowMs: number; seen: number | null }): Promise<boolean> {
  const found = usable(transaction, use).set({ consumed_at: at.nowMs })
  const { seen } = at
  const mine = seen === null ? found.where('consumed_at', 'is', null) : found.where('consumed_at', '=', seen)
  return Number((await mine.executeTakeFirst()).numUpdatedRows) === 1
}

const usedAlready = () => refuse(refusals.tokenInvalid, { detail: { reason: 'used already' } })

/**
 * Makes the writes true, and marks what was used as answered. When it returns undefined the answer may be sent.
 * @returns why not, with nothing given; @throws Fault when it cannot be recorded
 */
export async function commitWrites(
  parts: Pick<OauthParts, 'database' | 'ledger' | 'clock'>,
  writes: HeldWrites,
  entry: readonly [EventDefinition, EntryFields],
): Promise<Refusal | undefined> {
  const nowMs = parts.clock.now()
  const { uses, rows, also, seen } = writes
  const made = await recordChange<true>(parts, {
    async work(transaction) {
      for (const use of uses) {
        const before = seen.get(`${use.kind}/${use.idHash}`) ?? null
        if (!(await consumeOne(transaction, use, { nowMs, seen: before }))) return usedAlready()
      }
      for (const one of also) {
        const refusal = await one(transaction)
        if (refusal) return refusal
      }
      for (const row of rows) await writeArtifact(transaction, row)
      return true
    },
    tell: () => entry,
  })
  if (isRefusal(made)) return made
  // INVARIANT: what was consumed counts as used before its answer leaves, and only for who consumed it last.
  for (const use of uses) {
    const marked = usable(parts.database.query, use).set({ answered_at: parts.clock.now() })
    const { numUpdatedRows } = await marked.where('consumed_at', '=', nowMs).executeTakeFirst()
    if (Number(numUpdatedRows) !== 1) return usedAlready()
  }
  return undefined
}

/**
 * Which rules does no node go by any more, because the official engine disagreed with a decision by them?
 * Stops: another node, or this one after a restart, that goes on deciding by them; the same rules under a new number.
 * Trusts: the database to keep what was written.
 * Fails: what cannot be written is tried again until it is; the process that found it denies meanwhile.
 * @see docs/decisions/0042-decisions-are-compiled.md
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '#kernel'
import type { Database } from '#platform/database'
import type { LoadedSnapshot } from '../snapshot/load.ts'

/** What is told apart: the same rules stay the same, whoever publishes them again. */
export type DistrustedRules = Pick<LoadedSnapshot, 'version' | 'rulesHash'>

const againMs = 1_000

/** Whether nobody goes by these rules any more. */
export async function isKeptDistrusted(rows: Database['query'], { rulesHash }: DistrustedRules): Promise<boolean> {
  const found = await rows
    .selectFrom('distrusted_policies')
    .select('version')
    .where('rules_hash', '=', rulesHash)
    .executeTakeFirst()
  return found !== undefined
}

/** Keeps that nobody goes by these rules any more; resolves when it is kept. Twice is once. */
export async function keepDistrusted(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  { version, rulesHash }: DistrustedRules,
): Promise<void> {
  for (;;) {
    try {
      const row = { rules_hash: rulesHash, version, found_at: clock.now() }
      await database.query
        .insertInto('distrusted_policies')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      return
    } catch {
      // INVARIANT: everything is denied here by then; a database that is away must not make the others go on.
      await pause(againMs, undefined, { ref: false })
    }
  }
}

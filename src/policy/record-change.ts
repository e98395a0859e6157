/**
 * How is a change made only when its record is durable?
 * Stops: a change without an entry; an entry of a change that did not happen and does not say so.
 * Trusts: the ledger to resolve when durable; the database to roll back when the work throws.
 * Fails: no entry, no change. When the commit fails after the entry, a second entry says that it failed.
 */
import type { EntryFields, EventDefinition, Ledger } from '#audit'
import { isRefusal } from '#kernel'
import type { Database } from '#platform/database'
import type { Rows } from './snapshot/store.ts'

/** Records one event as succeeded; to be called last, when nothing but the commit is left. */
export type RecordEvent = (event: EventDefinition, fields: Omit<EntryFields, 'outcome'>) => Promise<void>

interface Promised {
  readonly event: EventDefinition
  readonly fields: Omit<EntryFields, 'outcome'>
  readonly entry: number
}

/** Undoes a transaction whose work was refused. */
class Refused extends Error {
  readonly refusal: unknown
  constructor(refusal: unknown) {
    super('refused')
    this.refusal = refusal
  }
}

/** Runs `work` in one transaction. Work that returns a refusal has changed nothing: what it wrote is rolled back. */
export async function recordChange<Result>(
  database: Database,
  ledger: Ledger,
  work: (rows: Rows, record: RecordEvent) => Promise<Result>,
): Promise<Result> {
  let promised: Promised[] = []

  async function takeBack(): Promise<void> {
    const unkept = promised
    promised = []
    for (const { event, fields, entry } of unkept) {
      const details = { ...fields.details, entry, reason: 'the change was rolled back' }
      await ledger.append(event, { ...fields, outcome: 'failed', details })
    }
  }

  try {
    return await database.transaction(async (rows) => {
      // WHY: the database runs the work again when two transactions collide.
      await takeBack()
      const result = await work(rows, async (event, fields) => {
        const { seq } = await ledger.append(event, { ...fields, outcome: 'succeeded' })
        promised.push({ event, fields, entry: seq })
      })
      if (isRefusal(result)) throw new Refused(result)
      return result
    })
  } catch (cause) {
    // WHY: the first failure is the one to tell; a ledger that is down stops everything by itself.
    await takeBack().catch(() => undefined)
    if (cause instanceof Refused) return cause.refusal as Result
    throw cause
  }
}

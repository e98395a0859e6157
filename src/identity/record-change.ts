/**
 * How does a change become true? Its entry in the ledger is durable before its transaction is committed.
 * Stops a session, token or person that no record explains.
 * Trusts the ledger's receipt and the database's transaction. Fails closed: without a receipt the transaction is rolled
 * back and nothing was granted; an entry whose commit then failed is followed by one that says so.
 */
import type { EntryFields, EventDefinition, Receipt } from '#audit'
import { isRefusal, type Refusal } from '#kernel'
import type { Parts, Query } from './parts.ts'

export interface Change<T> {
  /** The statements. A refusal rolls all of them back. May run more than once, so it makes no ids and no secrets. */
  work(transaction: Query): Promise<T | Refusal>
  /** The entry that tells it; nothing when the work found nothing to change. */
  tell(result: T): readonly [EventDefinition, EntryFields] | undefined
}

/** Carries a refusal out of a transaction, so that it is rolled back. */
class RolledBack extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

/**
 * Makes a change, or does not. When it returns a value, the change and its entry are durable.
 * @throws Fault `audit.ledger-unavailable`, with nothing changed; whatever the database throws
 */
export async function recordChange<T>(
  parts: Pick<Parts, 'database'> & { readonly ledger: Pick<Parts['ledger'], 'append'> },
  change: Change<T>,
): Promise<T | Refusal> {
  let written: { event: EventDefinition; fields: EntryFields; receipt: Receipt } | undefined
  try {
    return await parts.database.transaction(async (transaction) => {
      const result = await change.work(transaction)
      if (isRefusal(result)) throw new RolledBack(result)
      const entry = change.tell(result)
      // INVARIANT: the entry is the last thing before the commit, and written once however often the work runs.
      if (entry && !written) {
        const [event, fields] = entry
        written = { event, fields, receipt: await parts.ledger.append(event, fields) }
      }
      return result
    })
  } catch (error) {
    if (written) {
      const { event, fields, receipt } = written
      const details = { ...fields.details, undoes: receipt.id }
      await parts.ledger.append(event, { ...fields, outcome: 'failed', details })
    }
    if (error instanceof RolledBack) return error.refusal
    throw error
  }
}

/**
 * What the ledger says, for people who may ask: on its own thread and its own read-only connection.
 * Stops: reading entries that are not durable; searches without bounds.
 * Trusts: its caller, to have decided that the asker may read.
 * Fails: with Misuse on a senseless query, with Fault when the file cannot be read.
 */
import { Fault, Misuse } from '#kernel'

import type { Entry } from './entry.ts'
import type { LedgerQuery, ReaderSettings } from './storage/messages.ts'
import { createThread } from './storage/thread.ts'

/** Most entries one question returns. */
export const mostEntries = 1000

export interface LedgerReader {
  read(query: LedgerQuery): Promise<Entry[]>
  end(): Promise<void>
}

function check(query: LedgerQuery): void {
  const { after, before, limit } = query
  const isBound = (bound: number | undefined) => bound === undefined || (Number.isSafeInteger(bound) && bound >= 0)
  if (!isBound(after) || !isBound(before))
    throw new Misuse('audit.query', '`after` and `before` are places in the ledger', 'use whole numbers from 0')
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= mostEntries))
    throw new Misuse('audit.query', '`limit` is out of range', `use 1 to ${mostEntries}`)
}

export function createLedgerReader(folder: string): LedgerReader {
  const settings: ReaderSettings = { folder }
  const thread = createThread<LedgerQuery, string[]>('reader-worker', settings)
  return {
    async read(query) {
      check(query)
      try {
        const bodies = await thread.ask(query)
        return bodies.map((body) => JSON.parse(body) as Entry)
      } catch (error) {
        throw new Fault('audit.ledger-unreadable', 'the ledger cannot be read', { cause: error })
      }
    },
    end: thread.end,
  }
}

/**
 * Which intents of a stretch of the ledger have no end, and which earlier ones have theirs in it?
 * Stops: a call that nobody knows the outcome of going unnoticed.
 * Trusts: the entries.
 * Fails: as the file does.
 */
import type { DatabaseSync } from 'node:sqlite'

import type { Intents, Stretch } from './messages.ts'

const read = `SELECT seq, body ->> '$.event' AS event, body ->> '$.details.intent' AS intent
  FROM entries WHERE seq > ? AND seq <= ? ORDER BY seq`

export function findIntents(database: DatabaseSync, { event, after, upTo }: Stretch): Intents {
  const open = new Set<number>()
  const ended: number[] = []
  for (const row of database.prepare(read).iterate(after, upTo)) {
    const { seq, intent } = row
    if (row['event'] === event) open.add(Number(seq))
    else if (typeof intent === 'number' && !open.delete(intent)) ended.push(intent)
  }
  return { open: [...open], ended }
}

/**
 * The reading thread: a search over a long ledger stops neither the gateway nor the writer.
 * Stops: reading what is not committed.
 * Trusts: SQLite's snapshots.
 * Fails: with an answer that names the problem; the next question opens the file again.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

import type { Answer, LedgerQuery, ReaderSettings } from './messages.ts'
import { openForReading } from './schema.ts'

const settings = workerData as ReaderSettings
const filters = ['event', 'person', 'exchange', 'refusal'] as const
let database: DatabaseSync | undefined

function select(source: DatabaseSync, query: LedgerQuery): string[] {
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  const narrow = (condition: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return
    conditions.push(condition)
    values.push(value)
  }
  narrow('seq > ?', query.after)
  narrow('seq < ?', query.before)
  for (const column of filters) narrow(`${column} = ?`, query[column])
  const isForward = query.after !== undefined
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const rows = source
    .prepare(`SELECT body FROM entries ${where} ORDER BY seq ${isForward ? 'ASC' : 'DESC'} LIMIT ?`)
    .all(...values, query.limit ?? 100)
    .map((row) => String(row['body']))
  return isForward ? rows : rows.toReversed()
}

parentPort?.on('message', (query: LedgerQuery) => {
  let reply: Answer<string[]>
  try {
    database ??= openForReading(settings.folder)
    reply = { isDone: true, result: select(database, query) }
  } catch (error) {
    database?.close()
    database = undefined
    reply = { isDone: false, problem: error instanceof Error ? error.message : 'unknown', isDamaged: false }
  }
  parentPort?.postMessage(reply)
})

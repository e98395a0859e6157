/**
 * How the ledger lies on disk: one SQLite file, entries as bodies with their leaf hash, heads as signed notes.
 * Stops: a trigger, view or index slipped into the file to bend later entries or searches.
 * Trusts: SQLite.
 * Fails: by throwing; no one writes to a file whose schema differs.
 */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

export const ledgerFile = 'ledger.db'
export const headFile = 'ledger.head'
export const keyFile = 'ledger-key'
export const verifierFile = 'ledger-key.pub'

/** How long a writer waits for another writer's lock: longer only delays the refusal. */
const busyTimeoutMs = 150

// WHY: the searchable columns are computed from the body, so that they cannot say something else than it.
const statements = [
  `CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  leaf BLOB NOT NULL,
  event TEXT AS (body ->> '$.event') VIRTUAL,
  person TEXT AS (body ->> '$.principal.id') VIRTUAL,
  exchange TEXT AS (body ->> '$.exchange') VIRTUAL,
  refusal TEXT AS (body ->> '$.refusal') VIRTUAL
) STRICT`,
  `CREATE TABLE heads (
  number INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  note TEXT NOT NULL,
  edge BLOB NOT NULL
) STRICT`,
  'CREATE INDEX entries_by_event ON entries (event)',
  'CREATE INDEX entries_by_person ON entries (person) WHERE person IS NOT NULL',
  'CREATE INDEX entries_by_exchange ON entries (exchange) WHERE exchange IS NOT NULL',
  'CREATE INDEX entries_by_refusal ON entries (refusal) WHERE refusal IS NOT NULL',
]

function schemaOf(database: DatabaseSync): string[] {
  return database
    .prepare('SELECT sql FROM sqlite_schema ORDER BY rowid')
    .all()
    .map((row) => String(row['sql']))
}

/** Whether the file holds exactly the tables and indexes above. */
export function hasLedgerSchema(database: DatabaseSync): boolean {
  return schemaOf(database).join(';') === statements.join(';')
}

/**
 * Opens the file for its only writer; makes it when it is missing. Each commit is flushed to disk.
 * @throws when the file is not a ledger
 */
export function openForWriting(folder: string): DatabaseSync {
  const path = join(folder, ledgerFile)
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
    if (schemaOf(database).length === 0) database.exec(`BEGIN IMMEDIATE; ${statements.join(';')}; COMMIT`)
    if (!hasLedgerSchema(database)) throw new Error('the schema is not the one of a ledger')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens the file without the means to change it, also beside its writer and on read-only media. */
export function openForReading(folder: string): DatabaseSync {
  const path = join(folder, ledgerFile)
  const open = (location: string | URL) => {
    const database = new DatabaseSync(location, { readOnly: true, timeout: 5000 })
    try {
      database.exec('PRAGMA trusted_schema = OFF')
      database.prepare('SELECT count(*) FROM sqlite_schema').get()
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }
  try {
    return open(path)
  } catch {
    const frozen = pathToFileURL(path)
    frozen.searchParams.set('immutable', '1')
    return open(frozen)
  }
}

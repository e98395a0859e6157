/**
 * How the ledger lies on disk: one SQLite file, entries as bodies with their leaf hash, heads as signed notes, lists of
 * the entries that have a value, and the roots of full subtrees, from which proofs are made.
 * Stops: a trigger, view or index slipped into the file to bend later entries or searches; another version's file.
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

/** The form of the file. A file of another form is refused, never changed. */
const form = 3
/** How long a writer waits for another writer's lock: longer only delays the refusal. */
const busyTimeoutMs = 150
const pageBytes = 8192
/** What the write-ahead log keeps on disk after it grew beside a long reader. */
const longestLogBytes = 16_777_216

const statements = [
  `CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  leaf BLOB NOT NULL
) STRICT`,
  `CREATE TABLE heads (
  number INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  note TEXT NOT NULL,
  edge BLOB NOT NULL
) STRICT`,
  `CREATE TABLE postings (
  segment INTEGER NOT NULL,
  field INTEGER NOT NULL,
  value TEXT NOT NULL,
  places BLOB NOT NULL,
  PRIMARY KEY (segment, field, value)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE subtrees (
  level INTEGER NOT NULL,
  place INTEGER NOT NULL,
  root BLOB NOT NULL,
  PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID`,
]

/** Waiting does not help: the file is not what it has to be. */
export class Damage extends Error {}

/** Another version's file, whole or not. */
export class OtherForm extends Damage {}

function schemaOf(database: DatabaseSync): string[] {
  return database
    .prepare('SELECT sql FROM sqlite_schema ORDER BY rowid')
    .all()
    .map((row) => String(row['sql']))
}

/**
 * @throws OtherForm when another version made the file; Damage when it does not hold exactly the tables above
 */
export function checkSchema(database: DatabaseSync): void {
  const tables = schemaOf(database)
  // WHY: the first form bore no number.
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version']) || 1
  if (found !== form && tables.some((sql) => sql.startsWith('CREATE TABLE entries')))
    throw new OtherForm(`\`${ledgerFile}\` has form ${found}; this version of castellan knows form ${form} only`)
  if (found !== form || tables.join(';') !== statements.join(';'))
    throw new Damage('the tables are not those of a ledger')
}

const codes = { readOnly: 8, corrupt: 11, cannotOpen: 14, notADatabase: 26 }

function codeOf(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
}

/** A file that is no database, or whose pages contradict each other, is damage, too. */
export function asDamage(error: unknown): unknown {
  const isDamage = [codes.corrupt, codes.notADatabase].includes(codeOf(error))
  return isDamage ? new Damage('the file of the ledger is damaged', { cause: error }) : error
}

/** Whether nothing was ever written to the file. */
export function isEmpty(database: DatabaseSync): boolean {
  return schemaOf(database).length === 0
}

/** Makes the file when it is missing. */
export function makeFile(folder: string): void {
  closeSync(openSync(join(folder, ledgerFile), 'a', 0o600))
}

/**
 * Opens the file for its only writer; makes the tables in an empty one. Each commit is flushed to disk.
 * @throws Damage when the file is not a ledger of this form
 */
export function openForWriting(folder: string): DatabaseSync {
  const database = new DatabaseSync(join(folder, ledgerFile), { timeout: busyTimeoutMs })
  try {
    // WHY: the log is moved into the file by the writer, after it has answered for a batch.
    database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${longestLogBytes}; PRAGMA trusted_schema = OFF`)
    if (isEmpty(database))
      database.exec(`BEGIN IMMEDIATE; ${statements.join(';')}; PRAGMA user_version = ${form}; COMMIT`)
    checkSchema(database)
    return database
  } catch (error) {
    database.close()
    throw asDamage(error)
  }
}

function openReadOnly(location: string | URL): DatabaseSync {
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

/** Opens the file with its write-ahead log, without the means to change either. */
export function openBesideLog(folder: string): DatabaseSync {
  return openReadOnly(join(folder, ledgerFile))
}

/** As `openBesideLog`; on media that cannot be written, where SQLite cannot use a log, the file alone. */
export function openForReading(folder: string): DatabaseSync {
  try {
    return openBesideLog(folder)
  } catch (error) {
    if (![codes.readOnly, codes.cannotOpen].includes(codeOf(error))) throw error
    const frozen = pathToFileURL(join(folder, ledgerFile))
    frozen.searchParams.set('immutable', '1')
    return openReadOnly(frozen)
  }
}

/**
 * What a witness has seen: the largest tree of each log, and what did not fit it.
 * Stops: a second answer about a size, from another process or after a crash: what is answered is on disk before.
 * Trusts: SQLite, and the folder's permissions.
 * Fails: by throwing; nothing is answered then.
 */
import { DatabaseSync } from 'node:sqlite'

export interface SeenTree {
  readonly size: number
  readonly root: Uint8Array
}

export interface WitnessStore {
  /**
   * Asks what to do about a log, in one transaction that no other process is in.
   * @param weigh takes what was seen last; gives what is to be kept as seen, when that is another
   */
  update<Result>(
    origin: string,
    weigh: (seen: SeenTree | undefined) => { readonly result: Result; readonly seen?: SeenTree },
  ): Result
  /** Keeps what a log signed and what does not fit: the newest hundred of each log. */
  keepEvidence(origin: string, request: string, nowMs: number): void
  evidence(origin: string): readonly string[]
  close(): void
}

const mostEvidence = 100
const busyTimeoutMs = 5_000

const statements = `CREATE TABLE IF NOT EXISTS logs (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS evidence (id INTEGER PRIMARY KEY, origin TEXT NOT NULL, at INTEGER NOT NULL, request TEXT NOT NULL) STRICT;`

/** @param path of the file, made when it is missing */
export function openWitnessStore(path: string): WitnessStore {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs })
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; ${statements}`)
  const find = database.prepare('SELECT size, root FROM logs WHERE origin = ?')
  const put = database.prepare(
    'INSERT INTO logs VALUES (?, ?, ?) ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root',
  )
  const add = database.prepare('INSERT INTO evidence (origin, at, request) VALUES (?, ?, ?)')
  const drop = database.prepare(
    'DELETE FROM evidence WHERE origin = ? AND id NOT IN (SELECT id FROM evidence WHERE origin = ? ORDER BY id DESC LIMIT ?)',
  )
  const list = database.prepare('SELECT request FROM evidence WHERE origin = ? ORDER BY id')

  function seenOf(origin: string): SeenTree | undefined {
    const row = find.get(origin)
    const root = row?.['root']
    return row === undefined || !(root instanceof Uint8Array) ? undefined : { size: Number(row['size']), root }
  }

  return {
    update(origin, weigh) {
      database.exec('BEGIN IMMEDIATE')
      try {
        const { result, seen } = weigh(seenOf(origin))
        if (seen !== undefined) put.run(origin, seen.size, seen.root)
        database.exec('COMMIT')
        return result
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    keepEvidence(origin, request, nowMs) {
      add.run(origin, nowMs, request)
      drop.run(origin, origin, mostEvidence)
    },
    evidence: (origin) => list.all(origin).map((row) => String(row['request'])),
    close: () => database.close(),
  }
}

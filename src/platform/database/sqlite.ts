import { closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync, type StatementSync, type SQLInputValue } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { unavailable } from './unavailable.ts'

const busyResultCode = 5
/** Of SQLite: read-only, input and output, full, cannot open. */
const ofTheFile: readonly number[] = [8, 10, 13, 14]
const openingWaitMs = 10_000
const rememberedStatements = 256

/** A file opened twice: one connection that writes, one that only watches for other writers. */
export interface SqliteFile {
  readonly dialect: Dialect
  /** Moves with every commit, of any process. About 3 µs. */
  revision(): number
  close(): void
}

/**
 * Opens or creates the file (0600). Every commit is flushed before it is acknowledged.
 * @param longestWaitMs how long a statement waits for another process that writes
 * @param ran called when a statement has run, before anybody hears of it
 * @throws when the file is not a database or cannot be opened
 */
export function openSqliteFile(path: string, longestWaitMs: number, ran: () => void = () => undefined): SqliteFile {
  // WHY: SQLite would create it by the umask; its own side files then copy these permissions.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const writer = new DatabaseSync(path, { timeout: 10 })
  standStillUntilFree(() =>
    writer.exec('pragma journal_mode = wal; pragma synchronous = full; pragma trusted_schema = off'),
  )
  const watcher = new DatabaseSync(path, { readOnly: true, timeout: 10 })
  const dataVersion = watcher.prepare('pragma data_version')
  dataVersion.setReturnArrays(true)
  let unknownRevision = 0
  return {
    dialect: createSqliteDialect(writer, { longestWaitMs, ran }),
    revision() {
      try {
        const row: unknown = dataVersion.get()
        if (Array.isArray(row) && typeof row[0] === 'number') return row[0]
      } catch {
        // WHY: whoever cannot tell answers that everything changed.
        return --unknownRevision
      }
      return --unknownRevision
    },
    close() {
      watcher.close()
      writer.close()
    },
  }
}

interface Running {
  readonly longestWaitMs: number
  readonly ran: () => void
}

function createSqliteDialect(database: DatabaseSync, running: Running): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(database, running),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

function createDriver(database: DatabaseSync, running: Running): Driver {
  const connection = createConnection(database, running)
  const run = (statement: string) => whenFree(running, () => database.exec(statement))
  return {
    init: async () => undefined,
    acquireConnection: async () => connection,
    // WHY: taken at once, so that a transaction never finds out at its first write that its reads are old.
    beginTransaction: () => run('begin immediate'),
    commitTransaction: () => run('commit'),
    rollbackTransaction: async () => {
      // WHY: after a full disk SQLite has rolled back by itself, and the first error is the one to report.
      if (database.isTransaction) await run('rollback')
    },
    releaseConnection: async () => undefined,
    destroy: async () => undefined,
  }
}

function createConnection(database: DatabaseSync, running: Running): DatabaseConnection {
  const statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>()
  function prepare(text: string) {
    let known = statements.get(text)
    if (known === undefined) {
      const statement = database.prepare(text)
      known = { statement, returnsRows: statement.columns().length > 0 }
      if (statements.size >= rememberedStatements) statements.clear()
      statements.set(text, known)
    }
    return known
  }
  return {
    executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      // WHY: the compiler emits only values that SQLite can bind; it types them as unknown.
      const parameters = query.parameters as SQLInputValue[]
      return whenFree(running, () => {
        const { statement, returnsRows } = prepare(query.sql)
        // WHY: rows come without a prototype, which surprises comparison and inspection.
        if (returnsRows) return { rows: statement.all(...parameters).map((row) => ({ ...row }) as R) }
        const outcome = statement.run(...parameters)
        return { rows: [], numAffectedRows: BigInt(outcome.changes), insertId: BigInt(outcome.lastInsertRowid) }
      })
    },
    streamQuery() {
      throw new Error('this database answers whole results only')
    },
  }
}

/** Another process writes: wait for it without stopping this one. */
async function whenFree<T>({ longestWaitMs, ran }: Running, run: () => T): Promise<T> {
  const deadline = performance.now() + longestWaitMs
  for (;;) {
    try {
      return run()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw isOfTheFile(error) ? unavailable(error) : error
      await sleep(1 + Math.random() * 10)
    } finally {
      ran()
    }
  }
}

/** The same at opening, when there is nothing else to do: SQLite does not always wait by itself there. */
function standStillUntilFree(run: () => void): void {
  const deadline = performance.now() + openingWaitMs
  const never = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    try {
      return run()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      Atomics.wait(never, 0, 0, 5)
    }
  }
}

/** Whether the file could not be used; everything else is an answer to the statement. */
function isOfTheFile(error: unknown): boolean {
  return ofTheFile.includes((sqliteResultCode(error) ?? 0) & 0xff)
}

/** Whether SQLite refused because another connection holds the file. */
export function isBusy(error: unknown): boolean {
  // WHY: the low byte is the primary code; the rest tells which lock was in the way.
  return ((sqliteResultCode(error) ?? 0) & 0xff) === busyResultCode
}

/** The extended result code of an SQLite error, undefined for any other error. */
export function sqliteResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}

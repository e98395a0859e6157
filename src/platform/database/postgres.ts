import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import pg from 'pg'
import { unavailable } from './unavailable.ts'

const int8 = 20
const numeric = 1700
const longestFarewellMs = 2_000
const longestStatementMs = 15_000
/** What the server says itself of a statement that takes too long comes first. */
const longestSilenceMs = 20_000
/** Of SQLSTATE: lost connections, too many of them or too little room, and servers that go or come. */
const ofTheServer = /^(?:08|53|57P0[1-5]$|58)/

/** Connections of one program to one database. */
export interface PostgresPool {
  readonly dialect: Dialect
  close(): Promise<void>
}

/** What every connection of ours has in common. */
export function connectionSettings(url: string, longestWaitMs: number): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'castellan',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    statement_timeout: longestStatementMs,
    // WHY: a server that stands still or is out of reach ends no statement, and its connection stays open.
    query_timeout: longestSilenceMs,
    lock_timeout: longestWaitMs,
    idle_in_transaction_session_timeout: 30_000,
    types: { getTypeParser: parserOf },
  }
}

/**
 * @param changed called when a change of this program may have been committed, before it is acknowledged
 */
export function openPostgresPool(url: string, longestWaitMs: number, changed: () => void): PostgresPool {
  const pool = new pg.Pool({ ...connectionSettings(url, longestWaitMs), max: 10, idleTimeoutMillis: 30_000 })
  // WHY: without a listener the loss of a connection ends the program; a query that runs on it fails by itself, the next
  // one opens another. The pool hears the idle ones only.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return {
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => createDriver(pool, changed),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    close: () => withoutWaitingLong(pool.end()),
  }
}

/** A farewell that a server out of reach never answers may not hold up the end of the program. */
export async function withoutWaitingLong(farewell: Promise<void>): Promise<void> {
  const answered = farewell.catch(() => undefined)
  await Promise.race([answered, sleep(longestFarewellMs, undefined, { ref: false })])
}

// WHY: 64-bit integers and sums come as text; ours are milliseconds and counts, far below 2^53.
function parserOf(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === int8 || oid === numeric) return Number
  return pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown
}

/** Whether the server could not be asked; everything else is an answer of it. */
function isOutOfReach(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || ofTheServer.test(error.code ?? '')
}

/** A borrowed connection; it remembers whether it is in a transaction and whether it is still good. */
class Borrowed implements DatabaseConnection {
  readonly #client: pg.PoolClient
  readonly #changed: () => void
  isInTransaction = false
  isBroken = false
  /** Statements of the running transaction that may have changed something. */
  #hasWritten = false

  constructor(client: pg.PoolClient, changed: () => void) {
    this.#client = client
    this.#changed = changed
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // INVARIANT: after a lost connection nobody knows whether a statement was committed, so it counts.
    let mayHaveChanged = !isRead(query.sql)
    try {
      const result = await this.#ask(query.sql, [...query.parameters])
      if (changedNothing(query.sql, result)) mayHaveChanged = false
      return { rows: result.rows as R[], ...affected(result) }
    } finally {
      if (mayHaveChanged && this.isInTransaction) this.#hasWritten = true
      else if (mayHaveChanged) this.#changed()
    }
  }

  streamQuery(): never {
    throw new Error('this database answers whole results only')
  }

  async begin(): Promise<void> {
    // WHY: locking a table takes no snapshot, so the transaction that waited for its turn sees what was
    // written before it; one round trip for both.
    await this.#ask('start transaction isolation level serializable; lock table castellan_turn in exclusive mode')
    this.isInTransaction = true
    this.#hasWritten = false
  }

  async end(how: 'commit' | 'rollback'): Promise<void> {
    try {
      const { command } = await this.#ask(how)
      if (how === 'commit' && command === 'ROLLBACK') throw new Error('the transaction was already aborted')
    } catch (error) {
      this.isBroken = true
      throw error
    } finally {
      this.isInTransaction = false
      if (how === 'commit' && this.#hasWritten) this.#changed()
    }
  }

  release(): void {
    this.#client.release(this.isBroken)
  }

  async #ask(statement: string, parameters?: unknown[]): Promise<pg.QueryResult> {
    try {
      return await this.#client.query(statement, parameters)
    } catch (error) {
      if (!isOutOfReach(error)) throw error
      this.isBroken = true
      throw unavailable(error)
    }
  }
}

function isRead(statement: string): boolean {
  return /^select\b/i.test(statement)
}

// WHY: a statement that begins with `with` can change rows that its own count does not show.
function changedNothing(statement: string, { command, rowCount }: pg.QueryResult): boolean {
  return rowCount === 0 && /^(insert|update|delete)\b/i.test(statement) && command !== 'SELECT'
}

function affected(result: pg.QueryResult): { numAffectedRows?: bigint } {
  const counts = ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(result.command)
  return counts ? { numAffectedRows: BigInt(result.rowCount ?? 0) } : {}
}

function createDriver(pool: pg.Pool, changed: () => void): Driver {
  const borrowed = (connection: DatabaseConnection): Borrowed => {
    if (connection instanceof Borrowed) return connection
    throw new TypeError('not a connection of this driver')
  }
  return {
    init: async () => undefined,
    acquireConnection: async () => {
      try {
        return new Borrowed(await pool.connect(), changed)
      } catch (error) {
        throw isOutOfReach(error) ? unavailable(error) : error
      }
    },
    beginTransaction: async (connection) => {
      try {
        await borrowed(connection).begin()
      } catch (error) {
        // WHY: the transaction may be open although its lock was not given.
        await borrowed(connection)
          .end('rollback')
          .catch(() => undefined)
        throw error
      }
    },
    commitTransaction: (connection) => borrowed(connection).end('commit'),
    rollbackTransaction: (connection) => borrowed(connection).end('rollback'),
    releaseConnection: async (connection) => borrowed(connection).release(),
    destroy: async () => undefined,
  }
}

import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, Misuse } from '#kernel'
import type { DataFolder } from '#platform/files'
import { Kysely } from 'kysely'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { openPostgresPool } from './postgres.ts'
import { listenForRevision } from './postgres-revision.ts'
import { isBusy as isSqliteBusy, openSqliteFile, sqliteResultCode } from './sqlite.ts'
import type { Tables } from './tables.ts'

const longestRunOfRetries = 8

/** The store that all rooms and all nodes share. */
export interface Database {
  readonly dialect: 'sqlite' | 'postgres'
  /** Single statements, each its own transaction. Refused inside `transaction`: use its argument there. */
  readonly query: Kysely<Tables>
  /**
   * Runs `work` while no other transaction of any process runs, and commits it when it resolves. Durable when
   * it returns. On PostgreSQL the work is run again when a single statement from outside came in between, so
   * it must have no effect outside the transaction.
   * @throws what `work` throws, after rolling back; Fault `database.busy` when its turn never comes
   */
  transaction<T>(work: (transaction: Kysely<Tables>) => Promise<T>): Promise<T>
  /**
   * Changes whenever a transaction of any process has changed a row of any table; equal numbers mean that
   * what was read in between still holds. Synchronous, about 3 µs, and nothing when asked again in the same turn of
   * the event loop. A change of this process counts when it is acknowledged, one of another within a second (on
   * PostgreSQL) or from the next turn on (on SQLite).
   */
  revision(): number
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** `sqlite:` (castellan.db in the data folder), `sqlite:/path/to/file` or `postgres://…` */
  readonly url: string
  readonly dataFolder?: DataFolder
  /** How long a transaction waits for those of other processes, 10 s unless told. */
  readonly longestWaitMs?: number
}

/**
 * Opens the database and brings its schema up to date.
 * @throws Misuse `database.url`, `database.unreachable`, `database.newer`, `database.foreign`
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, dataFolder, longestWaitMs = 10_000 } = options
  if (url.startsWith('postgres://') || url.startsWith('postgresql://')) return openPostgres(url, longestWaitMs)
  if (!url.startsWith('sqlite:')) throw badUrl()
  const path = url.slice('sqlite:'.length) || dataFolder?.file('castellan.db')
  if (path === undefined) throw badUrl()
  return openSqlite(path, longestWaitMs)
}

async function openSqlite(path: string, longestWaitMs: number): Promise<Database> {
  let moved = (): void => undefined
  const file = await reach(() => openSqliteFile(path, longestWaitMs, () => moved()))
  const kysely = new Kysely<Tables>({ dialect: file.dialect })
  try {
    await reach(() => migrate(kysely, 'sqlite', migrations))
  } catch (error) {
    file.close()
    throw error
  }
  const seen = oncePerTurn(file.revision)
  moved = seen.forget
  return assemble({ dialect: 'sqlite', kysely, revision: seen.look, close: async () => file.close() })
}

async function openPostgres(url: string, longestWaitMs: number): Promise<Database> {
  if (!URL.canParse(url)) throw badUrl()
  let moved = (): void => undefined
  const pool = openPostgresPool(url, longestWaitMs, () => moved())
  try {
    const kysely = new Kysely<Tables>({ dialect: pool.dialect })
    await reach(() => migrate(kysely, 'postgres', migrations))
    const listener = await reach(() => listenForRevision(url))
    moved = listener.moved
    const close = async () => {
      await listener.close()
      await pool.close()
    }
    return assemble({ dialect: 'postgres', kysely, revision: listener.revision, close })
  } catch (error) {
    await pool.close()
    throw error
  }
}

interface Parts {
  dialect: Database['dialect']
  kysely: Kysely<Tables>
  revision(): number
  close(): Promise<void>
}

function assemble({ dialect, kysely, revision, close }: Parts): Database {
  const inside = new AsyncLocalStorage<{ isOpen: boolean }>()
  let turn: Promise<unknown> = Promise.resolve()
  let isClosed = false
  const refuseInside = () => {
    if (inside.getStore()?.isOpen) throw outsideItsTransaction()
  }

  async function attempt<T>(work: (transaction: Kysely<Tables>) => Promise<T>): Promise<T> {
    const mark = { isOpen: true }
    try {
      return await kysely.transaction().execute((transaction) => inside.run(mark, () => work(transaction)))
    } finally {
      mark.isOpen = false
    }
  }

  async function attempts<T>(work: (transaction: Kysely<Tables>) => Promise<T>): Promise<T> {
    for (let attemptsLeft = longestRunOfRetries; ; attemptsLeft--) {
      try {
        return await attempt(work)
      } catch (error) {
        if (isBusy(error)) throw new Fault('database.busy', 'the database is busy', { cause: error })
        if (!isConflict(error) || attemptsLeft === 0) throw error
        await sleep(Math.random() * 20)
      }
    }
  }

  return {
    dialect,
    query: kysely.withPlugin({
      transformQuery({ node }) {
        refuseInside()
        return node
      },
      transformResult: async ({ result }) => result,
    }),
    async transaction(work) {
      refuseInside()
      // WHY: those of one process queue here, so that waiting ones do not hold all its connections.
      const result = turn.then(() => attempts(work))
      turn = result.catch(() => undefined)
      return result
    },
    revision,
    async close() {
      if (isClosed) return
      isClosed = true
      await turn
      await kysely.destroy()
      await close()
    },
  }
}

/**
 * The rooms ask many times while one batch of requests is read, and one look serves them all.
 * INVARIANT: what is remembered is forgotten at every statement of this process, and when the turn of the event loop
 * ends: an answer is never older than a write here, and never older than this turn for a write elsewhere.
 */
function oncePerTurn(look: () => number): { look(): number; forget(): void } {
  let seen: number | undefined
  let isEnding = false
  const forget = (): void => {
    seen = undefined
  }
  const endTurn = (): void => {
    isEnding = false
    seen = undefined
  }
  return {
    forget,
    look() {
      if (seen !== undefined) return seen
      seen = look()
      if (!isEnding) setImmediate(endTurn)
      isEnding = true
      return seen
    },
  }
}

function postgresCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** A statement from outside the turn came in between, or two of them waited for each other. */
function isConflict(error: unknown): boolean {
  return ['40001', '40P01'].includes(postgresCode(error) ?? '')
}

function isBusy(error: unknown): boolean {
  return isSqliteBusy(error) || postgresCode(error) === '55P03'
}

/** Whether a statement failed because the row exists already (primary key or unique column). */
export function isDuplicate(error: unknown): boolean {
  return [2067, 1555].includes(sqliteResultCode(error) ?? 0) || postgresCode(error) === '23505'
}

async function reach<T>(open: () => T | Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (error instanceof Misuse) throw error
    const source = error instanceof Fault ? error.cause : error
    const reason = source instanceof Error && source.message !== '' ? source.message : 'no answer'
    throw new Misuse(
      'database.unreachable',
      `the database cannot be opened: ${reason}`,
      'check `database.url`, that the server runs and that the account may create tables',
      { cause: error },
    )
  }
}

function badUrl(): Misuse {
  return new Misuse(
    'database.url',
    '`database.url` is not the address of a database',
    'use `sqlite:` for a file in the data folder, `sqlite:/path/to/file`, or `postgres://user@host/name`',
  )
}

function outsideItsTransaction(): Misuse {
  return new Misuse(
    'database.outside-transaction',
    'a statement was run beside the transaction it belongs to',
    'use the argument of `transaction` for every statement in it, and no transaction inside another',
  )
}

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, openDatabase } from '#platform/database'
import pg from 'pg'
import { describe, inject, onTestFinished } from 'vitest'
import { temporaryFolder } from './folder.ts'

/** Opens a fresh, migrated and empty database; closed and dropped after the running test. */
export type OpenDatabase = () => Promise<Database>

/** Opens a database that `open` has made once more, as a second node would. */
export type OpenAgain = (database: Database, options?: { longestWaitMs?: number }) => Promise<Database>

/** Describes behaviour that holds on both dialects. Call `open` in a test or in `beforeEach`. */
export function eachDatabase(name: string, tests: (open: OpenDatabase, openAgain: OpenAgain) => void): void {
  describe.each([
    ['SQLite', freshSqlite],
    ['PostgreSQL', freshPostgres],
  ] as const)(`${name} (%s)`, (_dialect, freshUrl) => {
    const urls = new WeakMap<Database, string>()
    async function openAt(url: string, options: { longestWaitMs?: number } = {}): Promise<Database> {
      const database = await openDatabase({ url, ...options })
      onTestFinished(() => database.close())
      urls.set(database, url)
      return database
    }
    tests(
      async () => openAt(await freshUrl()),
      async (database, options) => openAt(urlOf(urls, database), options),
    )
  })
}

function urlOf(urls: WeakMap<Database, string>, database: Database): string {
  const url = urls.get(database)
  if (url === undefined) throw new TypeError('not a database of this describe block')
  return url
}

/** The url of an empty SQLite file that is removed after the running test. */
export async function freshSqlite(): Promise<string> {
  return `sqlite:${temporaryFolder()}/castellan.db`
}

/** The url of a PostgreSQL database with every table and no row, dropped after the running test. */
export async function freshPostgres(): Promise<string> {
  return createPostgres('template castellan_template')
}

/** The url of a PostgreSQL database without tables, dropped after the running test. */
export async function emptyPostgres(): Promise<string> {
  return createPostgres('template template0')
}

async function createPostgres(options: string): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await onServer(`create database ${name} ${options}`)
  onTestFinished(() => onServer(`drop database ${name} with (force)`))
  return serverUrl(name)
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl('postgres') })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function serverUrl(database: string): string {
  return `${inject('postgresServer')}/${database}`
}

/** The revision when no announcement is on its way any more. */
export async function restingRevision(database: Database): Promise<number> {
  let since = performance.now()
  let revision = database.revision()
  while (performance.now() - since < 100) {
    await sleep(10)
    if (database.revision() === revision) continue
    revision = database.revision()
    since = performance.now()
  }
  return revision
}

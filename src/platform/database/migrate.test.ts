import { Kysely, sql } from 'kysely'
import { expect, onTestFinished, test } from 'vitest'
import { eachDatabase, emptyPostgres, freshSqlite } from '../../../test/world/databases.ts'
import { openDatabase } from './database.ts'
import { migrate } from './migrate.ts'
import type { Migration } from './migrations/migration.ts'
import { openPostgresPool } from './postgres.ts'
import { openSqliteFile } from './sqlite.ts'
import type { Tables } from './tables.ts'

const step = (version: number, name: string, ...statements: string[]): Migration => ({
  version,
  name,
  statements: { sqlite: statements, postgres: statements },
})
const first = step(1, 'first', 'create table a (x int)')
const second = step(2, 'second', 'create table b (x int)')
const broken = step(2, 'broken', 'create table b (x int)', 'create table a (x int)')

async function emptySqlite() {
  const file = openSqliteFile((await freshSqlite()).slice('sqlite:'.length), 1_000)
  onTestFinished(() => file.close())
  return new Kysely<Tables>({ dialect: file.dialect })
}

async function emptyServer() {
  const pool = openPostgresPool(await emptyPostgres(), 1_000, () => undefined)
  onTestFinished(() => pool.close())
  return new Kysely<Tables>({ dialect: pool.dialect })
}

test.each([
  ['sqlite', emptySqlite],
  ['postgres', emptyServer],
] as const)('migrations run once, in order, all or nothing (%s)', async (dialect, open) => {
  const kysely = await open()
  const rowsOf = async (table: string) => (await sql.raw(`select * from ${table}`).execute(kysely)).rows

  await migrate(kysely, dialect, [first])
  await migrate(kysely, dialect, [first])
  await expect(migrate(kysely, dialect, [first, broken])).rejects.toThrow()
  await expect(rowsOf('b')).rejects.toThrow()
  await migrate(kysely, dialect, [first, second])
  expect(await rowsOf('b')).toEqual([])
  expect(await rowsOf('castellan_migrations')).toEqual([
    { version: 1, name: 'first' },
    { version: 2, name: 'second' },
  ])

  await expect(migrate(kysely, dialect, [first])).rejects.toMatchObject({ code: 'database.newer' })
  await expect(migrate(kysely, dialect, [first, broken])).rejects.toMatchObject({ code: 'database.foreign' })
})

eachDatabase('opening', (open, openAgain) => {
  test('a database of a newer program is refused and left as it is', async () => {
    const database = await open()
    await sql`insert into castellan_migrations (version, name) values (999, 'from-the-future')`.execute(database.query)
    const error = await openAgain(database).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'Misuse', code: 'database.newer' })
    expect(await database.query.selectFrom('people').selectAll().execute()).toEqual([])
  })

  test('a migrated database changes nothing', async () => {
    const database = await open()
    const historyOf = async () => (await sql`select * from castellan_migrations`.execute(database.query)).rows
    const before = await historyOf()
    await openAgain(database)
    expect(await historyOf()).toEqual(before)
  })
})

test('a SQLite file with tables of another program is refused whole', async () => {
  const url = await freshSqlite()
  const file = openSqliteFile(url.slice('sqlite:'.length), 1_000)
  const kysely = new Kysely<Tables>({ dialect: file.dialect })
  await sql`create table people (x int)`.execute(kysely)
  file.close()
  await expect(openDatabase({ url })).rejects.toMatchObject({ code: 'database.unreachable' })
})

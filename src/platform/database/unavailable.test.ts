import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { freshPostgres, freshSqlite } from '../../../test/world/databases.ts'
import { openLine } from '../../../test/world/machine/line.ts'
import { openDatabase } from './database.ts'

const unavailable = { name: 'Fault', code: 'database.unavailable', retryAfterSeconds: 2 }

test('a file without room is said to be out of use, and serves again when there is room', async () => {
  const database = await openDatabase({ url: await freshSqlite() })
  const pages = async (most: string) => void (await sql.raw(`pragma max_page_count = ${most}`).execute(database.query))
  const fill = (value: string) =>
    database.transaction(async (transaction) =>
      transaction
        .insertInto('roles')
        .values({ name: value, grants: '[]', description: value.repeat(500), is_shipped: 0, updated_at: 1 })
        .execute(),
    )
  await pages('1')
  await expect(
    (async () => {
      for (let at = 0; at < 200; at++) await fill(`entry-${at}-${'x'.repeat(100)}`)
    })(),
  ).rejects.toMatchObject(unavailable)
  await pages('1073741823')
  await fill('after')
  await database.close()
})

test('a server that goes away is said to be out of use, within a transaction and outside, and what it answers is not', async () => {
  const line = await openLine(await freshPostgres())
  const database = await openDatabase({ url: line.url })
  const read = () => database.query.selectFrom('people').select('id').execute()
  await expect(sql.raw('select 1/0').execute(database.query)).rejects.toMatchObject({ code: '22012' })
  await expect(
    database.transaction(async (transaction) => {
      line.cut()
      await transaction.selectFrom('people').select('id').execute()
    }),
  ).rejects.toMatchObject(unavailable)
  await expect(read()).rejects.toMatchObject(unavailable)
  line.mend()
  expect(await read()).toEqual([])
  await database.close()
})

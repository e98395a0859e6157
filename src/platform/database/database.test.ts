import { statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { eachDatabase, freshSqlite } from '../../../test/world/databases.ts'
import { temporaryDataFolder, temporaryFolder } from '../../../test/world/folder.ts'
import { type Database, isDuplicate, openDatabase } from './database.ts'

const counter = { key: 'count', failures: 0, window_started_at: 1_700_000_000_000 }

async function countOne(database: Database): Promise<void> {
  await database.transaction(async (transaction) => {
    const row = await transaction.selectFrom('throttles').select('failures').executeTakeFirstOrThrow()
    await sleep(1)
    await transaction
      .updateTable('throttles')
      .set({ failures: row.failures + 1 })
      .execute()
  })
}

async function countOf(database: Database): Promise<number> {
  return (await database.query.selectFrom('throttles').select('failures').executeTakeFirstOrThrow()).failures
}

const recoveryCode = (id: string) => ({ id, person_id: 'p1', code_hash: `hash of ${id}` })

eachDatabase('the database', (open, openAgain) => {
  test('gives back what was written: numbers as numbers, absent as null, rows as plain objects', async () => {
    const { query } = await open()
    await query.insertInto('throttles').values(counter).execute()
    await query.insertInto('recovery_codes').values(recoveryCode('c1')).execute()
    expect(await query.selectFrom('throttles').selectAll().execute()).toStrictEqual([{ ...counter, blocked_until: 0 }])
    const code = await query.selectFrom('recovery_codes').select('used_at').executeTakeFirst()
    expect(code).toStrictEqual({ used_at: null })
    const totals = await query
      .selectFrom('throttles')
      .select(({ fn }) => [fn.countAll<number>().as('rows'), fn.sum<number>('window_started_at').as('sum')])
      .executeTakeFirst()
    expect(totals).toStrictEqual({ rows: 1, sum: 1_700_000_000_000 })
  })

  test('tells how many rows a statement changed', async () => {
    const { query } = await open()
    await query
      .insertInto('recovery_codes')
      .values([recoveryCode('c1'), recoveryCode('c2')])
      .execute()
    const changed = await query.updateTable('recovery_codes').set({ used_at: 5 }).executeTakeFirst()
    expect(changed.numUpdatedRows).toBe(2n)
    const missed = await query.deleteFrom('recovery_codes').where('id', '=', 'c3').executeTakeFirst()
    expect(missed.numDeletedRows).toBe(0n)
    const returned = await query.deleteFrom('recovery_codes').where('id', '=', 'c2').returning('id').execute()
    expect(returned).toStrictEqual([{ id: 'c2' }])
  })

  test('a single-use row is consumed by exactly one of many that try at the same time', async () => {
    const database = await open()
    const nodes = [database, await openAgain(database)]
    await database.query.insertInto('recovery_codes').values(recoveryCode('c1')).execute()
    const attempts = Array.from({ length: 20 }, (_, at) =>
      (nodes[at % 2] ?? database).query
        .updateTable('recovery_codes')
        .set({ used_at: at + 1 })
        .where('id', '=', 'c1')
        .where('used_at', 'is', null)
        .executeTakeFirst(),
    )
    const outcomes = await Promise.all(attempts)
    expect(outcomes.filter((outcome) => outcome.numUpdatedRows === 1n)).toHaveLength(1)
  })

  test('a transaction that throws leaves nothing behind and passes its error on', async () => {
    const database = await open()
    const work = database.transaction(async (transaction) => {
      await transaction.insertInto('throttles').values(counter).execute()
      throw new RangeError('changed my mind')
    })
    await expect(work).rejects.toThrow(RangeError)
    expect(await database.query.selectFrom('throttles').selectAll().execute()).toEqual([])
    await database.query.insertInto('throttles').values(counter).execute()
    await countOne(database)
    expect(await countOf(database)).toBe(1)
  })

  test('a transaction whose statement failed leaves nothing behind, even when the work went on', async () => {
    const database = await open()
    await database.query.insertInto('throttles').values(counter).execute()
    const work = database.transaction(async (transaction) => {
      await transaction
        .insertInto('throttles')
        .values({ ...counter, key: 'other' })
        .execute()
      await transaction.insertInto('throttles').values(counter).execute()
    })
    await expect(work).rejects.toSatisfy(isDuplicate)
    expect(await database.query.selectFrom('throttles').select('key').execute()).toEqual([{ key: 'count' }])
  })

  test('transactions of one node run one after the other', async () => {
    const database = await open()
    await database.query.insertInto('throttles').values(counter).execute()
    await Promise.all(Array.from({ length: 25 }, () => countOne(database)))
    expect(await countOf(database)).toBe(25)
  })

  test('transactions of two nodes run one after the other', async () => {
    const database = await open()
    const other = await openAgain(database)
    await database.query.insertInto('throttles').values(counter).execute()
    await Promise.all(Array.from({ length: 30 }, (_, at) => countOne(at % 2 === 0 ? database : other)))
    expect(await countOf(other)).toBe(30)
  })

  test('a transaction never overwrites what a single statement wrote in between', async () => {
    const database = await open()
    const other = await openAgain(database)
    await database.query.insertInto('throttles').values(counter).execute()
    const bare = Array.from({ length: 10 }, async (_, at) => {
      await sleep(at)
      await other.query
        .updateTable('throttles')
        .set(({ eb }) => ({ failures: eb('failures', '+', 1) }))
        .execute()
    })
    await Promise.all([...bare, ...Array.from({ length: 10 }, () => countOne(database))])
    expect(await countOf(database)).toBe(20)
  })

  test('a statement beside its transaction is refused instead of waiting for itself', async () => {
    const database = await open()
    const beside = database.transaction(async () => database.query.selectFrom('roles').selectAll().execute())
    await expect(beside).rejects.toMatchObject({ code: 'database.outside-transaction' })
    const nested = database.transaction(() => database.transaction(async () => 1))
    await expect(nested).rejects.toMatchObject({ code: 'database.outside-transaction' })
  })

  test('work that a transaction started and that outlives it may use the database', async () => {
    const database = await open()
    let after: Promise<unknown> = Promise.resolve()
    await database.transaction(async () => {
      after = sleep(20).then(() => database.query.selectFrom('roles').selectAll().execute())
    })
    await expect(after).resolves.toEqual([])
  })

  test('a second row with the same key is recognised as a duplicate, other errors are not', async () => {
    const { query } = await open()
    const role = { name: 'auditor', grants: '[]', description: '', is_shipped: 0 as const, updated_at: 1 }
    await query.insertInto('roles').values(role).execute()
    await expect(query.insertInto('roles').values(role).execute()).rejects.toSatisfy(isDuplicate)
    const invalid = query
      .insertInto('roles')
      .values({ ...role, name: 'x', is_shipped: 2 as 1 })
      .execute()
    await expect(invalid).rejects.not.toSatisfy(isDuplicate)
    expect(isDuplicate(new Error('duplicate'))).toBe(false)
  })

  test('a value outside its set or of another type is not stored', async () => {
    const { query } = await open()
    await expect(sql`insert into holds values ('h', 'planet', '', '', '', 1)`.execute(query)).rejects.toThrow()
    const text = { ...counter, failures: 'many' as unknown as number }
    await expect(query.insertInto('throttles').values(text).execute()).rejects.toThrow()
    const missing = sql`insert into throttles (key, failures) values ('a', 1)`.execute(query)
    await expect(missing).rejects.toThrow()
  })

  test('text sorts by its bytes', async () => {
    const { query } = await open()
    const keys = ['b', 'B', 'a', 'A', 'é', '_', '1']
    await query
      .insertInto('throttles')
      .values(keys.map((key) => ({ ...counter, key })))
      .execute()
    const sorted = await query.selectFrom('throttles').select('key').orderBy('key').execute()
    expect(sorted.map(({ key }) => key)).toEqual(['1', 'A', 'B', '_', 'a', 'b', 'é'])
  })

  test('a transaction whose turn does not come in time is a fault, and the next one is served', async () => {
    const database = await open()
    const hurried = await openAgain(database, { longestWaitMs: 100 })
    const long = database.transaction(() => sleep(600))
    await sleep(20)
    const late = hurried.transaction((transaction) => transaction.selectFrom('roles').selectAll().execute())
    await expect(late).rejects.toMatchObject({ name: 'Fault', code: 'database.busy' })
    await long
    await expect(hurried.transaction(async () => 'served')).resolves.toBe('served')
  })

  test('closing waits for the running transaction and may be repeated', async () => {
    const database = await open()
    const again = await openAgain(database)
    const slow = again.transaction(async (transaction) => {
      await sleep(50)
      await transaction.insertInto('throttles').values(counter).execute()
    })
    await again.close()
    await again.close()
    await slow
    expect(await countOf(database)).toBe(0)
    await expect(again.query.selectFrom('roles').selectAll().execute()).rejects.toThrow()
  })
})

test('`sqlite:` is a file in the data folder that only its owner can read, as are its side files', async () => {
  const dataFolder = temporaryDataFolder()
  const database = await openDatabase({ url: 'sqlite:', dataFolder })
  await database.query.insertInto('throttles').values(counter).execute()
  for (const name of ['castellan.db', 'castellan.db-wal', 'castellan.db-shm']) {
    expect(statSync(dataFolder.file(name)).mode & 0o777).toBe(0o600)
  }
  await database.close()
})

test('a file that is not a database is refused', async () => {
  const path = `${temporaryFolder()}/notes.txt`
  writeFileSync(path, 'just some text that is long enough to be read as a header '.repeat(20))
  await expect(openDatabase({ url: `sqlite:${path}` })).rejects.toMatchObject({ code: 'database.unreachable' })
})

test('a server that does not answer is refused without telling the password', async () => {
  const error = await openDatabase({ url: 'postgres://ana:hunter2@127.0.0.1:1/castellan' }).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'database.unreachable' })
  expect(JSON.stringify([error.message, error.hint, error.cause, String(error.cause)])).not.toContain('hunter2')
})

test.each(['', 'castellan.db', 'mysql://localhost/x', 'sqlite:', 'postgres://['])(
  'the address %j is refused',
  async (url) => {
    await expect(openDatabase({ url })).rejects.toMatchObject({ code: 'database.url' })
  },
)

test('while another process writes, this one waits without standing still', async () => {
  const url = await freshSqlite()
  const database = await openDatabase({ url })
  const other = await openDatabase({ url })
  let ticks = 0
  const ticking = setInterval(() => ticks++, 5)
  const long = other.transaction(() => sleep(300))
  await sleep(20)
  await database.query.insertInto('throttles').values(counter).execute()
  clearInterval(ticking)
  await long
  expect(ticks).toBeGreaterThan(10)
  await database.close()
  await other.close()
})

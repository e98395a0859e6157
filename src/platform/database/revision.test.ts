import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { eachDatabase, freshPostgres, restingRevision } from '../../../test/world/databases.ts'
import { openLine } from '../../../test/world/machine/line.ts'
import { type Database, openDatabase } from './database.ts'

const row = { key: 'a', failures: 0, window_started_at: 0 }

async function write(database: Database, key = 'a'): Promise<void> {
  await database.query
    .insertInto('throttles')
    .values({ ...row, key })
    .execute()
}

eachDatabase('the revision', (open, openAgain) => {
  test('rests while nothing changes, whatever is read', async () => {
    const database = await open()
    const before = await restingRevision(database)
    await database.query.selectFrom('roles').selectAll().execute()
    await database.transaction((transaction) => transaction.selectFrom('people').selectAll().execute())
    await sleep(100)
    expect(await restingRevision(database)).toBe(before)
  })

  test('has moved when a statement of this node is acknowledged', async () => {
    const database = await open()
    const before = await restingRevision(database)
    await write(database)
    expect(database.revision()).not.toBe(before)
  })

  test('has moved when a transaction of this node is acknowledged, and not before it commits', async () => {
    const database = await open()
    const before = await restingRevision(database)
    await database.transaction(async (transaction) => {
      await transaction.insertInto('throttles').values(row).execute()
      expect(database.revision()).toBe(before)
    })
    expect(database.revision()).not.toBe(before)
  })

  test('rests when a transaction is rolled back', async () => {
    const database = await open()
    const before = await restingRevision(database)
    const work = database.transaction(async (transaction) => {
      await transaction.insertInto('throttles').values(row).execute()
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    expect(await restingRevision(database)).toBe(before)
  })

  test('rests when a statement finds no row to change', async () => {
    const database = await open()
    const before = await restingRevision(database)
    await database.query.updateTable('throttles').set({ failures: 1 }).where('key', '=', 'none').execute()
    await database.query.deleteFrom('throttles').where('key', '=', 'none').execute()
    expect(await restingRevision(database)).toBe(before)
  })

  test('moves within a second of a commit of another node, for every table', async () => {
    const database = await open()
    const other = await openAgain(database)
    const before = await restingRevision(database)
    await write(other)
    await expect.poll(() => database.revision(), { timeout: 1_000, interval: 5 }).not.toBe(before)
    for (const change of ['update throttles set failures = 9', 'delete from throttles']) {
      const previous = await restingRevision(database)
      await sql.raw(change).execute(other.query)
      await expect.poll(() => database.revision(), { timeout: 1_000, interval: 5 }).not.toBe(previous)
    }
  })

  test('costs microseconds', async () => {
    const database = await open()
    const startedAt = performance.now()
    for (let call = 0; call < 10_000; call++) database.revision()
    expect((performance.now() - startedAt) / 10_000).toBeLessThan(0.1)
  })
})

test('every table of PostgreSQL announces its changes, but those that nobody remembers anything of', async () => {
  const database = await openDatabase({ url: await freshPostgres() })
  const silent = await sql<{ name: string }>`select relname as name from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like 'castellan%'
    and (select count(*) from pg_trigger where tgrelid = pg_class.oid) <> 2`.execute(database.query)
  expect(silent.rows.map(({ name }) => name).toSorted()).toEqual([
    'budget_windows',
    'flow_labels',
    'oauth_replays',
    'remedy_approver_roles',
    'review_campaigns',
    'review_items',
    'rule_prints',
    'rule_uses',
    'spent_challenges',
    'use_cursors',
  ])
  await database.close()
})

const restsWith = (database: Database) => {
  const [first, second] = [database.revision(), database.revision()]
  return first === second
}

test('when its listening connection is ended, PostgreSQL answers a new revision each time and misses nothing', async () => {
  const url = await freshPostgres()
  const database = await openDatabase({ url })
  const other = await openDatabase({ url })
  const before = await restingRevision(database)
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query like '%pg_notify%' and pid <> pg_backend_pid()`.execute(other.query)
  await expect.poll(() => restsWith(database), { timeout: 2_000, interval: 1 }).toBe(false)
  await write(other)
  const rested = await restingRevision(database)
  expect(rested).not.toBe(before)
  await write(other, 'b')
  await expect.poll(() => database.revision(), { timeout: 1_000 }).not.toBe(rested)
  await database.close()
  await other.close()
})

test('a connection that is ended while it is borrowed fails what runs on it, not the program', async () => {
  const url = await freshPostgres()
  const database = await openDatabase({ url })
  const other = await openDatabase({ url })
  const lost = database.transaction(async (transaction) => {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'`.execute(other.query)
    await sleep(100)
    await sql`select 1`.execute(transaction)
  })
  await expect(lost).rejects.toThrow()
  await write(database, 'after')
  await database.close()
  await other.close()
})

test('when the line to PostgreSQL falls silent, nothing is taken for current after a second', async () => {
  const line = await openLine(await freshPostgres())
  const database = await openDatabase({ url: line.url })
  await restingRevision(database)
  expect(restsWith(database)).toBe(true)
  line.freeze()
  await sleep(1_050)
  expect(restsWith(database)).toBe(false)
  line.thaw()
  await expect.poll(() => restsWith(database), { timeout: 8_000 }).toBe(true)
  await database.close()
})

test('closing does not wait for a server that is out of reach', async () => {
  const line = await openLine(await freshPostgres())
  const database = await openDatabase({ url: line.url })
  line.freeze()
  const startedAt = performance.now()
  await database.close()
  expect(performance.now() - startedAt).toBeLessThan(6_000)
})

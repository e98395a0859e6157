import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eachDatabase, restingRevision } from '../../../test/world/databases.ts'
import type { Database } from './database.ts'
import { rememberByRevision } from './remember-by-revision.ts'

async function write(database: Database, key: string, failures: number): Promise<void> {
  const row = { key, failures, window_started_at: 0 }
  await database.query
    .insertInto('throttles')
    .values(row)
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ failures }))
    .execute()
}

function failuresOf(database: Database) {
  let loads = 0
  const remembered = rememberByRevision(
    database,
    async (key: string) => {
      loads++
      const rows = await database.query.selectFrom('throttles').select('failures').where('key', '=', key).execute()
      return rows[0]?.failures ?? 0
    },
    { maxEntries: 2 },
  )
  return { ...remembered, loads: () => loads }
}

eachDatabase('a value remembered by revision', (open, openAgain) => {
  test('is loaded once, then peeked at', async () => {
    const database = await open()
    await write(database, 'a', 7)
    await restingRevision(database)
    const { get, peek, loads } = failuresOf(database)
    expect(peek('a')).toBeUndefined()
    expect(await get('a')).toBe(7)
    expect(peek('a')).toBe(7)
    expect(await get('a')).toBe(7)
    expect(loads()).toBe(1)
  })

  test('is shared by those who ask at the same time', async () => {
    const database = await open()
    await restingRevision(database)
    const { get, loads } = failuresOf(database)
    await Promise.all([get('a'), get('a'), get('a')])
    expect(loads()).toBe(1)
  })

  test('is gone as soon as a change of this node is acknowledged', async () => {
    const database = await open()
    const { get, peek } = failuresOf(database)
    for (let round = 1; round <= 20; round++) {
      await write(database, 'a', round)
      expect(peek('a')).toBeUndefined()
      expect(await get('a')).toBe(round)
    }
  })

  test('is gone within a second of a change of another node', async () => {
    const database = await open()
    const other = await openAgain(database)
    const { get } = failuresOf(database)
    await get('a')
    await write(other, 'a', 5)
    await expect.poll(() => get('a'), { timeout: 1_000, interval: 5 }).toBe(5)
  })
})

test('a value read before a change is not kept after it', async () => {
  let revision = 1
  let stored = 'old'
  const { get, peek } = rememberByRevision(
    { revision: () => revision },
    async () => {
      const read = stored
      await sleep(20)
      return read
    },
    { maxEntries: 10 },
  )
  const early = get('key')
  stored = 'new'
  revision = 2
  const late = get('key')
  expect(await early).toBe('old')
  expect(await late).toBe('new')
  expect(peek('key')).toBe('new')
})

test('a revision that never rests keeps nothing', async () => {
  let revision = 0
  const { get, peek } = rememberByRevision({ revision: () => ++revision }, async () => 1, { maxEntries: 10 })
  await get('key')
  expect(peek('key')).toBeUndefined()
})

test('a failed load reaches its callers and is tried again', async () => {
  let failures = 1
  const { get } = rememberByRevision(
    { revision: () => 1 },
    async () => {
      if (failures-- > 0) throw new Error('no answer')
      return 'found'
    },
    { maxEntries: 10 },
  )
  await expect(get('key')).rejects.toThrow('no answer')
  expect(await get('key')).toBe('found')
})

test('as many entries are kept as allowed, and one more pushes out the oldest', async () => {
  const { get, peek } = rememberByRevision({ revision: () => 1 }, async (key: number) => key, { maxEntries: 2 })
  await get(1)
  await get(2)
  expect([peek(1), peek(2)]).toEqual([1, 2])
  await get(3)
  expect([peek(1), peek(2), peek(3)]).toEqual([undefined, 2, 3])
})

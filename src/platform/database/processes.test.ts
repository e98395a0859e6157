import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { emptyPostgres, freshSqlite, restingRevision } from '../../../test/world/databases.ts'
import { startProcess } from '../../../test/world/machine/start-process.ts'
import { openDatabase } from './database.ts'

async function countAt(url: string): Promise<number | undefined> {
  const database = await openDatabase({ url })
  const row = await database.query.selectFrom('throttles').select('failures').executeTakeFirst()
  await database.close()
  return row?.failures
}

const places = [
  ['SQLite', freshSqlite],
  ['PostgreSQL', emptyPostgres],
] as const

test.each(places)('processes that open an empty database at once all find it migrated (%s)', async (_name, fresh) => {
  const url = await fresh()
  const processes = Array.from({ length: 4 }, () => startProcess('counting-process', [url, '25']))
  for (const { ended } of processes) expect(await ended).toEqual({ code: 0, complaints: '' })
  expect(await countAt(url)).toBe(100)
})

test.each(places)('what was acknowledged survives the killing of its writer (%s)', async (_name, fresh) => {
  const url = await fresh()
  const { child, lines, ended } = startProcess('counting-process', [url, '100000'])
  await expect.poll(() => lines.length, { timeout: 20_000 }).toBeGreaterThan(50)
  child.kill('SIGKILL')
  await ended
  const counted = await countAt(url)
  expect(counted).toBeGreaterThanOrEqual(lines.length)
  expect(counted).toBeLessThanOrEqual(lines.length + 1)
})

test.each(places)('the revision moves when another process commits, and then rests (%s)', async (_name, fresh) => {
  const url = await fresh()
  const database = await openDatabase({ url })
  const before = await restingRevision(database)
  await startProcess('counting-process', [url, '1']).ended
  await expect.poll(() => database.revision(), { timeout: 1_000 }).not.toBe(before)
  const after = await restingRevision(database)
  await sleep(50)
  expect(database.revision()).toBe(after)
  await database.close()
})

import type { Ledger } from '#audit'
import { isRefusal } from '#kernel'
import type { Database } from '#platform/database'
import { beforeEach, expect, test } from 'vitest'
import { createTestClock, type TestClock } from '../../../test/world/clock.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { createTestSealer } from '../../../test/world/identity.ts'
import { noted, obstructLedger, openTestLedger } from '../../../test/world/ledger.ts'
import { artifactHash, createArtifacts } from './artifacts.ts'
import { duringVisit } from './visiting.ts'
import { commitWrites, type HeldWrites, holdWrites } from './held-writes.ts'

const sealer = createTestSealer()
const entry = [noted, { outcome: 'succeeded' }] as const

eachDatabase('what a token request writes', (open, openAgain) => {
  let database: Database
  let ledger: Ledger
  let clock: TestClock
  let obstruct: () => { release(): void }

  beforeEach(async () => {
    database = await open()
    clock = createTestClock(Date.now())
    const opened = await openTestLedger()
    ;({ ledger } = opened)
    obstruct = () => obstructLedger(opened.dataFolder)
    await kinds(database)('RefreshToken').upsert('old', { jti: 'old', grantId: 'g' }, 600)
  })

  const kinds = (on: Database) => createArtifacts({ database: on, clock, sealer })

  /** What a request would write that finds the token, uses it up and makes another. */
  function use(fresh: string, on = database): Promise<HeldWrites> {
    return holdWrites(
      async () => {
        const tokens = kinds(on)('RefreshToken')
        expect(await tokens.find('old')).not.toHaveProperty('consumed')
        await tokens.consume('old')
        await tokens.upsert(fresh, { jti: fresh, grantId: 'g' }, 600)
      },
      () => true,
    )
  }

  const commit = (writes: HeldWrites, on = database) => commitWrites({ database: on, ledger, clock }, writes, entry)
  const found = async (id: string): Promise<boolean> => (await kinds(database)('RefreshToken').find(id)) !== undefined

  test('is not there before it is written, and then all of it is', async () => {
    const writes = await use('new')
    expect([await found('old'), await found('new')]).toEqual([true, false])
    expect(await commit(writes)).toBeUndefined()
    expect(await found('new')).toBe(true)
    expect(await kinds(database)('RefreshToken').find('old')).toHaveProperty('consumed')
  })

  test('is written once of many that looked at the same moment, on two nodes', async () => {
    const second = await openAgain(database)
    const requests = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => ({ on: at % 2 ? second : database, id: `new ${at}` })),
    )
    const looked = await Promise.all(requests.map(async ({ on, id }) => ({ on, writes: await use(id, on) })))
    const outcomes = await Promise.all(looked.map(({ on, writes }) => commit(writes, on)))
    expect(outcomes.filter((one) => one === undefined)).toHaveLength(1)
    const made = await Promise.all(requests.map(({ id }) => found(id)))
    expect(made.filter(Boolean)).toHaveLength(1)
  })

  test('uses nothing up and gives nothing when it cannot be put on record', async () => {
    const writes = await use('new')
    const { release } = obstruct()
    await expect(commit(writes)).rejects.toThrow()
    release()
    expect([await found('old'), await found('new')]).toEqual([true, false])
    const { ledger: another } = await openTestLedger()
    expect(await commitWrites({ database, ledger: another, clock }, await use('later'), entry)).toBeUndefined()
  })

  test('was not used when nobody was answered: another may use it, and the first is too late to answer', async () => {
    const mark = { consumed_at: clock.now() - 1, answered_at: null }
    const row = database.query.updateTable('oauth_artifacts').where('id_hash', '=', artifactHash('old'))
    await row.set(mark).execute()
    const [again, late] = [await use('new'), await use('late')]
    expect(await commit(again)).toBeUndefined()
    expect(isRefusal(await commit(late))).toBe(true)
    expect([await found('new'), await found('late')]).toEqual([true, false])
  })

  test('is no theft for who came before the first was answered, and is for who came after', async () => {
    const arrivedAt = clock.now()
    clock.advance(1)
    expect(await commit(await use('new'))).toBeUndefined()
    const seenFrom = (at: number) =>
      duringVisit({ path: '/oauth/token', address: '::1', exchangeId: 'x' }, at, () =>
        kinds(database)('RefreshToken').find('old'),
      )
    expect(await seenFrom(arrivedAt)).not.toHaveProperty('consumed')
    expect(await seenFrom(clock.now())).toHaveProperty('consumed')
  })

  test('gives nothing for what ended in between', async () => {
    const writes = await use('new')
    await kinds(database)('RefreshToken').revokeByGrantId('g')
    expect(isRefusal(await commit(writes))).toBe(true)
    expect(await found('new')).toBe(false)
  })
})

import { createId } from '#kernel'
import { beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { createTestSealer } from '../../../test/world/identity.ts'
import { createTestClock, type TestClock } from '../../../test/world/clock.ts'
import type { Database } from '#platform/database'
import { artifactHash, createArtifacts } from './artifacts.ts'
import { createReplays } from './replays.ts'

const minuteMs = 60_000
const keptMs = 10 * minuteMs

const sealer = createTestSealer()

eachDatabase('what the authorization server keeps', (open, openAgain) => {
  let database: Database
  let clock: TestClock

  beforeEach(async () => {
    database = await open()
    clock = createTestClock(Date.now())
  })

  const write = () => createArtifacts({ database, clock, sealer })('AccessToken').upsert('an id', { jti: 'an id' }, 60)

  async function grant(lifeMs: number): Promise<string> {
    const id = createId(clock.now())
    const named = { person_id: 'p', client_id: 'c', client_name: 'c', resource: 'r', scopes: 'mcp', factors: '[]' }
    const times = { created_at: clock.now(), expires_at: clock.now() + lifeMs }
    await database.query
      .insertInto('oauth_grants')
      .values({ id, ...named, ...times })
      .execute()
    return id
  }

  const kept = async (id: string): Promise<boolean> =>
    (await database.query.selectFrom('oauth_grants').select('id').where('id', '=', id).execute()).length === 1

  test('a grant is kept as long again as it lived, and ten minutes, and not a millisecond longer', async () => {
    const [short, long] = [await grant(20 * minuteMs), await grant(60 * minuteMs)]
    clock.advance(40 * minuteMs + keptMs)
    await write()
    expect([await kept(short), await kept(long)]).toEqual([true, true])
    clock.advance(1)
    await write()
    expect([await kept(short), await kept(long)]).toEqual([false, true])
  })

  test('tokens and proofs are kept for ten minutes beyond their end', async () => {
    await createReplays({ database }).useOnce('a purpose', 'an id', clock.now() + minuteMs)
    await createArtifacts({ database, clock, sealer })('AccessToken').upsert('other', { jti: 'other' }, 60)
    const count = async (): Promise<number[]> => {
      const tables = ['oauth_replays', 'oauth_artifacts'] as const
      return Promise.all(
        tables.map(async (table) => (await database.query.selectFrom(table).selectAll().execute()).length),
      )
    }
    clock.advance(minuteMs + keptMs)
    await write()
    expect(await count()).toEqual([1, 2])
    clock.advance(1)
    await write()
    expect(await count()).toEqual([0, 1])
  })

  test('of twenty that show the same proof at the same moment, on two nodes, one is the first', async () => {
    const nodes = [database, await openAgain(database)].map((one) => createReplays({ database: one }))
    const endsAt = clock.now() + minuteMs
    const uses = Array.from({ length: 20 }, (_, at) => nodes[at % 2]?.useOnce('a purpose', 'an id', endsAt))
    expect((await Promise.all(uses)).filter(Boolean)).toHaveLength(1)
    expect(await nodes[0]?.useOnce('another purpose', 'an id', endsAt)).toBe(true)
  })

  test('a payload opens in its own row only, and what was put there for another does not exist', async () => {
    const artifacts = createArtifacts({ database, clock, sealer })
    await artifacts('AccessToken').upsert('one', { jti: 'one', scope: 'mcp' }, 60)
    await artifacts('AccessToken').upsert('two', { jti: 'two', scope: 'more' }, 60)
    expect(await artifacts('AccessToken').find('one')).toEqual({ jti: 'one', scope: 'mcp' })
    const rows = database.query.selectFrom('oauth_artifacts').select('sealed_payload')
    const { sealed_payload } = await rows.where('id_hash', '=', artifactHash('two')).executeTakeFirstOrThrow()
    const first = database.query.updateTable('oauth_artifacts').where('id_hash', '=', artifactHash('one'))
    await first.set({ sealed_payload }).execute()
    expect(await artifacts('AccessToken').find('one')).toBeUndefined()
  })
})

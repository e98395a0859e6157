import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { freshSqlite } from '../../../test/world/databases.ts'
import { identityWorld } from '../../../test/world/identity.ts'
import { openDatabase } from '#platform/database'
import { onTestFinished } from 'vitest'

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0
}

test.each(['123456', 'aaaa-bbbb-cccc-dddd'])(
  'a stranger with the code %s cannot tell a known name from an unknown one, by answer or by time',
  async (code) => {
    const database = await openDatabase({ url: await freshSqlite() })
    onTestFinished(() => database.close())
    const world = await identityWorld(database)
    await world.admin()
    const times = { ada: [] as number[], bob: [] as number[] }
    const said = new Set<string>()
    for (let round = 0; round < 40; round++) {
      world.clock.advance(20 * 60_000)
      // WHY: in turn, and each first as often, so that both meet the same weather.
      for (const name of round % 2 ? (['ada', 'bob'] as const) : (['bob', 'ada'] as const)) {
        const started = performance.now()
        const answer = await world.identity.signIn({ name, password: 'not the password', code, address: '203.0.113.5' })
        times[name].push(performance.now() - started)
        if (isRefusal(answer)) said.add(`${answer.code} ${answer.says} ${answer.hint} ${answer.retryAfterSeconds}`)
      }
    }
    expect(said.size).toBe(1)
    const [known, unknown] = [median(times.ada), median(times.bob)]
    expect(Math.abs(known - unknown) / Math.min(known, unknown)).toBeLessThan(0.25)
  },
  60_000,
)

import { isRefusal } from '#kernel'
import type { Database } from '#platform/database'
import { expect, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { identityWorld, refusalOf } from '../../../test/world/identity.ts'
import { type Attempt, createThrottle, mostConsecutiveFailures } from './throttle.ts'

const stranger: Attempt = { account: 'ada', source: '203.0.113.5', personId: 'id-of-ada' }
const familiar: Attempt = { ...stranger, source: '192.0.2.10' }

function throttleOver(database: Database) {
  const clock = createTestClock()
  const throttle = createThrottle({ database, clock })
  /** Seconds to wait, or 0 when the attempt may be made. */
  async function wait(attempt: Attempt): Promise<number> {
    const turn = await throttle.take(attempt)
    return isRefusal(turn) ? (turn.retryAfterSeconds ?? Number.NaN) : 0
  }
  async function succeed(attempt: Attempt): Promise<void> {
    const turn = await throttle.take(attempt)
    if (isRefusal(turn)) throw new Error(turn.code)
    await database.transaction((transaction) => turn.settle(transaction))
  }
  return { clock, throttle, wait, succeed }
}

eachDatabase('the throttle', (open, openAgain) => {
  test('five attempts in five minutes pass, the sixth waits a minute, then two, four, eight, fifteen and fifteen', async () => {
    const { clock, wait } = throttleOver(await open())
    for (let attempt = 0; attempt < 5; attempt++) expect(await wait(stranger)).toBe(0)
    for (const minutes of [1, 2, 4, 8, 15, 15]) {
      expect(await wait(stranger)).toBe(minutes * 60)
      clock.advance(minutes * 60_000 - 1)
      expect(await wait(stranger)).toBe(1)
      clock.advance(1)
      expect(await wait(stranger)).toBe(0)
    }
  })

  test('five quiet minutes forget the failures, less do not', async () => {
    const { clock, wait } = throttleOver(await open())
    for (let attempt = 0; attempt < 4; attempt++) expect(await wait(stranger)).toBe(0)
    clock.advance(5 * 60_000)
    expect(await wait(stranger)).toBe(0)
    expect(await wait(stranger)).toBe(60)
    clock.advance(6 * 60_000 + 1)
    for (let attempt = 0; attempt < 5; attempt++) expect(await wait(stranger)).toBe(0)
    expect(await wait(stranger)).toBe(60)
  })

  test('attempts count while they are being judged, on all nodes: of 64 at once five pass', async () => {
    const database = await open()
    const nodes = [throttleOver(database), throttleOver(await openAgain(database))] as const
    const waits = await Promise.all(Array.from({ length: 64 }, (_, index) => nodes[index % 2]?.wait(stranger)))
    expect(waits.filter((seconds) => seconds === 0)).toHaveLength(5)
  })

  test('one source waits after thirty attempts, whatever the names, and a success of its own forgives only itself', async () => {
    const { wait, succeed } = throttleOver(await open())
    const guess = (number: number): Attempt => ({ ...stranger, account: `name${number}`, personId: undefined })
    for (let number = 0; number < 15; number++) expect(await wait(guess(number))).toBe(0)
    await succeed({ ...familiar, account: 'mallory', personId: 'id-of-mallory', source: stranger.source })
    for (let number = 15; number < 30; number++) expect(await wait(guess(number))).toBe(0)
    expect(await wait(guess(30))).toBe(60)
    expect(await wait({ ...guess(31), source: '203.0.113.6' })).toBe(0)
  })

  test('failures from everywhere slow strangers of an account to a pace and never its familiar source', async () => {
    const { clock, wait, succeed } = throttleOver(await open())
    await succeed(familiar)
    for (let number = 0; number < 20; number++)
      expect(await wait({ ...stranger, source: `203.0.113.${number}` })).toBe(0)
    expect(await wait({ ...stranger, source: '203.0.113.99' })).toBe(15)
    expect(await wait({ ...stranger, account: 'bob', source: '203.0.113.99' })).toBe(0)
    for (let number = 0; number < 4; number++) expect(await wait(familiar)).toBe(0)
    await succeed(familiar)
    expect(await wait({ ...stranger, source: '203.0.113.98' })).toBe(15)
    clock.advance(15_000)
    expect(await wait({ ...stranger, source: '203.0.113.98' })).toBe(0)
    expect(await wait({ ...stranger, source: '203.0.113.97' })).toBe(30)
  })

  test('a source stays familiar for ninety days after the last success', async () => {
    const { clock, wait, succeed } = throttleOver(await open())
    const isSlowed = async () => {
      for (let number = 0; number < 20; number++) await wait({ ...stranger, source: `203.0.113.${number}` })
      return (await wait(familiar)) > 0
    }
    await succeed(familiar)
    clock.advance(90 * 24 * 3_600_000 - 1)
    expect(await isSlowed()).toBe(false)
    clock.advance(3_600_000)
    expect(await isSlowed()).toBe(true)
  })

  test('a run of failures is counted apart for familiar sources and ends with a success', async () => {
    const { clock, throttle, succeed } = throttleOver(await open())
    await succeed(familiar)
    const streak = async (attempt: Attempt) => {
      clock.advance(20 * 60_000)
      const turn = await throttle.take(attempt)
      return isRefusal(turn) ? turn.code : turn.streak
    }
    for (let number = 0; number < 12; number++) expect(await streak(stranger)).toBe(number)
    expect(await streak(familiar)).toBe(0)
    expect(await streak(familiar)).toBe(1)
    clock.advance(20 * 60_000)
    await succeed(familiar)
    expect([await streak(familiar), await streak(stranger)]).toEqual([0, 0])
  })
})

eachDatabase('a hundred failures in a row', (open) => {
  test('leave strangers only the recovery code, and the familiar source untouched', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    await world.signIn(ada)
    const person = await world.identity.people.find('ada')
    const row = { key: `streak:${person?.id}:elsewhere`, window_started_at: 0, blocked_until: 0 }
    const fail = (failures: number) =>
      world.database.query
        .insertInto('throttles')
        .values({ ...row, failures })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ failures }))
        .execute()
    const attempt = (code: string | undefined, address: string) => world.identity.signIn({ ...ada, code, address })

    await fail(mostConsecutiveFailures)
    expect(refusalOf(await attempt(ada.nextCode(), '203.0.113.1'))).toBe('identity.sign-in-refused')
    expect(isRefusal(await attempt(ada.recoveryCodes[0], '203.0.113.2'))).toBe(false)
    await fail(mostConsecutiveFailures - 1)
    expect(isRefusal(await attempt(ada.nextCode(), '203.0.113.3'))).toBe(false)
    await fail(mostConsecutiveFailures)
    expect(isRefusal(await attempt(ada.nextCode(), '192.0.2.10'))).toBe(false)
  })

  test('spellings of a name share one throttle', async () => {
    const world = await identityWorld(await open())
    const kim = await world.person('kim')
    const spellings = ['kim', 'KIM', ' Kim', 'ｋｉｍ', '\u212aim ']
    for (const name of spellings) {
      const answer = await world.identity.signIn({ name, password: 'wrong', code: '123456', address: '203.0.113.1' })
      expect(refusalOf(answer)).toBe('identity.sign-in-refused')
    }
    const right = { ...kim, code: kim.nextCode(), address: '203.0.113.1' }
    expect(await world.identity.signIn(right)).toMatchObject({
      code: 'identity.sign-in-throttled',
      status: 429,
      retryAfterSeconds: 30,
    })
    world.clock.advance(30_000)
    expect(isRefusal(await world.identity.signIn({ ...right, name: 'KIM ', code: kim.nextCode() }))).toBe(false)
  })
})

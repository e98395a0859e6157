import { isRefusal, type Target } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy, type PolicyWorld } from '../../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { createPolicy, type Policy } from '../policy.ts'
import type { ProposedBudget } from './budget.ts'

const tool: Target = { upstream: 'notes', kind: 'tool', name: 'a/b' }
const perDay = { meter: 'calls', period: 'day' } as const

async function set(
  { policy, root }: PolicyWorld,
  budget: Omit<ProposedBudget, 'meter' | 'period'> & Partial<ProposedBudget>,
) {
  const made = await policy.budgets.set({ ...perDay, ...budget, by: root })
  if (isRefusal(made)) throw new Error(made.says)
  return made
}

const asker = { id: 'p', roles: [] as string[] }

async function spend(policy: Policy, more: { principal?: typeof asker; target?: Target; bundle?: string } = {}) {
  await policy.refresh()
  return policy.budgets.spend({ principal: asker, target: tool, ...more })
}

async function isLeft(policy: Policy, more: Parameters<typeof spend>[1] = {}): Promise<boolean> {
  return !isRefusal(await spend(policy, more))
}

async function count(times: number, policy: Policy, more: Parameters<typeof spend>[1] = {}): Promise<number> {
  let passed = 0
  for (let at = 0; at < times; at += 1) if (await isLeft(policy, more)) passed += 1
  return passed
}

eachDatabase('budgets', (open, openAgain) => {
  test('the last call of a budget passes, and the next one is told which budget, how much, and until when', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'tool', subject: 'notes/a/b', amount: 3 })
    expect(await count(3, world.policy)).toBe(3)
    const refused = await spend(world.policy)
    expect(refused).toMatchObject({ code: 'policy.budget-spent', status: 429, detail: { meter: 'calls', amount: 3 } })
    const day = 86_400_000
    const rest = day - (world.clock.now() % day)
    expect(refused).toMatchObject({
      says: expect.stringContaining('3 calls per day, tool notes/a/b') as unknown,
      retryAfterSeconds: Math.ceil(rest / 1_000),
    })
    world.clock.advance(rest - 1)
    expect(await isLeft(world.policy)).toBe(false)
    world.clock.advance(1)
    expect(await count(4, world.policy)).toBe(3)
  })

  test('each kind of budget counts what it is on, and nothing else', async () => {
    const world = await openPolicy(await open())
    const { policy, root } = world
    const rowOf = async (kind: ProposedBudget['kind'], subject: string) => {
      const made = await set(world, { kind, subject, amount: 0 })
      const cases = [
        {},
        { principal: { id: root.id, roles: ['admin'] } },
        { target: { ...tool, name: 'a' } },
        { target: { upstream: 'files', kind: 'resource', name: 'x' } as const },
        { target: { upstream: 'files', kind: 'tool', name: 'x' } as const, bundle: 'all' },
      ]
      const left = []
      for (const one of cases) left.push(await isLeft(policy, one))
      await policy.budgets.remove(made.id, root)
      return left
    }
    expect(await rowOf('principal', root.id)).toEqual([true, false, true, true, true])
    expect(await rowOf('principal', '*')).toEqual([false, false, false, false, false])
    expect(await rowOf('role', 'admin')).toEqual([true, false, true, true, true])
    expect(await rowOf('tool', 'notes/a/b')).toEqual([false, false, true, true, true])
    expect(await rowOf('upstream', 'notes')).toEqual([false, false, false, true, true])
    expect(await rowOf('bundle', 'all')).toEqual([true, true, true, true, false])
    expect(await isLeft(policy)).toBe(true)
  })

  test('each principal has a count of its own where the budget is of each, and one who spends takes nothing from others', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'principal', subject: '*', amount: 2 })
    await set(world, { kind: 'role', subject: 'analyst', amount: 1 })
    expect(await count(5, world.policy, { principal: { id: 'a', roles: [] } })).toBe(2)
    expect(await count(5, world.policy, { principal: { id: 'b', roles: [] } })).toBe(2)
    expect(await count(5, world.policy, { principal: { id: 'c', roles: ['analyst'] } })).toBe(1)
    expect(await count(5, world.policy, { principal: { id: 'd', roles: ['analyst'] } })).toBe(1)
  })

  test('a call that is refused by one budget, or did not happen, takes nothing from another', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'upstream', subject: 'notes', amount: 5 })
    await set(world, { kind: 'tool', subject: 'notes/a/b', amount: 2 })
    expect(await count(9, world.policy)).toBe(2)
    const other = { target: { ...tool, name: 'other' } }
    const given = await spend(world.policy, other)
    if (given === undefined || isRefusal(given)) throw new Error('refused')
    given.giveBack()
    expect(await count(9, world.policy, other)).toBe(3)
  })

  test('units are what the tool costs, one unless told, and a dear call leaves what is left to a cheap one', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'upstream', subject: 'notes', meter: 'units', amount: 10 })
    await world.policy.budgets.setCost({ tool: 'notes/a/b', units: 4, by: world.root })
    expect(await world.policy.budgets.costs()).toEqual([{ tool: 'notes/a/b', units: 4 }])
    expect(await count(3, world.policy)).toBe(2)
    expect(await count(3, world.policy, { target: { ...tool, name: 'cheap' } })).toBe(2)
  })

  test('bytes are counted after the answer and overdraw by what was open, on the common count', async () => {
    const world = await openPolicy(await open())
    const budget = await set(world, { kind: 'upstream', subject: 'notes', meter: 'bytes', amount: 100 })
    const answer = async (bytes: number) => {
      const given = await spend(world.policy)
      if (given === undefined || isRefusal(given)) return 'refused'
      given.answered(bytes)
      return 'answered'
    }
    expect(await answer(99)).toBe('answered')
    expect(await answer(500)).toBe('answered')
    expect(await answer(1)).toBe('refused')
    const shown = async () => {
      const state = await world.policy.budgets.show(budget.id)
      return isRefusal(state) ? 0 : state.taken[0]?.taken
    }
    await expect.poll(shown).toBe(599)
  })

  test('two nodes together spend exactly a small budget, and of a large one no more than there is', async () => {
    const first = await openPolicy(await open())
    const second = await createPolicy({ ...first, database: await openAgain(first.database) })
    const both = async (amount: number, each: number) => {
      await set(first, { kind: 'upstream', subject: 'notes', amount })
      const seen = async () => (await second.refresh(), (await second.budgets.list())[0]?.amount)
      await expect.poll(seen, { timeout: 3_000 }).toBe(amount)
      await new Promise((resume) => setTimeout(resume, 1_200))
      const passed = await Promise.all([count(each, first.policy), count(each, second)])
      return (passed[0] ?? 0) + (passed[1] ?? 0)
    }
    expect(await both(20, 20)).toBe(20)
    first.clock.advance(86_400_000)
    const spent = await both(200, 200)
    expect(spent).toBeLessThanOrEqual(200)
    expect(spent).toBeGreaterThanOrEqual(200 - Math.floor(200 / 32))
  })

  test('a hundred calls at once spend a budget exactly', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'principal', subject: '*', amount: 40 })
    await world.policy.refresh()
    const passed = await Promise.all(Array.from({ length: 100 }, () => isLeft(world.policy)))
    expect(passed.filter(Boolean)).toHaveLength(40)
  })

  test('a restart fills nothing again, and costs at most one share', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'upstream', subject: 'notes', amount: 64 })
    expect(await count(10, world.policy)).toBe(10)
    const again = await createPolicy(world)
    const passed = await count(64, again)
    expect(passed).toBeLessThanOrEqual(54)
    expect(passed).toBeGreaterThanOrEqual(52)
  })

  test('a changed amount counts at once, also below what was spent', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'upstream', subject: 'notes', amount: 20 })
    expect(await count(10, world.policy)).toBe(10)
    await set(world, { kind: 'upstream', subject: 'notes', amount: 5 })
    expect(await isLeft(world.policy)).toBe(false)
    await set(world, { kind: 'upstream', subject: 'notes', amount: 12 })
    expect(await count(5, world.policy)).toBe(2)
    expect(await world.policy.budgets.list()).toHaveLength(1)
  })

  test('four fifths handed out are told once in a window', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'upstream', subject: 'notes', amount: 5 })
    const warnings = async () => (await world.ledger.read({ event: 'budget.nearly-reached' })).length
    expect(await count(3, world.policy)).toBe(3)
    expect(await warnings()).toBe(0)
    expect(await count(9, world.policy)).toBe(2)
    await expect.poll(warnings).toBe(1)
    world.clock.advance(86_400_000)
    expect(await count(9, world.policy)).toBe(5)
    await expect.poll(warnings).toBe(2)
  })

  test('what cannot be taken out of the database is refused', async () => {
    const world = await openPolicy(await open())
    await set(world, { kind: 'upstream', subject: 'notes', amount: 5 })
    await world.policy.refresh()
    await world.database.close()
    await expect((async () => world.policy.budgets.spend({ principal: asker, target: tool }))()).rejects.toThrow()
  })

  test('budgets on nothing are refused, and every change is on record or does not happen', async () => {
    const world = await openPolicy(await open())
    const { policy, root, ledger, database, clock } = world
    const ada = await addPerson(database, clock, 'ada')
    const refusal = async (kind: ProposedBudget['kind'], subject: string, amount = 1) => {
      const made = await policy.budgets.set({ ...perDay, kind, subject, amount, by: root })
      return isRefusal(made) ? made.code : 'set'
    }
    for (const [kind, subject] of [
      ['tool', 'notes'],
      ['tool', '/x'],
      ['upstream', 'a/b'],
      ['bundle', ''],
      ['role', ''],
    ] as const) {
      expect(await refusal(kind, subject), `${kind} ${subject}`).toBe('policy.budget-subject-invalid')
    }
    for (const amount of [-1, 1.5, Number.NaN, 1_000_000_000_000_001]) {
      expect(await refusal('upstream', 'notes', amount)).toBe('policy.budget-amount-invalid')
    }
    expect(await refusal('upstream', 'notes', 1_000_000_000_000_000)).toBe('set')
    expect(await refusal('principal', 'nobody')).toBe('policy.person-unknown')
    expect(await refusal('principal', ada.id)).toBe('set')
    expect(await policy.budgets.remove('never', root)).toMatchObject({ code: 'policy.budget-unknown' })
    expect(await policy.budgets.setCost({ tool: 'notes', units: 1, by: root })).toMatchObject({ kind: 'refusal' })
    expect(await ledger.read({ event: 'budget.set' })).toHaveLength(2)
    await ledger.close()
    await expect(refusal('upstream', 'files')).rejects.toThrow()
    expect(await policy.budgets.list()).toHaveLength(2)
  })
})

import { isRefusal } from '#kernel'
import type { Database } from '#platform/database'
import { expect, test } from 'vitest'
import { createTestClock } from '../../../test/world/clock.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { openPolicy, type PolicyWorld } from '../../../test/world/policy.ts'
import { type Account, createAccounts, use } from './accounts.ts'
import type { Budget } from './budget.ts'

const day = 86_400_000
const startsAt = 20_000 * day
const window = { startsAt, endsAt: startsAt + day }
const budget: Budget = {
  id: 'b',
  kind: 'upstream',
  subject: 'notes',
  meter: 'calls',
  period: 'day',
  amount: 640,
  setAt: 1,
  setBy: 'r',
}
const one = { amount: 1, used: 1 }

function openAccounts(database: Database, now = () => startsAt) {
  const warned: Account[] = []
  const accounts = createAccounts({ database, now, warn: (account) => warned.push(account) })
  const taken = async (at = window) => (await accounts.read('b', at)).map((row) => row.taken)
  return { accounts, warned, taken }
}

test('what is there is used, and no more', () => {
  const account: Account = { budget, holder: '', window, left: 2, isEmpty: false, taking: undefined }
  expect([use(account, { amount: 2, used: 1 }), account.left]).toEqual([true, 1])
  expect([use(account, { amount: 2, used: 1 }), account.left]).toEqual([false, 1])
  expect([use(account, { amount: 1, used: 1 }), account.left]).toEqual([true, 0])
  expect([use(account, { amount: 0, used: 0 }), account.left]).toEqual([true, 0])
})

eachDatabase('accounts', (open, openAgain) => {
  test('a share is a thirty-second part of what is left, and at least what is needed', async () => {
    const { accounts, taken } = openAccounts(await open())
    const account = accounts.of({ budget, holder: '' }, window)
    expect(await accounts.take(account, one)).toBe(true)
    expect([account.left, await taken()]).toEqual([19, [20]])
    account.left = 0
    await accounts.take(account, one)
    expect([account.left, await taken()]).toEqual([18, [39]])
    expect(await accounts.take(account, { amount: 100, used: 100 })).toBe(true)
    expect([account.left, await taken()]).toEqual([0, [121]])
    expect(await accounts.take(account, { amount: 520, used: 520 })).toBe(false)
    expect([account.left, account.isEmpty, await taken()]).toEqual([0, false, [121]])
    expect(await accounts.take(account, { amount: 519, used: 519 })).toBe(true)
    expect(account.isEmpty).toBe(false)
    expect(await accounts.take(account, one)).toBe(false)
    expect(account.isEmpty).toBe(true)
    expect(await accounts.take(account, { amount: 0, used: 0 })).toBe(true)
  })

  test('what was used beyond is on the count before anything else is had', async () => {
    const { accounts, taken } = openAccounts(await open())
    const account = accounts.of({ budget, holder: '' }, window)
    account.left = -100
    expect(await accounts.take(account, { amount: 1, used: 0 })).toBe(true)
    expect([account.left, await taken()]).toEqual([16, [116]])
    account.left = -600
    expect(await accounts.take(account, { amount: 1, used: 0 })).toBe(false)
    expect([account.left, account.isEmpty, await taken()]).toEqual([0, true, [716]])
  })

  test('what is asked for at once is taken one after the other, and used before more is taken', async () => {
    const { accounts, taken } = openAccounts(await open())
    const account = accounts.of({ budget, holder: '' }, window)
    const all = await Promise.all(Array.from({ length: 20 }, () => accounts.take(account, one)))
    expect(all).toEqual(Array(20).fill(true))
    expect([account.left, await taken()]).toEqual([0, [20]])
  })

  test('a share that cannot be had does not stop the next one from being asked for', async () => {
    const database = await open()
    let isBroken = true
    const query = new Proxy(database.query, {
      get(rows, name, receiver) {
        if (isBroken) throw new Error('no database')
        const member: unknown = Reflect.get(rows, name, receiver)
        return typeof member === 'function' ? member.bind(rows) : member
      },
    })
    const accounts = createAccounts({ database: { query }, now: () => startsAt, warn: () => undefined })
    const account = accounts.of({ budget, holder: '' }, window)
    await expect(accounts.take(account, one)).rejects.toThrow('no database')
    isBroken = false
    expect(await accounts.take(account, one)).toBe(true)
  })

  test('two nodes at once move the count one after the other', async () => {
    const database = await open()
    const nodes = [openAccounts(database), openAccounts(await openAgain(database))] as const
    const accounts = nodes.map((node) => node.accounts.of({ budget, holder: '' }, window))
    await Promise.all(
      nodes.flatMap((node, at) =>
        Array.from({ length: 5 }, () => accounts[at] && node.accounts.take(accounts[at], { amount: 30, used: 30 })),
      ),
    )
    const [count = 0] = await nodes[0].taken()
    expect(count).toBe(300 + (accounts[0]?.left ?? 0) + (accounts[1]?.left ?? 0))
  })

  test('counts are told apart by budget, window, holder and amount, and the largest is shown first', async () => {
    const { accounts } = openAccounts(await open())
    const next = { startsAt: window.endsAt, endsAt: window.endsAt + day }
    const all = [
      accounts.of({ budget, holder: 'p' }, window),
      accounts.of({ budget, holder: 'q' }, window),
      accounts.of({ budget, holder: 'p' }, next),
      accounts.of({ budget: { ...budget, id: 'c' }, holder: 'p' }, window),
      accounts.of({ budget: { ...budget, amount: 5 }, holder: 'p' }, window),
    ]
    expect(new Set(all).size).toBe(all.length)
    expect(accounts.of({ budget, holder: 'p' }, window)).toBe(all[0])
    for (const [at, account] of all.entries()) await accounts.take(account, { amount: 1 + at * 40, used: 0 })
    expect(await accounts.read('b', window)).toEqual([
      { holder: 'q', taken: 41 },
      { holder: 'p', taken: 20 },
    ])
    expect(await accounts.read('b', next)).toEqual([{ holder: 'p', taken: 81 }])
  })

  test('four fifths are told by whoever takes the share that reaches them, once', async () => {
    const { accounts, warned } = openAccounts(await open())
    const account = accounts.of({ budget: { ...budget, amount: 100 }, holder: 'p' }, window)
    await accounts.take(account, { amount: 79, used: 79 })
    expect(warned).toEqual([])
    await accounts.take(account, one)
    expect(warned).toEqual([account])
    await accounts.take(account, one)
    await accounts.take(account, { amount: 19, used: 19 })
    expect(warned).toHaveLength(1)
  })

  test('counts of more than seventy days ago are forgotten when a new one begins', async () => {
    const { accounts } = openAccounts(await open())
    const ago = (days: number) => ({ startsAt: startsAt - days * day, endsAt: startsAt - (days - 1) * day })
    for (const days of [71, 70]) await accounts.take(accounts.of({ budget, holder: '' }, ago(days)), one)
    await accounts.take(accounts.of({ budget, holder: '' }, window), one)
    expect(await accounts.read('b', ago(71))).toEqual([])
    expect(await accounts.read('b', ago(70))).toHaveLength(1)
  })

  test('accounts whose window has ended are forgotten where there are very many, and only those', async () => {
    const clock = createTestClock(startsAt)
    const { accounts } = openAccounts(await open(), clock.now)
    const kept = accounts.of({ budget, holder: 'kept' }, { startsAt, endsAt: startsAt + 2 * day })
    const first = accounts.of({ budget, holder: 'first' }, window)
    for (let at = 2; at < 10_000; at += 1) accounts.of({ budget, holder: String(at) }, window)
    clock.advance(day - 1)
    accounts.of({ budget, holder: 'one more' }, window)
    expect(accounts.of({ budget, holder: 'first' }, window)).toBe(first)
    clock.advance(1)
    accounts.of({ budget, holder: 'another' }, window)
    expect(accounts.of({ budget, holder: 'first' }, window)).not.toBe(first)
    expect(accounts.of({ budget, holder: 'kept' }, { startsAt, endsAt: startsAt + 2 * day })).toBe(kept)
  })

  test('what a call of a tool costs is kept, changed, and on record', async () => {
    const { policy, root, ledger } = await openPolicy(await open())
    expect(await policy.budgets.setCost({ tool: 'notes/a/b', units: 0, by: root })).toEqual({
      tool: 'notes/a/b',
      units: 0,
    })
    await policy.budgets.setCost({ tool: 'files/z', units: 1_000_000_000_000_000, by: root })
    await policy.budgets.setCost({ tool: 'notes/a/b', units: 3, by: root })
    expect(await policy.budgets.costs()).toEqual([
      { tool: 'files/z', units: 1_000_000_000_000_000 },
      { tool: 'notes/a/b', units: 3 },
    ])
    expect((await ledger.read({ event: 'budget.cost-set' })).map(({ details }) => details)).toMatchObject([
      { upstream: 'notes', tool: 'a/b', units: 0 },
      { upstream: 'files', tool: 'z', units: 1_000_000_000_000_000 },
      { upstream: 'notes', tool: 'a/b', units: 3 },
    ])
    for (const units of [-1, 0.5, 1_000_000_000_000_001]) {
      expect(await policy.budgets.setCost({ tool: 'notes/a', units, by: root })).toMatchObject({
        code: 'policy.budget-amount-invalid',
      })
    }
    expect(await policy.budgets.setCost({ tool: 'notes', units: 1, by: root })).toMatchObject({
      code: 'policy.budget-subject-invalid',
      says: '`notes` cannot have a budget as `tool`',
    })
  })

  test('every change is on record as it is, and what was handed out is shown with its window', async () => {
    const { policy, root, ledger, clock }: PolicyWorld = await openPolicy(await open())
    const asked = { kind: 'upstream', subject: 'notes', meter: 'units', period: 'hour', amount: 64 } as const
    const made = await policy.budgets.set({ ...asked, by: root })
    if (isRefusal(made)) throw new Error(made.says)
    expect(made).toEqual({ ...asked, id: made.id, setAt: clock.now(), setBy: root.id })
    expect(await ledger.read({ event: 'budget.set' })).toMatchObject([
      { principal: { id: root.id }, outcome: 'succeeded', details: { budget: made.id, ...asked } },
    ])
    clock.advance(5)
    expect(await policy.budgets.set({ ...asked, amount: 65, by: root })).toMatchObject({
      id: made.id,
      amount: 65,
      setAt: clock.now(),
    })
    for (const other of [{ meter: 'calls' }, { period: 'day' }, { subject: 'files' }, { kind: 'bundle' }] as const) {
      await policy.budgets.set({ ...asked, ...other, by: root })
    }
    const all = await policy.budgets.list()
    expect(all).toHaveLength(5)
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted())

    await policy.budgets.setCost({ tool: 'notes/a/b', units: 3, by: root })
    await policy.refresh()
    const target = { upstream: 'notes', kind: 'tool', name: 'a/b' } as const
    await policy.budgets.spend({ principal: { id: 'p', roles: [] }, target })
    const hour = Math.floor(clock.now() / 3_600_000) * 3_600_000
    expect(await policy.budgets.show(made.id)).toMatchObject({
      id: made.id,
      window: { startsAt: hour, endsAt: hour + 3_600_000 },
      taken: [{ holder: '', taken: 3 }],
    })
    expect(await policy.budgets.show('never')).toMatchObject({
      code: 'policy.budget-unknown',
      says: 'there is no budget `never`',
    })
    expect(await policy.budgets.remove(made.id, root)).toMatchObject({ id: made.id, amount: 65 })
    expect(await ledger.read({ event: 'budget.removed' })).toMatchObject([
      { principal: { id: root.id }, details: { budget: made.id, ...asked, amount: 65 } },
    ])
    expect((await ledger.read({ event: 'budget.removed' }))[0]?.details).not.toHaveProperty('setBy')
  })
})

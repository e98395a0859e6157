/**
 * Mallory's client makes call after call that needs an approval: to wear the leads down, to push the others' calls off
 * their list, to fill their notices, and to have something too long to be read approved among them.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { call, remedyIn, startApprovals } from '../world/step-up/approvals.ts'
import { pay } from '../world/step-up/payments.ts'

const refusedWith = (code: string) => ({ status: 200, body: { error: { data: { code } } } })

proves(
  'APR-5',
  'ten calls of a person wait at a time, beside those of others, and are told of once',
  async () => {
    const { world, token, lea } = await startApprovals()
    const mallory = await world.join('mallory', ['clerk'])
    const hers = await mallory.mint('books')
    for (let amount = 0; amount < 10; amount += 1)
      expect(remedyIn(await call(world, hers, pay(amount))).id).not.toBe('')
    expect(await call(world, hers, pay(10))).toMatchObject(refusedWith('policy.too-many-calls-wait'))
    expect(remedyIn(await call(world, hers, pay(3))).id).not.toBe('')
    const bens = remedyIn(await call(world, token, pay(1))).id
    const { body } = await lea.api('GET', '/approvals')
    const items = body['items'] as { id: string; person: string }[]
    expect(items).toHaveLength(11)
    expect(
      items
        .slice(0, 2)
        .map(({ id, person }) => (id === bens ? 'ben' : person))
        .toSorted(),
    ).toEqual(['ben', 'mallory'])
    const notices = (await lea.api('GET', '/account/notices')).body['items'] as {
      kind: string
      details: { name?: string }
    }[]
    const told = notices.filter(({ kind }) => kind === 'approval-asked').map(({ details }) => details.name)
    expect(told.toSorted()).toEqual(['ben', 'mallory'])
    expect(world.books.calls('tools/call')).toEqual([])
  },
  90_000,
)

proves(
  ['APR-1', 'APR-5'],
  'what is too long to be shown cannot be approved',
  async () => {
    const { world, token } = await startApprovals()
    const message = (length: number) => pay('x'.repeat(length - '{"arguments":{"amount":""}}'.length))
    expect(remedyIn(await call(world, token, message(32_768))).id).not.toBe('')
    expect(await call(world, token, message(32_769))).toMatchObject(refusedWith('policy.call-too-long'))
    expect(world.books.calls('tools/call')).toEqual([])
  },
  90_000,
)

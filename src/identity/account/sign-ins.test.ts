import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { home, identityWorld } from '../../../test/world/identity.ts'
import { createSignIns } from './sign-ins.ts'

const elsewhere = '198.51.100.7'

eachDatabase('the last sign-ins of a person', (open) => {
  test('are those that worked and those that were refused, newest first, and nobody else’s', async () => {
    const database = await open()
    const { identity, ledger, clock, ...world } = await identityWorld(database)
    const ada = await world.admin()
    const ben = await world.person('ben')
    const { principal } = await world.signIn(ada)
    clock.advance(1000)
    await identity.signIn({ name: 'ada', password: 'guessed', code: '123456', address: elsewhere })
    await identity.signIn({ name: 'nobody', password: 'guessed', code: '123456', address: elsewhere })
    await world.signIn(ben)
    await identity.sessions.endAll(principal.id, principal)
    const seen = await createSignIns({ database, ledger }).list(principal.id)
    expect(seen).toEqual([
      { atMs: expect.any(Number), address: elsewhere },
      {
        atMs: expect.any(Number),
        address: home,
        session: { agent: '', factors: ['password', 'totp'], hasEnded: true },
      },
    ])
    expect((seen[0]?.atMs ?? 0) - (seen[1]?.atMs ?? 0)).toBe(1000)
  })

  test('are ten at most', async () => {
    const database = await open()
    const { ledger, ...world } = await identityWorld(database)
    const ada = await world.admin()
    const signIns = createSignIns({ database, ledger })
    let last = await world.signIn(ada)
    for (let more = 1; more < 10; more++) last = await world.signIn(ada)
    expect(await signIns.list(last.principal.id)).toHaveLength(10)
    await world.signIn(ada)
    expect(await signIns.list(last.principal.id)).toHaveLength(10)
  })
})

import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, identityWorld } from '../../../test/world/identity.ts'
import { createCodeAllowance } from './code-allowance.ts'

eachDatabase('codes of devices', (open, openAgain) => {
  test('may be typed wrong five times in five minutes on all nodes together; the sixth waits', async () => {
    const database = await open()
    const { clock, ...world } = await identityWorld(database)
    const { principal } = await world.signIn(await world.admin())
    const { principal: other } = await world.signIn(await world.person('ben'))
    const nodes = [database, await openAgain(database)].map((each) => createCodeAllowance({ database: each, clock }))
    for (let typed = 0; typed < 5; typed++) {
      expect(isRefusal(await nodes[typed % 2]?.take(principal))).toBe(false)
    }
    for (const node of nodes) {
      expect(await node.take(principal)).toMatchObject({ code: 'identity.sign-in-throttled', retryAfterSeconds: 60 })
      expect(isRefusal(await node.take(other))).toBe(false)
    }
    clock.advance(60_000)
    expect(isRefusal(await nodes[0]?.take(principal))).toBe(false)
  })

  test('that are right are not counted, and wrong ones never delay signing in', async () => {
    const database = await open()
    const { clock, ...world } = await identityWorld(database)
    const admin = await world.admin()
    const { principal } = await world.signIn(admin)
    const codes = createCodeAllowance({ database, clock })
    for (let typed = 0; typed < 8; typed++) await given(await codes.take(principal)).forgive()
    for (let typed = 0; typed < 7; typed++) await codes.take(principal)
    expect((await world.signIn(admin)).principal.id).toBe(principal.id)
  })
})

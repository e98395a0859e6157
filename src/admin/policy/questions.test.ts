import { expect, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'

test('a decision about someone is explained with the rule, and names the hold that stops it', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  await world.join(ana, 'ben', ['viewer'])
  const ask = (permission: string, target: string) =>
    ana.api('GET', `/policy/decide?person=ben&permission=${permission}&target=${encodeURIComponent(target)}`)
  expect((await ask('people:read', 'castellan')).body).toMatchObject({ isAllowed: true, hold: null })
  expect((await ask('tools:call', 'books/tools/echo')).body).toMatchObject({ isAllowed: false })
  const hold = await ana.api('POST', '/holds', { kind: 'tool', subject: 'books/echo', reason: 'quarantine' })
  expect((await ask('tools:call', 'books/tools/echo')).body['hold']).toBe(hold.body['id'])
  expect((await ask('tools:call', 'books/other/echo')).status).toBe(400)
  expect((await ask('tools:all', 'books/tools/echo')).status).toBe(400)
})

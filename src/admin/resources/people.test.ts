import { expect, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'
import { eachDatabase } from '../../../test/world/databases.ts'

eachDatabase('people', (open) => {
  test('are invited, given and taken a role, suspended and let in again, each from the next request on', async () => {
    const world = await openAdminWorld({ database: await open() })
    const ana = await world.enrolAdmin()
    const ben = await world.join(ana, 'ben', [])
    expect((await ben.api('GET', '/people')).body['code']).toBe('admin.not-permitted')
    expect((await ana.api('PUT', '/people/ben/roles/viewer', {})).status).toBe(200)
    expect((await ben.api('GET', '/people')).status).toBe(200)
    expect((await ana.api('DELETE', '/people/ben/roles/viewer')).status).toBe(200)
    expect((await ben.api('GET', '/people')).status).toBe(403)
    const suspended = await ana.api('POST', '/people/ben/suspend', {})
    expect(suspended.body).toMatchObject({ name: 'ben', status: 'suspended' })
    expect((await ben.api('GET', '/me')).status).toBe(401)
    expect((await ana.api('POST', '/people/ben/resume', {})).body).toMatchObject({ status: 'active' })
    await ben.signIn()
    expect((await ben.api('GET', '/me')).status).toBe(200)
  })

  test('the last admin keeps the role, and no one locks out themselves', async () => {
    const world = await openAdminWorld({ database: await open() })
    const ana = await world.enrolAdmin()
    const last = await ana.api('DELETE', '/people/ana/roles/admin')
    expect([last.status, last.body['code']]).toEqual([409, 'policy.last-admin'])
    const suspend = await ana.api('POST', '/people/ana/suspend', {})
    expect([suspend.status, suspend.body['code']]).toEqual([409, 'admin.own-account'])
    const hold = await ana.api('POST', '/holds', { kind: 'person', subject: 'ana', reason: 'a mistake' })
    expect([hold.status, hold.body['code']]).toEqual([409, 'admin.own-account'])
    expect(await world.ledger.read({ refusal: 'policy.last-admin' })).toMatchObject([
      { event: 'admin.refused', principal: { name: 'ana' } },
    ])
  })
})

test('who may write people but not roles invites no one with a role', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const grants = [{ permissions: ['people:read', 'people:write'], resources: ['castellan'] }]
  expect((await ana.api('PUT', '/roles/host', { description: 'invites', grants })).status).toBe(200)
  const hal = await world.join(ana, 'hal', ['host'])
  const asAdmin = await hal.api('POST', '/people', { name: 'eve', roles: ['admin'] })
  expect([asAdmin.status, asAdmin.body['code']]).toEqual([403, 'admin.not-permitted'])
  expect((await hal.api('POST', '/people', { name: 'eve' })).status).toBe(201)
})

test('who may write people does not become an admin by resetting one', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const grants = [{ permissions: ['people:read', 'people:write'], resources: ['castellan'] }]
  await ana.api('PUT', '/roles/host', { grants })
  const hal = await world.join(ana, 'hal', ['host'])
  const reset = await hal.api('POST', '/people/ana/reset-second-factor', {})
  expect([reset.status, reset.body['code']]).toEqual([403, 'policy.beyond-own-grants'])
  expect((await ana.api('GET', '/me')).status).toBe(200)
})

test('a person on hold is refused from the next request on, also under a hold on everything', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const ben = await world.join(ana, 'ben', ['viewer'])
  const all = await ana.api('POST', '/holds', { kind: 'everything', reason: 'emergency stop' })
  expect(all.status).toBe(201)
  expect((await ben.api('GET', '/people')).status).toBe(200)
  const hold = await ana.api('POST', '/holds', { kind: 'person', subject: 'ben', reason: 'looking into it' })
  const held = await ben.api('GET', '/me')
  expect([held.status, held.body['code']]).toEqual([403, 'admin.held'])
  expect(JSON.stringify(held.body)).not.toContain('looking into it')
  await ana.api('DELETE', `/holds/${String(hold.body['id'])}`)
  expect((await ben.api('GET', '/me')).status).toBe(200)
  expect((await ana.api('DELETE', `/holds/${String(all.body['id'])}`)).body).toMatchObject({ kind: 'everything' })
})

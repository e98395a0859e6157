import { expect, test } from 'vitest'
import { reader, startWorld, type World } from '../../../test/world/castellan.ts'
import { entriesOf } from '../../../test/world/edge/entries.ts'
import { addDirectory, schemas } from '../../../test/world/identity-provider/directory.ts'

const databases = ['sqlite', 'postgres'] as const

async function rolesOf(world: World, name: string): Promise<unknown> {
  return (await world.ana.api('GET', `/people/${name}`)).body['roles']
}

function map(world: World, group: string, role: string, more: object = {}) {
  return world.ana.api('POST', '/scim-connections/entra/mappings', { group, role, ...more })
}

test.each(databases)('mapped groups give roles to those in them, and to nobody else (%s)', async (database) => {
  const world = await startWorld({ database })
  const entra = await addDirectory(world)
  const [ann, bob] = [await entra.makeUser('ann@example.com'), await entra.makeUser('bob@example.com')]
  const users = await entra.makeGroup('MCP users', [ann])
  expect(await rolesOf(world, 'ann')).toEqual([])
  expect((await map(world, 'MCP users', reader)).body).toEqual({ added: { [reader]: 1 }, removed: {} })
  await map(world, 'Auditors', 'viewer')
  await map(world, 'Auditors', reader)
  const auditors = await entra.makeGroup('Auditors', [ann, bob])
  expect(await rolesOf(world, 'ann')).toEqual([reader, 'viewer'])

  const added = await entra.patch(`/Groups/${users}?excludedAttributes=members`, [
    { op: 'Add', path: 'members', value: [{ value: bob, $ref: null }] },
    { op: 'Remove', path: 'members', value: [{ value: ann }] },
  ])
  expect(added.body).not.toHaveProperty('members')
  expect(await rolesOf(world, 'ann')).toEqual([reader, 'viewer'])
  expect((await entra.send('GET', `/Users/${bob}`)).body['groups']).toMatchObject([
    { value: auditors, display: 'Auditors', type: 'direct' },
    { value: users },
  ])
  expect((await entra.send('GET', `/Groups/${users}`)).body['members']).toMatchObject([{ value: bob, type: 'User' }])

  await world.ana.api('PUT', `/people/ann/roles/viewer`)
  await entra.patch(`/Groups/${auditors}`, [{ op: 'replace', value: { id: auditors, displayName: 'Reviewers' } }])
  expect(await rolesOf(world, 'ann')).toEqual(['viewer'])
  expect(await rolesOf(world, 'bob')).toEqual([reader])
  const found = await entra.send(
    'GET',
    `/Groups?filter=${encodeURIComponent('displayName eq "reviewers"')}&excludedAttributes=members`,
  )
  expect(found.body).toMatchObject({ totalResults: 1, Resources: [{ id: auditors, displayName: 'Reviewers' }] })
  const byMember = await entra.send(
    'GET',
    `/Groups?filter=${encodeURIComponent(`members.value eq "${ann}" and id eq "${auditors}"`)}`,
  )
  expect(byMember.body).toMatchObject({ totalResults: 1 })

  expect((await entra.send('DELETE', `/Groups/${users}`)).status).toBe(204)
  expect(await rolesOf(world, 'bob')).toEqual([])
  await map(world, 'Reviewers', reader)
  expect(await rolesOf(world, 'bob')).toEqual([reader])
  const unmapped = await world.ana.api('POST', '/scim-connections/entra/mappings/remove', {
    group: 'Reviewers',
    role: reader,
  })
  expect(unmapped.body).toEqual({ added: {}, removed: { [reader]: 2 } })
  expect(
    (await entra.send('PUT', `/Groups/${auditors}`, { body: { displayName: 'Reviewers', members: [] } })).body,
  ).toMatchObject({ members: [] })
  const [created] = await entriesOf(world, 'event=scim.group-mapped', 4)
  expect(created).toMatchObject({ principal: { name: 'ana' }, details: { connection: 'entra' } })
  const changes = await entriesOf(world, 'event=scim.group-changed', 3)
  expect(changes.every(({ principal }) => principal?.id === 'scim:entra')).toBe(true)
})

test('a group is refused that has others, groups or the name of another group in it', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  const okta = await addDirectory(world, 'okta')
  const [own, other] = [await entra.makeUser('own@example.com'), await okta.makeUser('other@example.com')]
  const group = await entra.makeGroup('Group', [own])
  const ana = (await world.ana.api('GET', '/people/ana')).body['id']
  const refusals: unknown[] = []
  for (const value of [other, ana, group, '00000000-0000-7000-8000-000000000000']) {
    const added = await entra.patch(`/Groups/${group}`, [{ op: 'add', path: 'members', value: [{ value }] }])
    refusals.push([added.status, added.body['scimType'], added.body['detail']])
  }
  expect(new Set(refusals.map((one) => JSON.stringify(one))).size).toBe(1)
  expect((refusals[0] as unknown[]).slice(0, 2)).toEqual([400, 'invalidValue'])
  const nested = [{ op: 'add', path: 'members', value: [{ value: own, type: 'Group' }] }]
  expect((await entra.patch(`/Groups/${group}`, nested)).status).toBe(400)
  expect((await entra.send('POST', '/Groups', { body: { displayName: 'GROUP' } })).body).toMatchObject({
    scimType: 'uniqueness',
  })
  for (const path of [
    'members[value co "x"]',
    'members[value eq "a" or value eq "b"]',
    'members.value',
    'meta',
    'id',
  ]) {
    expect((await entra.patch(`/Groups/${group}`, [{ op: 'remove', path }])).body).toMatchObject({
      scimType: 'invalidPath',
    })
  }
  expect((await entra.patch(`/Groups/${group}`, [{ op: 'remove', path: 'displayName' }])).status).toBe(400)
  const all = await entra.patch(`/Groups/${group}`, [{ op: 'remove', path: 'members' }])
  expect(all.body['members']).toEqual([])
  expect((await okta.send('GET', `/Groups/${group}`)).status).toBe(404)
})

test('`admin` is mapped by an explicit word alone, and the last administrator stays', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  const id = await entra.makeUser('bea@example.com')
  const group = await entra.makeGroup('Admins', [id])
  expect((await map(world, 'Admins', 'admin')).body).toMatchObject({ code: 'scim.administration-unsaid' })
  expect((await map(world, 'Admins', 'nothing')).status).toBeGreaterThanOrEqual(400)
  expect((await map(world, 'Admins', 'admin', { makesAdministrators: true })).body).toMatchObject({
    added: { admin: 1 },
  })
  const bea = await world.join('bea', [])
  const me = (await world.ana.api('GET', '/people/ana')).body['id']
  expect((await bea.api('DELETE', `/people/${String(me)}/roles/admin`)).status).toBe(200)

  const taken = await entra.patch(`/Groups/${group}`, [{ op: 'remove', path: 'members' }])
  expect([taken.status, taken.body['code']]).toEqual([409, 'identity.last-admin'])
  expect((await entra.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])).status).toBe(409)
  expect((await entra.send('DELETE', `/Users/${id}`)).status).toBe(409)
  expect((await bea.api('DELETE', '/scim-connections/entra')).body).toMatchObject({ code: 'identity.last-admin' })
  expect((await bea.api('GET', '/people')).status).toBe(200)
})

test('a person of a provisioning connection has what hands gave, and a hand’s suspension stays', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  const id = await entra.makeUser('bea@example.com')
  await world.ana.api('POST', '/people/bea/suspend', {})
  const raised = await entra.patch(`/Users/${id}`, [{ op: 'replace', value: { active: true, title: 'Boss' } }])
  expect(raised.body).toMatchObject({ active: false, title: 'Boss' })
  await world.ana.api('POST', '/people/bea/resume', {})
  await entra.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }])
  await world.ana.api('POST', '/people/bea/suspend', {})
  expect((await entra.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value: true }])).body).toMatchObject({
    active: false,
  })
  const removed = await world.ana.api('DELETE', '/scim-connections/entra')
  expect(removed.body).toEqual({ people: 1, groups: 0 })
  expect((await entra.send('GET', '/Users')).status).toBe(401)
})

test.each(databases)('of two changes of one version, one is refused, on two nodes, too (%s)', async (database) => {
  const world = await startWorld({ database })
  const entra = await addDirectory(world)
  const second = database === 'postgres' ? (await world.secondNode()).gatewayUrl : world.gatewayUrl
  const id = await entra.makeUser('bea@example.com')
  const group = await entra.makeGroup('All')
  const headers = { 'if-match': 'W/"1"' }
  const both = await Promise.all(
    [world.gatewayUrl, second].map((gatewayUrl, at) =>
      entra.patch(`/Users/${id}`, [{ op: 'replace', path: 'title', value: `t${at}` }], { headers, gatewayUrl }),
    ),
  )
  expect(both.map(({ status }) => status).toSorted()).toEqual([200, 412])
  for (const [method, path] of [
    ['DELETE', `/Users/${id}`],
    ['PUT', `/Users/${id}`],
  ] as const) {
    const body = method === 'PUT' ? { body: { userName: 'bea@example.com' } } : {}
    expect((await entra.send(method, path, { ...body, headers })).status).toBe(412)
  }
  expect(
    (
      await entra.send('PUT', `/Users/${id}`, {
        body: { userName: 'bea@example.com' },
        headers: { 'if-match': 'W/"9", W/"2"' },
      })
    ).status,
  ).toBe(200)
  expect(
    (await entra.send('PUT', `/Users/${id}`, { body: { userName: 'bea@example.com' }, headers: { 'if-match': '*' } }))
      .status,
  ).toBe(200)

  const people = await Promise.all(Array.from({ length: 12 }, (_, at) => entra.makeUser(`p${at}@example.com`)))
  const added = await Promise.all(
    people.map((value, at) =>
      entra.patch(`/Groups/${group}`, [{ op: 'add', path: 'members', value: [{ value }] }], {
        gatewayUrl: at % 2 === 0 ? world.gatewayUrl : second,
      }),
    ),
  )
  expect(added.map(({ status }) => status)).toEqual(people.map(() => 200))
  const whole = await entra.send('GET', `/Groups/${group}`)
  expect(whole.body['members']).toHaveLength(12)
  expect(whole.headers.get('etag')).toBe('W/"13"')
  const same = await Promise.all(
    [world.gatewayUrl, second].map((gatewayUrl) =>
      entra.send('POST', '/Users', { gatewayUrl, body: { schemas: [schemas.user], userName: 'twin@example.com' } }),
    ),
  )
  expect(same.map(({ status }) => status).toSorted()).toEqual([201, 409])
})

test('nobody maps more than they have, or hands over whoever has more', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  const grants = [
    { permissions: ['config:write', 'roles:write', 'people:write', 'people:read'], resources: ['castellan'] },
  ]
  const made = await world.ana.api('PUT', '/roles/provisioner', { description: 'provisions', grants })
  expect(made.status, JSON.stringify(made.body)).toBeLessThan(300)
  const pat = await world.join('pat', ['provisioner'])
  await world.join('ben', [reader])
  await world.join('eve', [])
  const asked = { group: 'MCP users', role: reader }
  expect((await pat.api('POST', '/scim-connections/entra/mappings', asked)).status).toBe(403)
  expect((await map(world, 'MCP users', reader)).status).toBe(200)
  expect((await pat.api('POST', '/scim-connections/entra/mappings/remove', asked)).status).toBe(403)
  expect((await pat.api('POST', '/scim-connections/entra/people', { person: 'ben' })).status).toBe(403)
  expect((await pat.api('POST', '/scim-connections/entra/people', { person: 'eve' })).status).toBe(201)
  const eve = await world.join('mal', [])
  expect((await eve.api('POST', '/scim-connections', { name: 'mine', ttlSeconds: 86_400 })).status).toBe(403)
  expect((await eve.api('GET', '/scim-connections')).status).toBe(403)

  await world.ana.api('DELETE', `/roles/${reader}`)
  await entra.makeGroup('MCP users', [await entra.makeUser('new@example.com')])
  await world.ana.api('PUT', `/roles/${reader}`, {
    description: 'again',
    grants: [{ permissions: ['servers:use'], resources: ['books'] }],
  })
  await entra.makeGroup('Others', [])
  await world.ana.api('POST', '/scim-connections/entra/mappings', { group: 'Others', role: 'viewer' })
  expect(await rolesOf(world, 'new')).toEqual([])
})

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { reader, startWorld } from '../../../test/world/castellan.ts'
import { entriesOf } from '../../../test/world/edge/entries.ts'
import { addDirectory, schemas } from '../../../test/world/identity-provider/directory.ts'
import { callTool } from '../../../test/world/messages.ts'

test('a directory makes a person, finds them, and `active: false` ends their open stream within a second', async () => {
  const world = await startWorld()
  const entra = await addDirectory(world)
  const made = await entra.send('POST', '/Users', {
    body: {
      schemas: [schemas.user, schemas.enterprise],
      userName: 'Bea@example.com',
      externalId: 'e-1',
      active: true,
      name: { givenName: 'Bea', familyName: 'Stone' },
      emails: [{ value: 'bea@example.com', type: 'work', primary: true }],
      [schemas.enterprise]: { department: 'Library' },
    },
  })
  expect(made.status, made.text).toBe(201)
  const id = String(made.body['id'])
  expect(made.headers.get('location')).toBe(`${world.gatewayUrl}/scim/v2/Users/${id}`)
  expect(made.headers.get('etag')).toBe('W/"1"')
  expect(made.body).toMatchObject({
    schemas: [schemas.user, schemas.enterprise],
    userName: 'Bea@example.com',
    active: true,
    [schemas.enterprise]: { department: 'Library' },
    meta: { resourceType: 'User', version: 'W/"1"' },
  })
  const found = await entra.send('GET', `/Users?filter=${encodeURIComponent('userName eq "bea@EXAMPLE.com"')}`)
  expect(found.body).toMatchObject({ schemas: [schemas.list], totalResults: 1, Resources: [{ id }] })

  const group = await entra.makeGroup('MCP users', [id])
  const mapped = await world.ana.api('POST', '/scim-connections/entra/mappings', { group: 'MCP users', role: reader })
  expect(mapped.body).toEqual({ added: { [reader]: 1 }, removed: {} })
  const bea = await world.join('bea', [])
  const token = await bea.mint('books')
  const running = world.post({ token, message: callTool('drip') })
  while (world.books.openStreams() === 0) await sleep(10)

  const stoppedAt = Date.now()
  const stopped = await entra.patch(`/Users/${id}`, [{ op: 'Replace', path: 'active', value: 'False' }])
  expect(stopped.body).toMatchObject({ active: false, meta: { version: 'W/"2"' } })
  expect((await running).body).toHaveProperty('error')
  expect(Date.now() - stoppedAt).toBeLessThan(1_000)
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)

  const back = await entra.patch(`/Users/${id}`, [{ op: 'replace', value: { active: true } }])
  expect(back.body).toMatchObject({ active: true })
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
  await bea.signIn()
  const fresh = await bea.mint('books')
  expect((await world.post({ token: fresh, message: callTool('echo') })).status).toBe(200)

  const gone = await entra.patch(`/Groups/${group}`, [{ op: 'remove', path: `members[value eq "${id}"]` }])
  expect(gone.body).toMatchObject({ members: [] })
  expect((await world.post({ token: fresh, message: callTool('echo') })).body).toHaveProperty('error')
  const [suspended] = await entriesOf(world, 'event=person.suspended', 1)
  expect(suspended).toMatchObject({
    principal: { id: 'scim:entra' },
    details: { person: id, connection: 'entra', tokens: 1 },
  })
})

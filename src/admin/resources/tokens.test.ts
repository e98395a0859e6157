import { expect, test } from 'vitest'
import { openAdminWorld } from '../../../test/world/admin.ts'

const resource = 'http://localhost:8090/servers/notes/mcp'

test('an access token is shown once, listed without its bytes, and revoked', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const minted = await ana.api('POST', '/tokens', { label: 'inspector', resource, ttlSeconds: 3600 })
  expect(minted.status).toBe(201)
  const token = String(minted.body['token'])
  expect(token).toMatch(/^cst_[\w-]{43}$/)
  const list = await ana.api('GET', '/tokens')
  expect(list.body).toMatchObject({ items: [{ label: 'inspector', resource, revokedAt: null }] })
  expect(JSON.stringify(list.body)).not.toContain(token)
  const { id } = minted.body['view'] as { id: string }
  expect((await ana.api('DELETE', `/tokens/${id}`)).body['revokedAt']).toMatch(/^\d{4}-.*Z$/)
})

test('no token is made for a resource that is not an endpoint of this gateway', async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  for (const foreign of [
    'https://evil.test/servers/notes/mcp',
    'http://localhost:8090/servers/notes/mcp?x=1',
    'http://localhost:8090/servers/notes/mcp#x',
    'http://localhost:8090/servers/../admin/mcp',
    'http://localhost:8090/',
    'notes',
  ]) {
    const { status, body } = await ana.api('POST', '/tokens', { label: 'x', resource: foreign, ttlSeconds: 3600 })
    expect([foreign, status]).toEqual([foreign, 400])
    expect(body).toMatchObject({ code: 'admin.invalid-request', errors: [{ pointer: '#/body/resource' }] })
  }
})

test("another person's token and one that never was get one answer; with tokens:write it is revoked", async () => {
  const world = await openAdminWorld()
  const ana = await world.enrolAdmin()
  const ben = await world.join(ana, 'ben', ['viewer'])
  const minted = await ben.api('POST', '/tokens', { label: 'x', resource, ttlSeconds: 3600 })
  const { id } = minted.body['view'] as { id: string }
  const eve = await world.join(ana, 'eve', [])
  const others = await eve.api('DELETE', `/tokens/${id}`)
  const nobodys = await eve.api('DELETE', `/tokens/${crypto.randomUUID()}`)
  expect(others.status).toBe(404)
  expect({ ...others.body, request_id: '' }).toEqual({ ...nobodys.body, request_id: '' })
  expect((await eve.api('GET', '/tokens?all')).body['code']).toBe('admin.not-permitted')
  expect((await ana.api('GET', '/tokens')).body).toEqual({ items: [] })
  expect((await ana.api('GET', '/tokens?all=true')).body).toMatchObject({ items: [{ id }] })
  expect((await ana.api('DELETE', `/tokens/${id}`)).status).toBe(200)
})

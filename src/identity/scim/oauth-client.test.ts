import { expect, test } from 'vitest'
import { startWorld } from '../../../test/world/castellan.ts'
import { schemas, sendScim } from '../../../test/world/identity-provider/directory.ts'
import { callTool } from '../../../test/world/messages.ts'
import { post } from '../../../test/world/oauth/client.ts'

test('a registered client with the scope comes as its connection, and as nothing without one', async () => {
  const world = await startWorld()
  const { ana, gatewayUrl } = world
  const account = await ana.api('POST', '/service-accounts', {
    name: 'directory',
    purpose: 'provisioning',
    owner: 'ana',
  })
  expect(account.status, JSON.stringify(account.body)).toBe(201)
  const personId = String((account.body['account'] as { id: string } | undefined)?.id ?? account.body['id'])
  const added = await ana.api('POST', '/clients', {
    name: 'Our directory',
    authentication: 'client_secret_basic',
    grantTypes: ['client_credentials'],
    personId,
  })
  expect(added.status, JSON.stringify(added.body)).toBe(201)
  const clientId = (added.body['client'] as { id: string }).id
  const basic = `Basic ${Buffer.from(`${clientId}:${String(added.body['secret'])}`).toString('base64')}`
  const tokenFor = async (resource: string, scope: string) => {
    const fields = { grant_type: 'client_credentials', scope, resource: `${gatewayUrl}${resource}` }
    const given = await post(gatewayUrl, '/oauth/token', fields, { authorization: basic })
    expect(given.status, JSON.stringify(given.body)).toBe(200)
    return String(given.body['access_token'])
  }
  const token = await tokenFor('/scim/v2', 'scim')
  const read = (with_: string) => sendScim(gatewayUrl, with_, { method: 'GET', path: '/Users' })
  const early = await read(token)
  expect([early.status, early.body['code']]).toEqual([403, 'scim.scope-missing'])
  const connection = await ana.api('POST', '/scim-connections', { name: 'okta', clientId })
  expect(connection.body).toMatchObject({ token: null, connection: { clientId } })
  const made = await sendScim(gatewayUrl, token, {
    method: 'POST',
    path: '/Users',
    body: { schemas: [schemas.user], userName: 'bea@example.com' },
  })
  expect(made.status, made.text).toBe(201)
  expect((await world.ledger('&event=scim.person-created')).at(-1)?.principal?.id).toBe('scim:okta')

  expect((await read(await tokenFor('/mcp', 'mcp'))).status).toBe(401)
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
  expect((await ana.api('POST', '/scim-connections/okta/rotate', { ttlSeconds: 86_400 })).status).toBe(422)
  expect((await ana.api('POST', `/clients/${clientId}/block`, {})).status).toBe(200)
  expect((await read(token)).status).toBe(401)
})

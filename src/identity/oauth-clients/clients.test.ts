import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { SignJWT, exportJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { reader, startWorld, type World } from '../../../test/world/castellan.ts'
import { authorizationRequest, obtainTokens, post, refresh, register } from '../../../test/world/oauth/client.ts'
import { createVisitor } from '../../../test/world/oauth/visitor.ts'

const databases = ['sqlite', 'postgres'] as const
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

async function idOf(world: World, name: string): Promise<string> {
  const people = (await world.ana.api('GET', '/people')).body['items'] as { id: string; name: string }[]
  return people.find((one) => one.name === name)?.id ?? ''
}

/** The id of a new service account of Ana's. */
async function robot(world: World): Promise<string> {
  const fresh = { name: 'robot', purpose: 'reads books at night', owner: 'ana', roles: [reader] }
  const { status, body } = await world.ana.api('POST', '/service-accounts', fresh)
  expect(status, JSON.stringify(body)).toBe(201)
  return String(body['id'])
}

async function add(world: World, fields: Record<string, unknown>) {
  const { status, body } = await world.ana.api('POST', '/clients', fields)
  const { id = '' } = (body['client'] ?? {}) as { id?: string }
  return { status, id, secret: String(body['secret']), body }
}

describe('a client that acts for itself', () => {
  test.each(databases)('on %s acts as one service account, with a secret, for one resource', async (database) => {
    const world = await startWorld({ database })
    const personId = await robot(world)
    const alone = {
      name: 'nightly',
      authentication: 'client_secret_basic',
      grantTypes: ['client_credentials'],
      personId,
    }
    const { id, secret, status } = await add(world, alone)
    expect(status).toBe(201)
    const basic = (password: string) => ({
      authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`,
    })
    const fields = { grant_type: 'client_credentials', scope: 'mcp', resource: `${world.gatewayUrl}/servers/books/mcp` }
    const told = await post(world.gatewayUrl, '/oauth/token', fields, basic(secret))
    expect(told.status, JSON.stringify(told.body)).toBe(200)
    expect(told.body['refresh_token']).toBeUndefined()
    const token = String(told.body['access_token'])
    expect((await world.post({ token, message: list })).status).toBe(200)
    expect((await world.post({ token, message: list, upstream: '/mcp' })).status).toBe(401)
    expect((await post(world.gatewayUrl, '/oauth/token', fields, basic('wrong'))).status).toBe(401)
    expect((await post(world.gatewayUrl, '/oauth/token', { ...fields, resource: '' }, basic(secret))).status).toBe(400)
    await world.ana.api('POST', `/clients/${id}/block`, {})
    expect((await world.post({ token, message: list })).status).toBe(401)
    expect((await post(world.gatewayUrl, '/oauth/token', fields, basic(secret))).status).toBe(401)
    await world.ana.api('POST', `/clients/${id}/approve`, {})
    const again = await post(world.gatewayUrl, '/oauth/token', fields, basic(secret))
    await world.ana.api('POST', `/service-accounts/robot/suspend`, {})
    expect((await world.post({ token: String(again.body['access_token']), message: list })).status).toBe(401)
    const suspended = await post(world.gatewayUrl, '/oauth/token', fields, basic(secret))
    expect([suspended.status, suspended.body['error']]).toEqual([401, 'invalid_client'])
    expect((await world.ledger('&event=oauth-token.refused')).at(-1)?.details).toMatchObject({ reason: 'suspended' })
  })

  test('authenticates with a key whose assertions count once', async () => {
    const world = await startWorld()
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }
    const personId = await robot(world)
    const alone = {
      name: 'keyed',
      authentication: 'private_key_jwt',
      grantTypes: ['client_credentials'],
      personId,
      jwks,
    }
    const { id } = await add(world, alone)
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(world.gatewayUrl)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(privateKey)
    const fields = {
      grant_type: 'client_credentials',
      scope: 'mcp',
      resource: `${world.gatewayUrl}/servers/books/mcp`,
      client_id: id,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }
    const told = await post(world.gatewayUrl, '/oauth/token', fields)
    expect(told.status, JSON.stringify(told.body)).toBe(200)
    expect((await world.post({ token: String(told.body['access_token']), message: list })).status).toBe(200)
    expect((await post(world.gatewayUrl, '/oauth/token', fields)).status).toBe(401)
  })

  test('is registered by an admin only, never as a person, and never without a secret or key', async () => {
    const world = await startWorld()
    await world.join('bob', [reader])
    const personId = await robot(world)
    const own = await register(world.gatewayUrl, { grant_types: ['client_credentials'], response_types: [] })
    expect([own.status, own.body['error']]).toEqual([400, 'invalid_client_metadata'])
    const grantTypes = ['client_credentials']
    const authentication = 'client_secret_basic'
    const wrong = [
      { name: 'x', authentication, grantTypes, personId: await idOf(world, 'ana') },
      { name: 'x', authentication, grantTypes, personId: await idOf(world, 'bob') },
      { name: 'x', authentication, grantTypes },
      { name: 'x', authentication: 'none', grantTypes, personId },
      { name: 'x', authentication, grantTypes, personId: 'nobody' },
      { name: 'x', grantTypes: ['authorization_code'], redirectUris: ['http://example.com/'] },
    ]
    for (const fields of wrong)
      expect((await add(world, fields)).status, JSON.stringify(fields)).toBeGreaterThanOrEqual(404)
  })
})

describe('a client that registers itself', () => {
  test('waits for an admin where that is configured', async () => {
    const world = await startWorld({ env: { CASTELLAN_OAUTH__REGISTRATION: 'approved' } })
    const { gatewayUrl } = world
    const clientId = String((await register(gatewayUrl)).body['client_id'])
    const resource = `${gatewayUrl}/servers/books/mcp`
    const { address } = authorizationRequest(gatewayUrl, { clientId, resource })
    const page = await createVisitor(gatewayUrl).open(address)
    expect([page.status, page.leftTo]).toEqual([400, undefined])
    expect(page.text).toContain('approval of an administrator')
    const [seen] = (await world.ana.api('GET', '/clients')).body['items'] as Record<string, unknown>[]
    expect(seen).toMatchObject({ id: clientId, registeredBy: 'registration', isApproved: false })
    expect((await world.ana.api('POST', `/clients/${clientId}/approve`, {})).status).toBe(200)
    await obtainTokens(gatewayUrl, world.ana, { clientId })
  })

  test('cannot where that is closed', async () => {
    const world = await startWorld({ env: { CASTELLAN_OAUTH__REGISTRATION: 'closed' } })
    const answer = await fetch(`${world.gatewayUrl}/oauth/register`, { method: 'POST', body: '{}' })
    expect(answer.status).toBe(404)
    const metadata = await fetch(`${world.gatewayUrl}/.well-known/oauth-authorization-server`)
    expect((await metadata.json()) as Record<string, unknown>).not.toHaveProperty('registration_endpoint')
  })

  test.each(databases)('on %s may do so as often from one address as configured, not once more', async (database) => {
    const world = await startWorld({ database, env: { CASTELLAN_OAUTH__REGISTRATIONS_PER_HOUR: '3' } })
    for (let at = 0; at < 3; at++) expect((await register(world.gatewayUrl)).status).toBe(201)
    const refused = await register(world.gatewayUrl)
    expect([refused.status, refused.body['error']]).toEqual([429, 'temporarily_unavailable'])
    expect((await world.ledger('&event=client.refused')).at(-1)?.refusal).toBe('oauth.temporarily_unavailable')
    world.clock.advance(3_600_000)
    expect((await register(world.gatewayUrl)).status).toBe(201)
  })
})

test.each(databases)('on %s blocking a client ends what it was granted', async (database) => {
  const world = await startWorld({ database })
  const tokens = await obtainTokens(world.gatewayUrl, world.ana)
  await world.ana.api('POST', `/clients/${tokens.clientId}/block`, {})
  expect((await world.post({ token: tokens.accessToken, message: list })).status).toBe(401)
  expect((await refresh(world.gatewayUrl, tokens)).status).toBe(401)
  expect((await world.ledger('&event=client.blocked')).at(-1)?.details?.['client']).toBe(tokens.clientId)
})

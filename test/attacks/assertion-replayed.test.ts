/**
 * An identity provider's assertion about a person is caught on its way. It is used a second time, many times at once, by
 * another client, for another server, after its end, with another signature, or from a provider that nobody trusts.
 * (Hydra CVE-2020-5300: the id of an assertion was not remembered.)
 */
import { openDatabase } from '#platform/database'
import { describe, expect, onTestFinished } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World, type WorldOptions } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { type AssertingProvider, startAssertingProvider } from '../world/oauth/asserting-provider.ts'
import { post, register } from '../world/oauth/client.ts'

const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

async function startProvider(): Promise<AssertingProvider> {
  const provider = await startAssertingProvider()
  onTestFinished(() => provider.close())
  return provider
}

async function startTrusting(provider: AssertingProvider, options: WorldOptions = {}) {
  const world = await startWorld({ ...options, env: { CASTELLAN_OAUTH__ASSERTION_ISSUERS: provider.issuer } })
  await world.join('ben', [reader])
  const people = (await world.ana.api('GET', '/people')).body['items'] as { id: string; name: string }[]
  const personId = people.find(({ name }) => name === 'ben')?.id ?? ''
  const database = await openDatabase({ url: world.databaseUrl })
  const named = { issuer: provider.issuer, subject: 'ben at work', person_id: personId, provider: 'work' }
  await database.query
    .insertInto('provider_identities')
    .values({ ...named, roles: '[]', created_at: Date.now() })
    .execute()
  await database.close()
  const fields = { name: 'agent', authentication: 'client_secret_basic', grantTypes: [grant_type] }
  const { body } = await world.ana.api('POST', '/clients', fields)
  const { id } = body['client'] as { id: string }
  return { world, id, secret: String(body['secret']), personId }
}

function claimsFor(world: World, clientId: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(world.clock.now() / 1_000)
  const resource = `${world.gatewayUrl}/servers/books/mcp`
  return {
    aud: world.gatewayUrl,
    sub: 'ben at work',
    client_id: clientId,
    resource,
    scope: 'mcp',
    iat: now,
    exp: now + 300,
    ...more,
  }
}

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  proves('OAU-12', 'an assertion is exchanged once, by the client and for the server that it names', async () => {
    const provider = await startProvider()
    const { world, id, secret } = await startTrusting(provider, { database })
    const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
    const exchange = (assertion: string) => post(world.gatewayUrl, '/oauth/token', { grant_type, assertion }, headers)

    const assertion = await provider.assert(claimsFor(world, id))
    const told = await Promise.all(Array.from({ length: 10 }, () => exchange(assertion)))
    const won = told.filter(({ status }) => status === 200)
    expect(won, JSON.stringify(told.map(({ body }) => body))).toHaveLength(1)
    expect(won[0]?.body['refresh_token']).toBeUndefined()
    const token = String(won[0]?.body['access_token'])
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    expect((await world.post({ token, upstream: '/mcp', message: callTool('echo') })).status).toBe(401)
    expect((await exchange(assertion)).status).toBe(400)
    const reasons = (await world.ledger('&event=oauth-token.refused')).map(({ details }) => details?.['reason'])
    expect(new Set(reasons)).toEqual(new Set(['assertion used before']))
  })
})

proves('OAU-12', 'assertions that are forged, foreign, old or for somebody else are refused alike', async () => {
  const provider = await startProvider()
  const stranger = await startProvider()
  const { world, id, secret } = await startTrusting(provider)
  const headers = { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
  const now = Math.floor(world.clock.now() / 1_000)
  const good = claimsFor(world, id)
  const wrong = [
    await stranger.assert(good),
    await stranger.assert({ ...good, iss: provider.issuer }),
    await provider.assert({ ...good, aud: 'https://elsewhere.example' }),
    await provider.assert({ ...good, aud: [world.gatewayUrl, 'https://elsewhere.example'] }),
    await provider.assert({ ...good, client_id: 'another' }),
    await provider.assert({ ...good, sub: 'somebody else' }),
    await provider.assert({ ...good, resource: 'https://elsewhere.example/mcp' }),
    await provider.assert({ ...good, resource: undefined }),
    await provider.assert({ ...good, exp: now - 60 }),
    await provider.assert({ ...good, exp: now + 3_601 }),
    await provider.assert({ ...good, iat: now + 61 }),
    await provider.assert({ ...good, jti: undefined }),
    await provider.assert(good, { typ: 'JWT' }),
    await provider.assert(good, { kid: 'b' }),
    `${Buffer.from('{"alg":"none","typ":"oauth-id-jag+jwt"}').toString('base64url')}.${Buffer.from(JSON.stringify(good)).toString('base64url')}.`,
    'nonsense',
    '',
  ]
  for (const [at, assertion] of wrong.entries()) {
    const told = await post(world.gatewayUrl, '/oauth/token', { grant_type, assertion }, headers)
    expect([at, told.status, told.body['error']]).toEqual([at, 400, 'invalid_grant'])
    expect(told.body['error_description']).toBe('grant request is invalid')
  }
  const more = await provider.assert(good)
  const escalated = await post(
    world.gatewayUrl,
    '/oauth/token',
    { grant_type, assertion: more, scope: 'mcp openid' },
    headers,
  )
  expect(escalated.body['error']).toBe('invalid_scope')
  const own = await register(world.gatewayUrl, { grant_types: [grant_type], response_types: [] })
  expect(own.status).toBe(400)
  expect(await world.ledger('&event=grant.made')).toHaveLength(0)
})

import { describe, expect, test } from 'vitest'
import {
  adminApi,
  adminScope,
  allowTerminal,
  signInTerminal,
  startTerminal,
  terminalClient,
} from '../../../test/world/oauth/terminal.ts'
import { reader, startWorld, type World } from '../../../test/world/castellan.ts'
import { obtainTokens, post, refresh, register } from '../../../test/world/oauth/client.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const databases = ['sqlite', 'postgres'] as const

async function robotClient(world: World) {
  const fresh = { name: 'robot', purpose: 'keeps people in step', owner: 'ana', roles: [reader] }
  const { body } = await world.ana.api('POST', '/service-accounts', fresh)
  const alone = { name: 'directory', authentication: 'client_secret_basic', grantTypes: ['client_credentials'] }
  const added = await world.ana.api('POST', '/clients', { ...alone, personId: body['id'] })
  const { id } = added.body['client'] as { id: string }
  const authorization = `Basic ${Buffer.from(`${id}:${String(added.body['secret'])}`).toString('base64')}`
  const ask = (resource: string, scope: string) =>
    post(world.gatewayUrl, '/oauth/token', { grant_type: 'client_credentials', resource, scope }, { authorization })
  return { id, ask }
}

describe('scopes and their resources', () => {
  test('provisioning is for clients of administrators that act for themselves, and good for nothing else', async () => {
    const world = await startWorld()
    const { gatewayUrl, adminUrl } = world
    const { ask } = await robotClient(world)
    const told = await ask(`${gatewayUrl}/scim/v2`, 'scim')
    expect([told.status, told.body['scope']]).toEqual([200, 'scim'])
    const token = String(told.body['access_token'])
    expect((await world.post({ token, message: list })).status).toBe(401)
    expect((await adminApi(adminUrl, token)).status).toBe(401)
    expect((await ask(`${gatewayUrl}/scim/v2`, 'mcp castellan:admin')).body['scope']).toBeUndefined()
    for (const resource of [adminUrl, `${adminUrl}/`, `${gatewayUrl}/scim/v2/Users`, `${gatewayUrl}/scim`])
      expect((await ask(resource, 'castellan:admin scim')).body['error']).toBe('invalid_target')
  })

  test('a client that registered itself gets neither, by any way', async () => {
    const world = await startWorld()
    const { gatewayUrl, adminUrl } = world
    const grant_types = ['urn:ietf:params:oauth:grant-type:device_code', 'authorization_code', 'refresh_token']
    const client_id = String((await register(gatewayUrl, { grant_types })).body['client_id'])
    for (const resource of [adminUrl, `${gatewayUrl}/scim/v2`]) {
      const asked = await post(gatewayUrl, '/oauth/device', { client_id, resource, scope: 'castellan:admin scim' })
      expect([asked.status, asked.body['error']]).toEqual([400, 'invalid_target'])
      const more = { response_type: 'code', code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' }
      const redirect_uri = 'http://127.0.0.1:33418/callback'
      const pushed = await post(gatewayUrl, '/oauth/par', { client_id, resource, redirect_uri, ...more, scope: 'scim' })
      expect([pushed.status, pushed.body['error']]).toEqual([400, 'invalid_target'])
    }
    const tokens = await obtainTokens(gatewayUrl, world.ana)
    const widened = await refresh(gatewayUrl, tokens, { resource: adminUrl, scope: 'castellan:admin' })
    expect(widened.status).toBe(400)
    expect((await adminApi(adminUrl, tokens.accessToken)).status).toBe(401)
  })

  test('the terminal has administration and nothing else, by the device flow and no other', async () => {
    const world = await startWorld()
    const { gatewayUrl, adminUrl } = world
    const ask = (resource: string) =>
      post(gatewayUrl, '/oauth/device', { client_id: terminalClient, resource, scope: 'castellan:admin mcp scim' })
    for (const path of ['/mcp', '/servers/books/mcp', '/scim/v2'])
      expect((await ask(`${gatewayUrl}${path}`)).body['error']).toBe('invalid_target')
    expect((await ask(adminUrl)).status).toBe(200)
    const own = { client_id: terminalClient, grant_type: 'client_credentials', resource: adminUrl, scope: adminScope }
    expect((await post(gatewayUrl, '/oauth/token', own)).status).toBe(400)
    const { token } = await signInTerminal(world, world.ana)
    expect((await world.post({ token, message: list })).status).toBe(401)
    expect((await world.post({ token, message: list, upstream: '/mcp' })).status).toBe(401)
    expect((await adminApi(adminUrl, token, '/people')).status).toBe(200)
  })

  test('neither is told of at MCP paths', async () => {
    const { gatewayUrl } = await startWorld()
    const paths = [
      'oauth-protected-resource/servers/books/mcp',
      'oauth-protected-resource/mcp',
      'oauth-authorization-server',
    ]
    const told = await Promise.all(paths.map(async (path) => (await fetch(`${gatewayUrl}/.well-known/${path}`)).text()))
    const challenge = await fetch(`${gatewayUrl}/mcp`, { method: 'POST', body: '{}' })
    for (const text of [...told, challenge.headers.get('www-authenticate') ?? ''])
      expect(text).not.toMatch(/castellan:admin|"scim"/)
  })
})

describe('a terminal', () => {
  test.each(databases)('on %s is the same person with the same roles, for as long as they are', async (database) => {
    const world = await startWorld({ database })
    const ben = await world.join('ben', [reader])
    const { token } = await signInTerminal(world, ben)
    const me = await adminApi(world.adminUrl, token)
    expect(me.body).toMatchObject({ person: { name: 'ben' }, factors: ['password', 'totp'] })
    expect((await adminApi(world.adminUrl, token, '/people')).status).toBe(403)
    await world.ana.api('PUT', '/people/ben/roles/viewer', {})
    expect((await adminApi(world.adminUrl, token, '/people')).status).toBe(200)
    await world.ana.api('POST', '/people/ben/suspend', {})
    expect((await adminApi(world.adminUrl, token)).status).toBe(401)
  })

  test.each(databases)("on %s ends with its client, its person's sessions and its sign-out", async (database) => {
    const world = await startWorld({ database })
    const { adminUrl, gatewayUrl, ana } = world
    const ben = await world.join('ben', ['admin'])
    const [one, two, three] = [
      await signInTerminal(world, ana),
      await signInTerminal(world, ana),
      await signInTerminal(world, ana),
    ]
    const stands = async ({ token }: { token: string }) => (await adminApi(adminUrl, token)).status
    expect((await adminApi(adminUrl, one.token, '/sign-out', {})).status).toBe(200)
    expect([await stands(one), await stands(two), await stands(three)]).toEqual([401, 200, 200])
    const refreshed = await refresh(gatewayUrl, { clientId: terminalClient, refreshToken: one.refreshToken })
    expect(refreshed.body['error']).toBe('invalid_grant')
    expect((await ana.api('POST', '/people/ana/sign-out', {})).status).toBe(200)
    expect([await stands(two), await stands(three)]).toEqual([401, 401])
    const four = await signInTerminal(world, ben)
    expect((await ben.api('POST', `/clients/${terminalClient}/block`, {})).status).toBe(200)
    expect(await stands(four)).toBe(401)
    expect((await startTerminal(world)).status).toBe(401)
  })

  test('lasts no longer than the session that approved it, however often it is renewed', async () => {
    const world = await startWorld({ env: { CASTELLAN_IDENTITY__SESSION_HOURS: '2' } })
    let held = await signInTerminal(world, world.ana)
    expect(held.expiresIn).toBe(15 * 60)
    const end = world.clock.now() + 2 * hourMs
    while (world.clock.now() < end - 20 * minuteMs) {
      world.clock.advance(14 * minuteMs)
      held = await held.renew()
    }
    world.clock.advance(end - world.clock.now())
    expect((await adminApi(world.adminUrl, held.token)).status).toBe(401)
    await expect(held.renew()).rejects.toThrow('invalid_grant')
  })

  test('goes on where its person changes the password on it, and is the only one that does', async () => {
    const world = await startWorld()
    const { ana, adminUrl } = world
    const [own, other] = [await signInTerminal(world, ana), await signInTerminal(world, ana)]
    const body = { current: ana.password, next: 'seven ravens over the wall', code: ana.nextCode() }
    const changed = await adminApi(adminUrl, own.token, '/me/password', body)
    expect(changed.status, JSON.stringify(changed.body)).toBe(200)
    expect((await adminApi(adminUrl, own.token)).status).toBe(200)
    expect((await adminApi(adminUrl, other.token)).status).toBe(401)
    expect((await ana.api('GET', '/me')).status).toBe(401)
  })

  test('is one of as many as sessions may be: one more ends the oldest', async () => {
    const world = await startWorld({ env: { CASTELLAN_IDENTITY__SESSIONS_PER_PERSON: '2' } })
    const ben = await world.join('ben', [reader])
    const held = []
    for (let count = 0; count < 3; count += 1) held.push(await signInTerminal(world, ben))
    const stands = await Promise.all(held.map(async ({ token }) => (await adminApi(world.adminUrl, token)).status))
    expect(stands).toEqual([401, 200, 200])
  })

  test('lasts no longer unused than a session', async () => {
    const world = await startWorld()
    const idle = await signInTerminal(world, world.ana)
    world.clock.advance(30 * minuteMs - 1_000)
    const again = await idle.renew()
    world.clock.advance(30 * minuteMs)
    await expect(again.renew()).rejects.toThrow('invalid_grant')
  })

  test('makes access tokens and changes what its person signs in with by the rules of a session', async () => {
    const world = await startWorld()
    const { ana, adminUrl, gatewayUrl } = world
    const { token } = await signInTerminal(world, ana)
    const body = { label: 'laptop', resource: `${gatewayUrl}/servers/books/mcp`, ttlSeconds: 3_600 }
    const minted = await adminApi(adminUrl, token, '/tokens', body)
    expect(minted.status, JSON.stringify(minted.body)).toBe(201)
    const tooLong = await adminApi(adminUrl, token, '/tokens', { ...body, ttlSeconds: 366 * 86_400 })
    expect(tooLong.status).toBe(400)
    const codes = { password: ana.password, code: '000000' }
    expect((await adminApi(adminUrl, token, '/me/recovery-codes', codes)).status).toBe(403)
    const proved = await adminApi(adminUrl, token, '/me/recovery-codes', { ...codes, code: ana.nextCode() })
    expect(proved.status, JSON.stringify(proved.body)).toBe(200)
  })

  test('is not signed in by one click: its person says that they started it', async () => {
    const world = await startWorld()
    const { userCode } = await startTerminal(world)
    const unconfirmed = await allowTerminal(world, world.ana, userCode, { own: '' })
    expect(unconfirmed.status).toBe(400)
    expect(unconfirmed.text).toContain('Tick the box')
    expect(await world.ledger('&event=grant.made')).toEqual([])
  })
})

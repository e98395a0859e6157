/**
 * Mallory may invite people and make agents, and wants more: an agent with an administrator's rights, an agent that signs
 * in as if it were a person, a client that acts as somebody else. And an agent tries what its token is good for elsewhere.
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { expect } from 'vitest'
import { adminRoutes } from '../../src/admin/admin-routes.ts'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { post } from '../world/oauth/client.ts'
import { callAdmin } from '../world/people.ts'

const recruiter = {
  description: 'invites people and gives roles',
  grants: [
    {
      permissions: ['people:read', 'people:write', 'roles:read', 'roles:write', 'tokens:write'],
      resources: ['castellan'],
    },
  ],
}

async function mallory(world: World) {
  await world.ana.api('PUT', '/roles/recruiter', recruiter)
  return world.join('mallory', ['recruiter'])
}

function account(more: Record<string, unknown> = {}) {
  return { name: 'nightly', purpose: 'reads at night', owner: 'ana', roles: [], ...more }
}

proves('SVC-1', 'no password, invitation or reset makes an agent a person who signs in', async () => {
  const world = await startWorld()
  expect((await world.ana.api('POST', '/service-accounts', account({ roles: [reader] }))).status).toBe(201)
  const signedIn = await callAdmin(world.adminUrl, {
    method: 'POST',
    path: '/sign-in',
    body: { name: 'nightly', password: 'correct horse battery nightly', code: '123456' },
  })
  const stranger = await callAdmin(world.adminUrl, {
    method: 'POST',
    path: '/sign-in',
    body: { name: 'nobody', password: 'correct horse battery nightly', code: '123456' },
  })
  expect([signedIn.status, signedIn.body['code']]).toEqual([stranger.status, stranger.body['code']])
  for (const [path, body] of [
    ['/people', { name: 'nightly', roles: [] }],
    ['/people', { name: 'NIGHTLY', roles: [] }],
    ['/people/nightly/reset-second-factor', {}],
    ['/people/nightly/resets', { kind: 'factors-lost', reason: 'it lost them' }],
  ] as const) {
    const tried = await world.ana.api('POST', path, body)
    expect([path, tried.status, tried.body['code']]).toEqual([path, 409, 'identity.service-account-no-person'])
  }
  const held = (await world.ana.api('GET', '/people')).body['items'] as Record<string, unknown>[]
  expect(held.find(({ name }) => name === 'nightly')).toMatchObject({ kind: 'service', isEnrolled: false })
  const told = await world.ledger('&event=session.started')
  expect(told.every(({ principal }) => principal?.name === 'ana')).toBe(true)
  expect((await world.ledger('&event=sign-in.refused')).map(({ details }) => details?.['reason'])).toContain(
    'service-account',
  )
})

proves('SVC-3', 'nobody makes, takes over or uses an agent that may do more than they', async () => {
  const world = await startWorld()
  const attacker = await mallory(world)
  const resource = `${world.gatewayUrl}/servers/books/mcp`
  await world.ana.api('POST', '/service-accounts', account({ roles: [reader] }))
  const { id } = (await world.ana.api('GET', '/service-accounts/nightly')).body
  const attempts = [
    ['/service-accounts', account({ name: 'mine', owner: 'mallory', roles: [reader] })],
    ['/service-accounts', account({ name: 'mine', owner: 'mallory', roles: ['admin'] })],
    ['/service-accounts/nightly/assign', { owner: 'mallory' }],
    ['/service-accounts/nightly/tokens', { label: 'x', resource, ttlSeconds: 60 }],
    [
      '/clients',
      { name: 'x', authentication: 'client_secret_basic', grantTypes: ['client_credentials'], personId: id },
    ],
  ] as const
  for (const [path, body] of attempts) {
    const tried = await attacker.api('POST', path, body)
    expect([path, tried.status, tried.body['code']]).toEqual([path, 403, 'policy.beyond-own-grants'])
  }
  expect((await world.ledger('&refusal=policy.beyond-own-grants')).length).toBe(attempts.length)
  expect((await attacker.api('POST', '/service-accounts', account({ name: 'mine', owner: 'mallory' }))).status).toBe(
    201,
  )
  expect((await attacker.api('PUT', `/people/mine/roles/${reader}`, {})).status).toBe(403)
  expect(world.books.calls('tools/call')).toHaveLength(0)
})

proves(
  'SVC-3',
  'an agent is no administrator, reads by the admin API only where that was said, and changes nothing',
  async () => {
    const world = await startWorld()
    const { ana, adminUrl } = world
    const refused = async (method: string, path: string, body: unknown) =>
      (await ana.api(method, path, body)).body['code']
    for (const roles of [['admin'], [reader, 'admin'], ['analyst']]) {
      const asked = account({ roles, mayReadAdmin: true })
      expect(await refused('POST', '/service-accounts', asked)).toBe('policy.role-for-people')
    }
    expect(await refused('POST', '/service-accounts', account({ roles: ['viewer'] }))).toBe('policy.admin-read-unsaid')
    await ana.api('POST', '/service-accounts', account())
    expect(await refused('PUT', '/people/nightly/roles/admin', {})).toBe('policy.role-for-people')
    expect(await refused('PUT', '/people/nightly/roles/viewer', {})).toBe('policy.admin-read-unsaid')
    const forAdmin = { label: 'ci', resource: 'admin', ttlSeconds: 600 }
    expect((await ana.api('POST', '/service-accounts/nightly/tokens', forAdmin)).status).toBe(400)

    await ana.api('PUT', '/roles/looker', { grants: [{ permissions: ['people:read'], resources: ['castellan'] }] })
    await ana.api('POST', '/service-accounts', account({ name: 'ci', roles: ['looker'], mayReadAdmin: true }))
    const minted = await ana.api('POST', '/service-accounts/ci/tokens', forAdmin)
    const token = String(minted.body['token'])
    const asCi = (method: string, path: string, body?: unknown) => callAdmin(adminUrl, { method, path, body, token })
    expect((await asCi('GET', '/people')).status).toBe(200)
    expect((await asCi('GET', '/audit')).body['code']).toBe('admin.not-permitted')
    // The role grows behind its back: it still only reads.
    const all = {
      permissions: ['people:read', 'people:write', 'roles:write', 'tokens:write'],
      resources: ['castellan'],
    }
    await ana.api('PUT', '/roles/looker', { grants: [all] })
    for (const [method, path, body] of [
      ['POST', '/service-accounts', account({ name: 'more' })],
      ['POST', '/people', { name: 'eve', roles: [] }],
      ['PUT', '/people/ci/roles/looker', {}],
      ['POST', '/service-accounts/ci/renew', {}],
      ['POST', '/service-accounts/ci/tokens', forAdmin],
      ['POST', '/tokens', { label: 'x', resource: `${world.gatewayUrl}/mcp`, ttlSeconds: 60 }],
      ['GET', '/me', undefined],
      ['GET', '/service-accounts/ci', undefined],
    ] as const) {
      const tried = await asCi(method, path, body)
      expect([path, tried.status, tried.body['code']]).toEqual([path, 403, 'admin.people-only'])
    }
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
    const changing = adminRoutes.filter(({ access, method }) => access.endsWith(':read') && method !== 'GET')
    // WHY: these two take a whole policy along, and change nothing.
    expect(changing.map(({ path }) => path).toSorted()).toEqual(['/policy/check', '/policy/replay'])
    const own = String(
      (await ana.api('POST', '/tokens', { ...forAdmin, resource: `${world.gatewayUrl}/mcp` })).body['token'],
    )
    expect((await callAdmin(adminUrl, { method: 'GET', path: '/people', token: own })).status).toBe(401)
  },
)

proves(
  'SVC-4',
  'a client that was tied to a person gets no token, what it had is worth nothing, and none is made anew',
  async () => {
    const world = await startWorld()
    const { ana, gatewayUrl, dataDir } = world
    await world.join('ben', [reader])
    const resource = `${gatewayUrl}/servers/books/mcp`
    const made = await ana.api('POST', '/service-accounts', account({ roles: [reader] }))
    const people = (await ana.api('GET', '/people')).body['items'] as { id: string; name: string }[]
    const ben = people.find(({ name }) => name === 'ben')?.id
    const alone = { name: 'old', authentication: 'client_secret_basic', grantTypes: ['client_credentials'] }
    expect((await ana.api('POST', '/clients', { ...alone, personId: ben })).status).toBe(422)
    const added = await ana.api('POST', '/clients', { ...alone, personId: made.body['id'] })
    const { id } = added.body['client'] as { id: string }
    const basic = Buffer.from(`${id}:${String(added.body['secret'])}`).toString('base64')
    const fields = { grant_type: 'client_credentials', scope: 'mcp', resource }
    const ask = () => post(gatewayUrl, '/oauth/token', fields, { authorization: `Basic ${basic}` })
    const token = String((await ask()).body['access_token'])
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)

    const database = new DatabaseSync(join(dataDir, 'castellan.db'))
    database.prepare('update oauth_clients set person_id = ? where id = ?').run(ben ?? '', id)
    database.close()
    await expect.poll(async () => (await world.post({ token, message: callTool('echo') })).status).toBe(401)
    expect((await world.ledger('&refusal=identity.token-invalid')).at(-1)?.details).toMatchObject({
      reason: 'client-acts-as-a-person',
    })
    const refused = await ask()
    expect([refused.status, refused.body['error']]).toEqual([401, 'invalid_client'])
    expect((await world.ledger('&event=oauth-token.refused')).at(-1)?.details).toMatchObject({
      reason: 'client-acts-as-a-person',
    })
    const [listed] = (await ana.api('GET', '/clients')).body['items'] as Record<string, unknown>[]
    expect(listed).toMatchObject({ id, actsAsPerson: true })
    expect(world.books.calls('tools/call')).toHaveLength(1)
  },
)

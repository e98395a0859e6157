import { describe, expect, test } from 'vitest'
import { reader, startWorld, type World } from '../../../test/world/castellan.ts'
import { authorizationRequest, post, redeem, register } from '../../../test/world/oauth/client.ts'
import { createVisitor } from '../../../test/world/oauth/visitor.ts'
import type { Person } from '../../../test/world/people.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

async function deviceClient(world: World): Promise<string> {
  const metadata = { grant_types: [deviceGrant, 'refresh_token'], response_types: [], redirect_uris: [] }
  return String((await register(world.gatewayUrl, metadata)).body['client_id'])
}

async function decideDevice(world: World, person: Person, userCode: string, answer: 'allow' | 'deny'): Promise<void> {
  const visitor = createVisitor(world.gatewayUrl)
  let page = await visitor.open(`${world.gatewayUrl}/device?user_code=${userCode}`)
  page = await visitor.submit(page, { name: person.name, password: person.password, code: person.nextCode() })
  if (page.text.includes('name="user_code"') && !page.text.includes('name="answer"')) {
    page = await visitor.submit(page, { user_code: userCode })
  }
  page = await visitor.submit(page, { answer })
  expect(page.status).toBe(200)
}

describe('a device', () => {
  test('gets its tokens once its person has typed the code and said yes', async () => {
    const world = await startWorld()
    const ben = await world.join('ben', [reader])
    const client_id = await deviceClient(world)
    const resource = `${world.gatewayUrl}/servers/books/mcp`
    const begun = await post(world.gatewayUrl, '/oauth/device', { client_id, resource, scope: 'mcp' })
    expect(begun.body).toMatchObject({ verification_uri: `${world.gatewayUrl}/device` })
    const asking = { client_id, grant_type: deviceGrant, device_code: String(begun.body['device_code']) }
    expect((await post(world.gatewayUrl, '/oauth/token', asking)).body['error']).toBe('authorization_pending')
    await decideDevice(world, ben, String(begun.body['user_code']), 'allow')
    const told = await post(world.gatewayUrl, '/oauth/token', asking)
    expect(told.status, JSON.stringify(told.body)).toBe(200)
    expect((await world.post({ token: String(told.body['access_token']), message: list })).status).toBe(200)
    expect((await post(world.gatewayUrl, '/oauth/token', asking)).body['error']).toBe('invalid_grant')
  })

  test('gets nothing when its person says no', async () => {
    const world = await startWorld()
    const client_id = await deviceClient(world)
    const resource = `${world.gatewayUrl}/servers/books/mcp`
    const begun = await post(world.gatewayUrl, '/oauth/device', { client_id, resource, scope: 'mcp' })
    await decideDevice(world, world.ana, String(begun.body['user_code']), 'deny')
    const asking = { client_id, grant_type: deviceGrant, device_code: String(begun.body['device_code']) }
    expect((await post(world.gatewayUrl, '/oauth/token', asking)).body['error']).toBe('access_denied')
  })
})

test('a request that was pushed before is answered once', async () => {
  const world = await startWorld()
  const { gatewayUrl } = world
  const clientId = String((await register(gatewayUrl)).body['client_id'])
  const resource = `${gatewayUrl}/servers/books/mcp`
  const request = authorizationRequest(gatewayUrl, { clientId, resource })
  const pushed = await post(gatewayUrl, '/oauth/par', Object.fromEntries(new URL(request.address).searchParams))
  expect(pushed.status, JSON.stringify(pushed.body)).toBe(201)
  const query = new URLSearchParams({ client_id: clientId, request_uri: String(pushed.body['request_uri']) })
  const visitor = createVisitor(gatewayUrl)
  const answer = await visitor.decide(`${gatewayUrl}/oauth/authorize?${query.toString()}`, world.ana)
  const code = answer.searchParams.get('code') ?? ''
  const { verifier, redirectUri } = request
  expect((await redeem(gatewayUrl, { clientId, resource, code, verifier, redirectUri })).status).toBe(200)
  const again = await visitor.open(`${gatewayUrl}/oauth/authorize?${query.toString()}`)
  expect(again.leftTo === undefined || !again.leftTo.includes('code=')).toBe(true)
})

describe('a client that names no scope asks for what MCP servers take', () => {
  test('of a person, in the request itself and pushed before', async () => {
    const world = await startWorld()
    const clientId = String((await register(world.gatewayUrl)).body['client_id'])
    const resource = `${world.gatewayUrl}/servers/books/mcp`
    const visitor = createVisitor(world.gatewayUrl)
    const served = async (address: string, held: { verifier: string; redirectUri: string }) => {
      const code = (await visitor.decide(address, world.ana)).searchParams.get('code') ?? ''
      const { body } = await redeem(world.gatewayUrl, { ...held, clientId, code, resource })
      return [body['scope'], (await world.post({ token: String(body['access_token']), message: list })).status]
    }
    for (const scope of [undefined, '']) {
      const { address, ...held } = authorizationRequest(world.gatewayUrl, { clientId, resource })
      const asked = new URL(address)
      if (scope === undefined) asked.searchParams.delete('scope')
      else asked.searchParams.set('scope', scope)
      expect(await served(asked.href, held)).toEqual(['mcp', 200])
      const pushed = await post(world.gatewayUrl, '/oauth/par', Object.fromEntries(asked.searchParams))
      const query = new URLSearchParams({ client_id: clientId, request_uri: String(pushed.body['request_uri']) })
      expect(await served(`${world.gatewayUrl}/oauth/authorize?${query.toString()}`, held)).toEqual(['mcp', 200])
    }
  })

  test('for a device', async () => {
    const world = await startWorld()
    const client_id = await deviceClient(world)
    const resource = `${world.gatewayUrl}/servers/books/mcp`
    const begun = await post(world.gatewayUrl, '/oauth/device', { client_id, resource })
    await decideDevice(world, world.ana, String(begun.body['user_code']), 'allow')
    const device_code = String(begun.body['device_code'])
    const told = await post(world.gatewayUrl, '/oauth/token', { client_id, grant_type: deviceGrant, device_code })
    expect((await world.post({ token: String(told.body['access_token']), message: list })).status).toBe(200)
  })
})

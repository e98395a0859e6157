/**
 * A client asks for more than its person agreed to: scopes that nobody has, grants that it did not register, several
 * servers at once, a token for another path, a weaker way to prove that a code is its own.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { authorizationRequest, obtainTokens, post, register } from '../world/oauth/client.ts'
import { createVisitor } from '../world/oauth/visitor.ts'

proves(['OAU-6', 'AUT-2'], 'a token for one path opens no other, whoever asks', async () => {
  const world = await startWorld()
  const tokens = await obtainTokens(world.gatewayUrl, world.ana)
  const before = world.books.arrived.length
  for (const upstream of ['/mcp', '/bundles/work/mcp', '/servers/other/mcp']) {
    const attacked = await world.post({ token: tokens.accessToken, upstream, message: callTool('echo') })
    expect(attacked.status).toBe(401)
  }
  expect(world.books.arrived).toHaveLength(before)
  expect(await world.ledger('&refusal=identity.token-invalid')).toHaveLength(3)
  const asAdmin = await fetch(`${world.adminUrl}/api/v1/people`, {
    headers: { authorization: `Bearer ${tokens.accessToken}` },
  })
  expect(asAdmin.status).toBe(401)
})

proves(
  'OAU-6',
  'scopes, resources, response types and challenges beyond the rules are refused, not narrowed in silence',
  async () => {
    const world = await startWorld()
    const { gatewayUrl } = world
    const clientId = String((await register(gatewayUrl)).body['client_id'])
    const resource = `${gatewayUrl}/servers/books/mcp`
    const wrong: [Record<string, string>, string][] = [
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ code_challenge: '' }, 'invalid_request'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ response_type: 'code id_token' }, 'unsupported_response_type'],
      [{ resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
      [{ resource: `${gatewayUrl}/servers/books/mcp?x=1` }, 'invalid_target'],
      [{ resource: `${gatewayUrl}/` }, 'invalid_target'],
      [{ resource: '' }, 'invalid_target'],
      [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    ]
    const visitor = createVisitor(gatewayUrl)
    for (const [more, error] of wrong) {
      const page = await visitor.open(authorizationRequest(gatewayUrl, { clientId, resource }, more).address)
      const told = page.leftTo === undefined ? page.text : page.leftTo
      expect([more, told]).toEqual([more, expect.stringContaining(error)])
      expect(told).not.toContain('code=')
    }
    const both = new URL(authorizationRequest(gatewayUrl, { clientId, resource }).address)
    both.searchParams.append('resource', `${gatewayUrl}/mcp`)
    const several = await visitor.decide(both.href, world.ana).catch((error: unknown) => String(error))
    expect(String(several)).not.toContain('code=')
  },
)

proves('OAU-6', 'a client uses only the grants that it registered', async () => {
  const { gatewayUrl } = await startWorld()
  const clientId = String((await register(gatewayUrl, { grant_types: ['authorization_code'] })).body['client_id'])
  const grants = [
    'refresh_token',
    'client_credentials',
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:device_code',
  ]
  for (const grant_type of grants) {
    const told = await post(gatewayUrl, '/oauth/token', {
      grant_type,
      client_id: clientId,
      refresh_token: 'x',
      device_code: 'x',
    })
    expect([grant_type, told.status]).toEqual([grant_type, 400])
  }
})

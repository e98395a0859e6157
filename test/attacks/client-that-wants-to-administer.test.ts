/**
 * A client that anybody may register asks for administration and provisioning; and tokens are carried from where they are
 * good to where they are not, in both directions.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { obtainTokens, post, refresh, register } from '../world/oauth/client.ts'
import { adminApi, adminScope, signInTerminal } from '../world/oauth/terminal.ts'

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

proves(
  'TRM-2',
  'a client that registered itself is told that neither is there, whatever it calls itself',
  async () => {
    const world = await startWorld()
    const { gatewayUrl, adminUrl } = world
    const metadata = { client_name: 'Castellan in a terminal', client_id: 'castellan-cli', grant_types: [deviceGrant] }
    const posing = await register(gatewayUrl, { ...metadata, response_types: [], redirect_uris: [] })
    const client_id = String(posing.body['client_id'])
    expect(client_id).not.toBe('castellan-cli')
    for (const resource of [adminUrl, `${adminUrl}/`, `${gatewayUrl}/scim/v2`]) {
      const asked = await post(gatewayUrl, '/oauth/device', { client_id, resource, scope: `${adminScope} scim` })
      expect([asked.status, asked.body['error']]).toEqual([400, 'invalid_target'])
    }
    const refused = await world.ledger('&event=grant.refused')
    expect(refused.map(({ refusal }) => refusal)).toEqual(Array(3).fill('oauth.invalid_target'))
    expect(await world.ledger('&event=grant.made')).toEqual([])
  },
  90_000,
)

proves(
  'TRM-2',
  'a token for one resource opens no other: neither administration an MCP path, nor the other way',
  async () => {
    const world = await startWorld()
    const { gatewayUrl, adminUrl, ana } = world
    const before = world.books.arrived.length
    const terminal = await signInTerminal(world, ana)
    for (const upstream of ['books', '/mcp'])
      expect((await world.post({ token: terminal.token, upstream, message: callTool('echo') })).status).toBe(401)
    const provisioning = await fetch(`${gatewayUrl}/scim/v2/Users`, {
      headers: { authorization: `Bearer ${terminal.token}` },
    })
    expect(provisioning.status).toBe(401)
    const mcp = await obtainTokens(gatewayUrl, ana)
    for (const token of [mcp.accessToken, await ana.mint('books')])
      for (const path of ['/me', '/people', '/holds']) expect((await adminApi(adminUrl, token, path)).status).toBe(401)
    const widened = await refresh(gatewayUrl, mcp, { resource: adminUrl, scope: adminScope })
    expect([widened.status, widened.body['error']]).toEqual([400, 'invalid_scope'])
    expect(world.books.arrived).toHaveLength(before)
    expect((await world.ledger('&event=admin.refused')).at(-1)?.refusal).toMatch(/^(?:identity|admin)\./)
  },
  90_000,
)

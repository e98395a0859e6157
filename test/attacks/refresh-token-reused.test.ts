/**
 * A refresh token is copied from a client's disk. The thief uses it before the client, after it, or at the same moment.
 * (Keycloak CVE-2026-1035, CVE-2026-9802: a race in rotation; a restart that forgets what was revoked.)
 */
import { describe, expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { obtainTokens, refresh, register } from '../world/oauth/client.ts'

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  proves('OAU-2', 'whoever comes second ends the family, so that neither thief nor client goes on', async () => {
    const world = await startWorld({ database })
    const tokens = await obtainTokens(world.gatewayUrl, world.ana)
    const stolen = await refresh(world.gatewayUrl, tokens)
    expect(stolen.status).toBe(200)
    const before = world.books.arrived.length

    expect((await refresh(world.gatewayUrl, tokens)).body['error']).toBe('invalid_grant')
    const thief = { ...tokens, refreshToken: String(stolen.body['refresh_token']) }
    expect((await refresh(world.gatewayUrl, thief)).status).toBe(400)
    for (const token of [tokens.accessToken, String(stolen.body['access_token'])]) {
      expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
    }

    expect(world.books.arrived).toHaveLength(before)
    const reasons = (await world.ledger('&event=grant.ended')).map(({ details }) => details?.['reason'])
    expect(reasons).toEqual(['code or refresh token used again'])
  })
})

proves('OAU-2', 'another client cannot use it, and its attempt ends nothing', async () => {
  const world = await startWorld()
  const tokens = await obtainTokens(world.gatewayUrl, world.ana)
  const clientId = String((await register(world.gatewayUrl)).body['client_id'])
  expect((await refresh(world.gatewayUrl, { ...tokens, clientId })).status).toBe(400)
  expect((await refresh(world.gatewayUrl, tokens)).status).toBe(200)
})

proves(
  ['OAU-2', 'OAU-6'],
  'a refresh gives no more than was granted: neither another server nor another scope',
  async () => {
    const world = await startWorld()
    const tokens = await obtainTokens(world.gatewayUrl, world.ana)
    const elsewhere = await refresh(world.gatewayUrl, tokens, { resource: `${world.gatewayUrl}/mcp` })
    expect(elsewhere.status).toBe(400)
    const fresh = await obtainTokens(world.gatewayUrl, world.ana)
    const more = await refresh(world.gatewayUrl, fresh, { scope: 'mcp castellan:admin' })
    expect(more.body['error']).toBe('invalid_scope')
  },
)

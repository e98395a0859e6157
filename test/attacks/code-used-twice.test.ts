/**
 * An authorization code leaks, from a log or a browser's history. Whoever has it tries it after the client did, tries it with
 * another client, another address, another verifier, and for another server.
 */
import { describe, expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { obtainCode, redeem, refresh, register } from '../world/oauth/client.ts'

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  proves('OAU-1', 'the second use of a code is refused and ends what the first one gave', async () => {
    const world = await startWorld({ database })
    const held = await obtainCode(world.gatewayUrl, world.ana)
    const { body } = await redeem(world.gatewayUrl, held)
    const [token, refreshToken] = [String(body['access_token']), String(body['refresh_token'])]
    const before = world.books.arrived.length

    const attacked = await redeem(world.gatewayUrl, held)
    expect([attacked.status, attacked.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
    expect((await refresh(world.gatewayUrl, { clientId: held.clientId, refreshToken })).status).toBe(400)

    expect(world.books.arrived).toHaveLength(before)
    const ended = (await world.ledger('&event=grant.ended')).at(-1)
    expect(ended?.details).toMatchObject({ client: held.clientId, reason: expect.stringContaining('used again') })
  })
})

proves(
  'OAU-1',
  'a stolen code is worth nothing without the verifier, the client, the address and the server it is for',
  async () => {
    const world = await startWorld()
    const held = await obtainCode(world.gatewayUrl, world.ana)
    const other = String((await register(world.gatewayUrl)).body['client_id'])
    const attempts: Record<string, string>[] = [
      { code_verifier: 'a'.repeat(43) },
      { code_verifier: '' },
      { client_id: other },
      { redirect_uri: 'http://127.0.0.1:33418/Callback' },
      { redirect_uri: '' },
    ]
    for (const fields of attempts) expect((await redeem(world.gatewayUrl, held, fields)).status).toBe(400)
    const elsewhere = await redeem(world.gatewayUrl, held, { resource: `${world.gatewayUrl}/mcp` })
    expect(elsewhere.body['error']).toBe('invalid_target')
    expect((await world.ledger('&event=oauth-token.refused')).length).toBeGreaterThanOrEqual(attempts.length + 1)
    expect(await world.ledger('&event=oauth-token.issued')).toHaveLength(0)
  },
)

/**
 * Mallory copies what a terminal keeps in its file, and uses it after its person signed out, after they were suspended, and
 * beside the terminal itself.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { post, refresh } from '../world/oauth/client.ts'
import { adminApi, signInTerminal, terminalClient } from '../world/oauth/terminal.ts'

proves(
  'TRM-3',
  'after its sign-out neither its token nor its refresh token is worth anything',
  async () => {
    const world = await startWorld()
    const { gatewayUrl, adminUrl, ana } = world
    const copied = await signInTerminal(world, ana)
    const fields = { client_id: terminalClient, token: copied.refreshToken, token_type_hint: 'refresh_token' }
    expect((await post(gatewayUrl, '/oauth/revoke', fields)).status).toBe(200)
    expect((await adminApi(adminUrl, copied.token, '/people')).status).toBe(401)
    const renewed = await refresh(gatewayUrl, { clientId: terminalClient, refreshToken: copied.refreshToken })
    expect([renewed.status, renewed.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await world.ledger('&event=grant.ended')).at(-1)?.details).toMatchObject({ client: terminalClient })
    expect((await world.ledger('&event=admin.refused')).at(-1)?.refusal).toBe('identity.token-invalid')
  },
  90_000,
)

proves(
  'TRM-3',
  'a refresh token that was copied and used ends the terminal and the copy',
  async () => {
    const world = await startWorld()
    const { adminUrl, ana } = world
    const own = await signInTerminal(world, ana)
    const stolen = await own.renew()
    await expect(own.renew()).rejects.toThrow('invalid_grant')
    await expect(stolen.renew()).rejects.toThrow('invalid_grant')
    expect((await adminApi(adminUrl, stolen.token, '/people')).status).toBe(401)
  },
  90_000,
)

proves(
  'TRM-3',
  'signing out everywhere, a suspension and a blocked client end it at once',
  async () => {
    const world = await startWorld()
    const { adminUrl, ana } = world
    const ben = await world.join('ben', ['viewer'])
    const stands = async (token: string) => (await adminApi(adminUrl, token)).status
    const ends = [`/people/ben/sign-out`, `/clients/${terminalClient}/block`, `/people/ben/suspend`]
    for (const end of ends) {
      const { token } = await signInTerminal(world, ben)
      expect(await stands(token)).toBe(200)
      expect((await ana.api('POST', end, {})).status).toBe(200)
      expect(await stands(token)).toBe(401)
      await ana.api('POST', `/clients/${terminalClient}/approve`, {})
    }
  },
  90_000,
)

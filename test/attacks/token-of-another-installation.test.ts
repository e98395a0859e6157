/**
 * Two Castellans, test and production, look the same. A token of the first is tried at the second, with everything in it
 * that the second would want to read. (ContextForge GHSA-vgf8-3685-66j9: one secret for all stages.)
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { obtainTokens, refresh, register } from '../world/oauth/client.ts'

proves('OAU-11', 'no token, client or key of one installation is known to the other', async () => {
  const test = await startWorld()
  const production = await startWorld()
  const tokens = await obtainTokens(test.gatewayUrl, test.ana)
  const before = production.books.arrived.length
  expect((await production.post({ token: tokens.accessToken, message: callTool('echo') })).status).toBe(401)
  expect((await refresh(production.gatewayUrl, tokens)).status).toBe(401)
  const clientId = String((await register(production.gatewayUrl)).body['client_id'])
  expect((await refresh(production.gatewayUrl, { ...tokens, clientId })).status).toBe(400)
  const keysOf = async (url: string) =>
    ((await (await fetch(`${url}/oauth/jwks`)).json()) as { keys: { kid: string }[] }).keys
  const [one, other] = [await keysOf(test.gatewayUrl), await keysOf(production.gatewayUrl)]
  expect(one[0]?.kid).not.toBe(other[0]?.kid)
  expect(Object.keys(one[0] ?? {})).not.toContain('d')
  expect(production.books.arrived).toHaveLength(before)
  expect(await production.ledger('&refusal=identity.token-invalid')).toHaveLength(1)
})

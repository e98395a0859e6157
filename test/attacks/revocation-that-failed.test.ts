/**
 * The store breaks while a client ends its tokens. Were the client told that they ended, nobody would try again.
 * (Hydra CVE-2020-15223: an error of the store was answered with 200.)
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { obtainTokens, post } from '../world/oauth/client.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

proves('OAU-10', 'a broken store is answered with 5xx, and the next attempt ends the token', async () => {
  const world = await startWorld()
  const { gatewayUrl } = world
  const tokens = await obtainTokens(gatewayUrl, world.ana)
  const revoke = () => post(gatewayUrl, '/oauth/revoke', { client_id: tokens.clientId, token: tokens.refreshToken })
  const file = new DatabaseSync(join(world.dataDir, 'castellan.db'))
  file.exec('alter table oauth_artifacts rename to elsewhere')
  try {
    expect((await revoke()).status).toBe(500)
    expect((await world.post({ token: tokens.accessToken, message: list })).status).toBeGreaterThanOrEqual(500)
  } finally {
    file.exec('alter table elsewhere rename to oauth_artifacts')
    file.close()
  }
  expect((await world.post({ token: tokens.accessToken, message: list })).status).toBe(200)
  expect((await revoke()).status).toBe(200)
  expect((await world.post({ token: tokens.accessToken, message: list })).status).toBe(401)
  expect(await world.ledger('&event=oauth-token.revoked')).toHaveLength(1)
})

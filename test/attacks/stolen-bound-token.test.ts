/**
 * A token that is bound to a key is stolen, from a log or a proxy, with or without a proof that was made for it. The thief has
 * no key, or another one.
 */
import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startWorld } from '../world/castellan.ts'
import { obtainCode, post, refresh } from '../world/oauth/client.ts'
import { makeProofKey } from '../world/oauth/proof-key.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

async function bound() {
  const world = await startWorld()
  const { gatewayUrl } = world
  const key = await makeProofKey()
  const held = await obtainCode(gatewayUrl, world.ana)
  const tokenUrl = `${gatewayUrl}/oauth/token`
  const fields = {
    grant_type: 'authorization_code',
    client_id: held.clientId,
    code: held.code,
    code_verifier: held.verifier,
    redirect_uri: held.redirectUri,
  }
  const dpop = await key.proof('POST', tokenUrl, Date.now())
  const told = await post(gatewayUrl, '/oauth/token', fields, { dpop })
  expect(told.body['token_type'], JSON.stringify(told.body)).toBe('DPoP')
  const token = String(told.body['access_token'])
  const call = (proof: string | undefined, scheme = 'DPoP') =>
    world.post({
      message: list,
      headers: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) },
    })
  const proof = (more: Record<string, unknown> = {}) =>
    key.proof('POST', held.resource, world.clock.now(), { ath: hashOf(token), ...more })
  return { world, key, held, token, call, proof, told }
}

proves('OAU-9', 'a bound token works with a fresh proof each, and a proof counts once, on all nodes', async () => {
  const { call, proof } = await bound()
  const once = await proof()
  expect((await call(once)).status).toBe(200)
  expect((await call(once)).status).toBe(401)
  expect((await call(await proof())).status).toBe(200)
})

proves(
  'OAU-9',
  'a bound token is worth nothing as a bearer token, without proof, or with one for another request, token, time or key',
  async () => {
    const { world, call, proof, held } = await bound()
    const other = await makeProofKey()
    expect((await call(undefined, 'Bearer')).status).toBe(401)
    expect((await call(await proof(), 'Bearer')).status).toBe(401)
    expect((await call(undefined)).status).toBe(401)
    const wrong = [
      await proof({ htm: 'GET' }),
      await proof({ htu: `${world.gatewayUrl}/mcp` }),
      await proof({ ath: hashOf('another') }),
      await proof({ iat: Math.floor(world.clock.now() / 1_000) - 301 }),
      await proof({ iat: Math.floor(world.clock.now() / 1_000) + 301 }),
      await proof({ jti: '' }),
      await other.proof('POST', held.resource, world.clock.now(), { ath: hashOf('x') }),
      'no.proof.atall',
      '',
    ]
    for (const one of wrong) expect((await call(one)).status).toBe(401)
    expect((await world.ledger('&refusal=identity.proof-invalid')).length).toBeGreaterThanOrEqual(wrong.length)
  },
)

proves('OAU-9', 'a bound token is refreshed with its key only', async () => {
  const { world, key, held, told } = await bound()
  const held2 = { clientId: held.clientId, refreshToken: String(told.body['refresh_token']) }
  expect((await refresh(world.gatewayUrl, held2)).status).toBe(400)
  const url = `${world.gatewayUrl}/oauth/token`
  const fields = { grant_type: 'refresh_token', client_id: held2.clientId, refresh_token: held2.refreshToken }
  const foreign = await (await makeProofKey()).proof('POST', url, Date.now())
  expect((await post(world.gatewayUrl, '/oauth/token', fields, { dpop: foreign })).status).toBe(400)
  const own = await key.proof('POST', url, Date.now())
  const next = await post(world.gatewayUrl, '/oauth/token', fields, { dpop: own })
  expect(next.status, JSON.stringify(next.body)).toBe(200)
  const again = { ...fields, refresh_token: String(next.body['refresh_token']) }
  expect((await post(world.gatewayUrl, '/oauth/token', again, { dpop: own })).status).toBe(400)
})

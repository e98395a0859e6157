import { expect, test } from 'vitest'
import { reader, startWorld } from '../../../test/world/castellan.ts'
import { obtainTokens, post, register, refresh } from '../../../test/world/oauth/client.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

const databases = ['sqlite', 'postgres'] as const

test.each(databases)('on %s a client registers, is let in, calls, refreshes, and reuse ends it', async (database) => {
  const world = await startWorld({ database })
  const ben = await world.join('ben', [reader])
  const tokens = await obtainTokens(world.gatewayUrl, ben)
  expect(tokens.accessToken).toMatch(/^coa_/)
  const answer = await world.post({ token: tokens.accessToken, message: list })
  expect([answer.status, answer.body]).toEqual([200, expect.anything()])
  const refreshed = await refresh(world.gatewayUrl, tokens)
  expect(refreshed.status, JSON.stringify(refreshed.body)).toBe(200)
  const again = await world.post({ token: String(refreshed.body['access_token']), message: list })
  expect(again.status).toBe(200)
  expect((await refresh(world.gatewayUrl, tokens)).status).toBe(400)
  const ended = await world.post({ token: String(refreshed.body['access_token']), message: list })
  expect(ended.status).toBe(401)
  const events = (await world.ledger()).map(({ event }) => event)
  expect(events).toEqual(
    expect.arrayContaining(['client.registered', 'grant.made', 'oauth-token.issued', 'grant.ended']),
  )
})

test('the metadata documents name the issuer, S256 and codes only', async () => {
  const { gatewayUrl } = await startWorld()
  for (const path of ['oauth-authorization-server', 'openid-configuration']) {
    const response = await fetch(`${gatewayUrl}/.well-known/${path}`)
    const body = (await response.json()) as Record<string, unknown>
    expect(body).toMatchObject({
      issuer: gatewayUrl,
      authorization_endpoint: `${gatewayUrl}/oauth/authorize`,
      token_endpoint: `${gatewayUrl}/oauth/token`,
      registration_endpoint: `${gatewayUrl}/oauth/register`,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    })
  }
  expect((await register(gatewayUrl)).status).toBe(201)
})

test('however the path is spelt, a token leaves with its record and an old one is used up', async () => {
  const world = await startWorld()
  const tokens = await obtainTokens(world.gatewayUrl, world.ana)
  const { clientId: client_id, refreshToken: refresh_token } = tokens
  const fields = { grant_type: 'refresh_token', client_id, refresh_token }
  const issued = async () => (await world.ledger('&event=oauth-token.issued')).length
  const before = await issued()
  let given = 0
  for (const path of ['/oauth/Token', '/oauth/token/', '/oauth/TOKEN', '/oauth/%74oken', '/oauth/token']) {
    if ((await post(world.gatewayUrl, path, fields)).status === 200) given += 1
  }
  expect([given, await issued()]).toEqual([1, before + 1])
})

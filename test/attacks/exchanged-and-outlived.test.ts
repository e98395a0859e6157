/**
 * A token was exchanged for another, and the one it came from ends: its person takes the grant back or is suspended, a client on the
 * way is blocked, its issuer tells otherwise or is trusted no more. Whoever holds what was made of it goes on trying.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { startIssuerWorld } from '../world/issuers/world.ts'
import { callTool } from '../world/messages.ts'
import { obtainTokens, post } from '../world/oauth/client.ts'
import { addExchangingClient, jwtType, placeOf } from '../world/oauth/exchange.ts'

const books = '/servers/books/mcp'
const minuteMs = 60_000

async function idOf(world: World, name: string): Promise<string> {
  const people = (await world.ana.api('GET', '/people')).body['items'] as { id: string; name: string }[]
  return people.find((one) => one.name === name)?.id ?? ''
}

const call = async (world: World, token: string): Promise<number> =>
  (await world.post({ token, message: callTool('echo') })).status

/** A token that one client exchanged and another exchanged again. */
async function chained(database: 'sqlite' | 'postgres') {
  const world = await startWorld({ database })
  const ben = await world.join('ben', [reader])
  const tokens = await obtainTokens(world.gatewayUrl, ben, { resource: placeOf(world, '/mcp') })
  const [first, second] = [
    await addExchangingClient(world, [books], { name: 'first' }),
    await addExchangingClient(world, [books], { name: 'second' }),
  ]
  const between = String((await first.exchange(tokens.accessToken)).body['access_token'])
  const token = String((await second.exchange(between)).body['access_token'])
  expect(await call(world, token)).toBe(200)
  return { world, ben, tokens, first, second, between, token }
}

describe.each(['sqlite', 'postgres'] as const)('on %s', (database) => {
  proves('OAU-14', 'it ends with each grant before it, on the next request', async () => {
    const { world, tokens, between, token, second } = await chained(database)
    const arrived = world.books.calls('tools/call').length
    await post(world.gatewayUrl, '/oauth/revoke', { client_id: tokens.clientId, token: tokens.refreshToken })
    expect([await call(world, between), await call(world, token)]).toEqual([401, 401])
    expect((await second.exchange(between)).body['error']).toBe('invalid_request')
    expect(world.books.calls('tools/call')).toHaveLength(arrived)
    const [refused] = (await world.ledger('&refusal=identity.token-invalid')).slice(-1)
    expect(refused?.details?.['reason']).toBe('exchanged from what has ended')
  })

  proves('OAU-14', 'it ends when a client before it is blocked, and when its person is suspended', async () => {
    const { world, first, between, token } = await chained(database)
    await world.ana.api('POST', `/clients/${first.id}/block`, {})
    expect([await call(world, between), await call(world, token)]).toEqual([401, 401])
    const ben = await world.join('bea', [reader])
    const tokens = await obtainTokens(world.gatewayUrl, ben, { resource: placeOf(world, '/mcp') })
    const other = await addExchangingClient(world, [books], { name: 'other' })
    const fresh = String((await other.exchange(tokens.accessToken)).body['access_token'])
    expect(await call(world, fresh)).toBe(200)
    const id = await idOf(world, 'bea')
    await world.ana.api('POST', `/people/${id}/suspend`, {})
    expect(await call(world, fresh)).toBe(401)
    await world.ana.api('POST', `/people/${id}/resume`, {})
    expect(await call(world, fresh)).toBe(401)
  })
})

proves('OAU-14', 'what runs with it is cut when the token it came from is revoked', async () => {
  const { world, tokens, token } = await chained('sqlite')
  const running = world.post({ token, message: callTool('drip', 'x', 'drip') })
  while (world.books.openStreams() === 0) await sleep(10)
  await post(world.gatewayUrl, '/oauth/revoke', { client_id: tokens.clientId, token: tokens.accessToken })
  expect((await running).body).toMatchObject({ id: 'drip', error: { data: { code: 'identity.token-invalid' } } })
})

proves('OAU-14', 'it lives no longer than what it came from, to the millisecond', async () => {
  const world = await startWorld({ env: { CASTELLAN_OAUTH__ACCESS_TOKEN_MINUTES: '5' } })
  const tokens = await obtainTokens(world.gatewayUrl, world.ana, { resource: placeOf(world, '/mcp') })
  const client = await addExchangingClient(world, [books])
  world.clock.advance(4 * minuteMs)
  const told = await client.exchange(tokens.accessToken)
  expect(Number(told.body['expires_in'])).toBeLessThanOrEqual(60)
  const token = String(told.body['access_token'])
  world.clock.advance(Number(told.body['expires_in']) * 1_000 - 500)
  expect(await call(world, token)).toBe(200)
  world.clock.advance(500)
  expect(await call(world, token)).toBe(401)
  world.clock.advance(2_000)
  expect((await client.exchange(tokens.accessToken)).body['error']).toBe('invalid_request')
})

proves(
  ['OAU-13', 'OAU-14'],
  'the signed token of an issuer is exchanged as what it is, and ends with what the issuer tells next',
  async () => {
    const world = await startIssuerWorld()
    const { issuer, resource, gatewayUrl } = world
    const client = await addExchangingClient(world, ['/mcp', books])
    const sent = { resource, subject_token_type: jwtType }
    const ida = issuer.token(`${gatewayUrl}/mcp`)
    const told = await client.exchange(ida, sent)
    expect(told.status, JSON.stringify(told.body)).toBe(200)
    const token = String(told.body['access_token'])
    expect(await call(world, token)).toBe(200)
    const now = Math.floor(world.clock.now() / 1_000)
    const wrong = [
      issuer.token('https://elsewhere.example/mcp'),
      issuer.token(gatewayUrl),
      issuer.token(`${gatewayUrl}/mcp`, { exp: now - 3_600 }),
      issuer.token(`${gatewayUrl}/mcp`, { iss: 'https://elsewhere.example' }),
      issuer.token(`${gatewayUrl}/mcp`, { cnf: { jkt: 'x' } }),
      issuer.token(`${gatewayUrl}/mcp`, { may_act: { sub: 'another' } }),
      issuer.token(`${gatewayUrl}/mcp`, { may_act: { sub: client.id, client_id: 'another' } }),
      issuer.token(`${gatewayUrl}/mcp`, { may_act: client.id }),
      issuer.token(`${gatewayUrl}/mcp`, {}, { alg: 'none' }),
    ]
    for (const [at, one] of wrong.entries()) {
      expect([at, (await client.exchange(one, sent)).body['error']]).toEqual([at, 'invalid_request'])
    }
    const named = issuer.token(`${gatewayUrl}/mcp`, { may_act: { sub: client.id } })
    expect((await client.exchange(named, sent)).status).toBe(200)
    await world.ana.api('POST', '/issuers/keys/withdraw', { issuer: issuer.issuer, key: 'k-1' })
    expect(await call(world, token)).toBe(401)
    expect((await client.exchange(ida, sent)).body['error']).toBe('invalid_request')
    await world.ana.api('POST', '/issuers/keys/restore', { issuer: issuer.issuer, key: 'k-1' })
    expect(await call(world, token)).toBe(200)
    world.clock.advance(5_000)
    const later = issuer.token(resource, { groups: ['nobody'] })
    await call(world, later)
    expect(await call(world, token)).toBe(401)
    expect((await client.exchange(ida, sent)).body['error']).toBe('invalid_request')
  },
)

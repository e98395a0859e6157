/**
 * A client holds a token of a person and asks for another one: for a server that nobody let it ask for, for a wider scope, in the
 * name of another, with a token that has ended, is for elsewhere, was invented, or is bound to a key that it does not have.
 */
import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { callTool } from '../world/messages.ts'
import { obtainCode, obtainTokens, post, redeem, refresh, register } from '../world/oauth/client.ts'
import { accessTokenType, addExchangingClient, exchangeGrant, jwtType, placeOf } from '../world/oauth/exchange.ts'
import { makeProofKey } from '../world/oauth/proof-key.ts'

const books = '/servers/books/mcp'
const others = '/servers/others/mcp'

async function withSubject(database: 'sqlite' | 'postgres' = 'sqlite') {
  const world = await startWorld({ database })
  const ben = await world.join('ben', [reader])
  const tokens = await obtainTokens(world.gatewayUrl, ben, { resource: placeOf(world, '/mcp') })
  return { world, ben, tokens, client: await addExchangingClient(world, [books]) }
}

async function reasonsOf(world: World): Promise<unknown[]> {
  const entries = await world.ledger('&event=oauth-token.refused')
  return entries.map(({ refusal, details }) => `${refusal}: ${String(details?.['reason'])}`)
}

proves('OAU-13', 'neither another server nor another scope nor another kind of token is given', async () => {
  const { world, tokens, client } = await withSubject()
  const before = world.books.arrived.length
  const wrong: [Record<string, string>, string][] = [
    [{ resource: placeOf(world, others) }, 'invalid_target'],
    [{ resource: placeOf(world, '/mcp') }, 'invalid_target'],
    [{ resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    [{ resource: world.adminUrl }, 'invalid_target'],
    [{ resource: placeOf(world, '/scim/v2') }, 'invalid_target'],
    [{ audience: placeOf(world, others) }, 'invalid_target'],
    [{ resource: placeOf(world, books), audience: placeOf(world, books) }, 'invalid_target'],
    [{ resource: '' }, 'invalid_target'],
    [{ scope: 'mcp openid' }, 'invalid_scope'],
    [{ scope: 'mcp castellan:admin' }, 'invalid_scope'],
    [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
    [{ requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request'],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request'],
    [{ subject_token_type: jwtType }, 'invalid_request'],
    [{ subject_token_type: '' }, 'invalid_request'],
    [{ subject_token: '', subject_token_type: '' }, 'invalid_request'],
    [{ actor_token: tokens.accessToken }, 'invalid_request'],
    [{ actor_token_type: accessTokenType }, 'invalid_request'],
  ]
  for (const [fields, error] of wrong) {
    const told = await client.exchange(tokens.accessToken, fields)
    expect([fields, told.status, told.body['error']]).toEqual([fields, 400, error])
    expect(told.body['access_token']).toBeUndefined()
  }
  expect(world.books.arrived).toHaveLength(before)
  expect(await reasonsOf(world)).toHaveLength(wrong.length)
  expect((await client.exchange(tokens.accessToken, { audience: placeOf(world, books) })).status).toBe(200)
})

proves('OAU-13', 'a client that no administrator let exchange gets nothing, however it came by the token', async () => {
  const { world, tokens, client } = await withSubject()
  const fields = {
    subject_token: tokens.accessToken,
    subject_token_type: accessTokenType,
    resource: placeOf(world, books),
  }
  const named = { grant_type: exchangeGrant, ...fields }
  const own = await register(world.gatewayUrl, { grant_types: [exchangeGrant], response_types: [] })
  expect([own.status, own.body['error']]).toEqual([400, 'invalid_client_metadata'])
  const unproven = await post(world.gatewayUrl, '/oauth/token', { ...named, client_id: tokens.clientId })
  expect([unproven.status, unproven.body['error']]).toEqual([400, 'invalid_request'])
  const without = await post(world.gatewayUrl, '/oauth/token', { ...named, client_id: client.id })
  expect([without.status, without.body['error']]).toEqual([401, 'invalid_client'])
  const authorization = `Basic ${Buffer.from(`${client.id}:${'x'.repeat(43)}`).toString('base64')}`
  expect((await post(world.gatewayUrl, '/oauth/token', named, { authorization })).status).toBe(401)
  const wrong = [
    { name: 'x', authentication: 'client_secret_basic', grantTypes: [exchangeGrant] },
    { name: 'x', authentication: 'none', grantTypes: [exchangeGrant], exchangeResources: [placeOf(world, books)] },
    {
      name: 'x',
      authentication: 'client_secret_basic',
      grantTypes: ['authorization_code'],
      exchangeResources: [books],
    },
    {
      name: 'x',
      authentication: 'client_secret_basic',
      grantTypes: [exchangeGrant],
      exchangeResources: [world.adminUrl],
    },
  ]
  for (const metadata of wrong) expect((await world.ana.api('POST', '/clients', metadata)).status).toBe(422)
  expect((await world.ledger('&event=oauth-token.issued')).filter(({ details }) => details?.['actors'])).toHaveLength(0)
})

proves(
  'OAU-13',
  'a token that ended, is for elsewhere, of a client itself, of a person by hand or invented is none',
  async () => {
    const { world, ben, tokens, client } = await withSubject()
    const fresh = { name: 'robot', purpose: 'reads books', owner: 'ana', roles: [reader] }
    const robot = await world.ana.api('POST', '/service-accounts', fresh)
    const alone = await addExchangingClient(world, [books], { name: 'alone', personId: String(robot.body['id']) })
    const ended = await obtainTokens(world.gatewayUrl, ben, { resource: placeOf(world, '/mcp') })
    await post(world.gatewayUrl, '/oauth/revoke', { client_id: ended.clientId, token: ended.accessToken })
    const unscoped = await obtainCode(world.gatewayUrl, ben, { scope: 'openid' })
    const openid = await redeem(world.gatewayUrl, unscoped)
    expect(openid.body['access_token']).toMatch(/^coa_/)
    const told = [
      await client.exchange(ended.accessToken),
      await client.exchange(tokens.refreshToken),
      await client.exchange(await alone.own(placeOf(world, books))),
      await client.exchange(await ben.mint('books')),
      await client.exchange(`coa_${randomBytes(32).toString('base64url')}`),
      await client.exchange('nonsense'),
      await client.exchange('e30.e30.e30'),
      await client.exchange(String(openid.body['access_token'])),
    ]
    for (const { status, body } of told) {
      expect([status, body['error'], body['error_description']]).toEqual([400, 'invalid_request', 'request is invalid'])
    }
    expect(await reasonsOf(world)).toEqual(
      expect.arrayContaining([
        'oauth.invalid_request: subject revoked',
        'oauth.invalid_request: subject unknown',
        'oauth.invalid_request: subject without the scope of MCP',
        'oauth.invalid_request: subject of a client that can ask for itself',
      ]),
    )
  },
)

proves('OAU-13', 'an actor is the client itself, or the service account of that very client', async () => {
  const { world, tokens } = await withSubject()
  const account = (name: string) => ({ name, purpose: 'reads books', owner: 'ana', roles: [reader] })
  const [one, two] = [
    await world.ana.api('POST', '/service-accounts', account('one')),
    await world.ana.api('POST', '/service-accounts', account('two')),
  ]
  const mine = await addExchangingClient(world, [books], { name: 'mine', personId: String(one.body['id']) })
  const other = await addExchangingClient(world, [books], { name: 'other', personId: String(two.body['id']) })
  const named = (token: string) => ({ actor_token: token, actor_token_type: accessTokenType })
  const forged = [await other.own(placeOf(world, books)), tokens.accessToken, 'coa_nonsense']
  for (const token of forged) {
    const told = await mine.exchange(tokens.accessToken, named(token))
    expect([told.status, told.body['error']]).toEqual([400, 'invalid_request'])
  }
  const own = await mine.exchange(tokens.accessToken, named(await mine.own(placeOf(world, books))))
  expect(own.status, JSON.stringify(own.body)).toBe(200)
  const token = String(own.body['access_token'])
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
  const [called] = (await world.ledger('&event=call.intended')).slice(-1)
  expect(called?.principal?.name).toBe('ben')
  expect(called?.details?.['actors']).toEqual([{ id: String(one.body['id']), name: 'one', client: mine.id }])
  await world.ana.api('POST', '/service-accounts/one/suspend', {})
  expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
})

proves(
  'OAU-13',
  'a token that is bound to a key is exchanged with a proof of that key, once, and stays bound to it',
  async () => {
    const { world, client, ben } = await withSubject()
    const { gatewayUrl, clock } = world
    const [key, stranger] = [await makeProofKey(), await makeProofKey()]
    const tokenUrl = `${gatewayUrl}/oauth/token`
    const held = await obtainCode(gatewayUrl, ben, { resource: placeOf(world, '/mcp') })
    const fields = {
      grant_type: 'authorization_code',
      client_id: held.clientId,
      code: held.code,
      code_verifier: held.verifier,
    }
    const dpop = await key.proof('POST', tokenUrl, Date.now())
    const bound = await post(gatewayUrl, '/oauth/token', { ...fields, redirect_uri: held.redirectUri }, { dpop })
    const subject = String(bound.body['access_token'])

    expect((await client.exchange(subject)).body['error']).toBe('invalid_request')
    const foreign = await stranger.proof('POST', tokenUrl, clock.now())
    expect((await client.exchange(subject, {}, { dpop: foreign })).body['error']).toBe('invalid_request')
    const elsewhere = await key.proof('POST', `${gatewayUrl}/oauth/revoke`, clock.now())
    expect((await client.exchange(subject, {}, { dpop: elsewhere })).body['error']).toBe('invalid_dpop_proof')
    const once = await key.proof('POST', tokenUrl, clock.now())
    const told = await client.exchange(subject, {}, { dpop: once })
    expect([told.status, told.body['token_type']]).toEqual([200, 'DPoP'])
    expect((await client.exchange(subject, {}, { dpop: once })).body['error']).toBe('invalid_dpop_proof')
    const token = String(told.body['access_token'])
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(401)
    const ath = createHash('sha256').update(token).digest('base64url')
    const proof = await key.proof('POST', placeOf(world, books), clock.now(), { ath })
    const headers = { authorization: `DPoP ${token}`, dpop: proof }
    expect((await world.post({ message: callTool('echo'), headers })).status).toBe(200)
  },
)

proves(
  'OAU-13',
  'tokens are exchanged for exchanged ones twice and not a third time, and each actor is named',
  async () => {
    const { world, tokens } = await withSubject()
    const chain = await Promise.all(['a', 'b', 'c', 'd'].map((name) => addExchangingClient(world, [books], { name })))
    let token = tokens.accessToken
    for (const client of chain.slice(0, 3)) {
      const told = await client.exchange(token)
      expect(told.status, JSON.stringify(told.body)).toBe(200)
      token = String(told.body['access_token'])
    }
    expect((await world.post({ token, message: callTool('echo') })).status).toBe(200)
    const [called] = (await world.ledger('&event=call.intended')).slice(-1)
    const named = ['c', 'b', 'a'].map((name) => expect.objectContaining({ name }))
    expect(called?.details?.['actors']).toEqual(named)
    const fourth = await chain[3]?.exchange(token)
    expect([fourth?.status, fourth?.body['error']]).toEqual([400, 'invalid_request'])
    expect((await reasonsOf(world)).at(-1)).toBe('oauth.invalid_request: subject exchanged too often')
    const introspected = await chain[2]?.inspect(token)
    expect(introspected?.body).toMatchObject({
      active: true,
      act: { sub: chain[2]?.id, act: { sub: chain[1]?.id, act: { sub: chain[0]?.id } } },
    })
  },
)

test('the tokens of one subject are as many as were asked for, and each is on record', async () => {
  const { world, tokens, client } = await withSubject()
  const told = await Promise.all(Array.from({ length: 5 }, () => client.exchange(tokens.accessToken)))
  expect(new Set(told.map(({ body }) => body['access_token'])).size).toBe(5)
  const issued = (await world.ledger('&event=oauth-token.issued')).filter(({ details }) => details?.['actors'])
  expect(issued).toHaveLength(5)
  expect((await refresh(world.gatewayUrl, tokens)).status).toBe(200)
})

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { reader, startWorld } from '../../../test/world/castellan.ts'
import {
  authorizationRequest,
  nativeRedirect,
  obtainCode,
  obtainTokens,
  post,
  redeem,
  refresh,
  register,
} from '../../../test/world/oauth/client.ts'
import { createVisitor } from '../../../test/world/oauth/visitor.ts'

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
const minuteMs = 60_000
const databases = ['sqlite', 'postgres'] as const

describe('a code', () => {
  test.each(databases)('on %s works once: the second use is refused and ends what the first gave', async (database) => {
    const world = await startWorld({ database })
    const held = await obtainCode(world.gatewayUrl, world.ana)
    const first = await redeem(world.gatewayUrl, held)
    expect(first.status).toBe(200)
    const token = String(first.body['access_token'])
    expect((await world.post({ token, message: list })).status).toBe(200)
    const second = await redeem(world.gatewayUrl, held)
    expect([second.status, second.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await world.post({ token, message: list })).status).toBe(401)
    const refreshToken = String(first.body['refresh_token'])
    expect((await refresh(world.gatewayUrl, { clientId: held.clientId, refreshToken })).status).toBe(400)
    expect((await world.ledger('&event=grant.ended')).at(-1)?.details?.['reason']).toContain('used again')
  })

  test('is worth nothing with another verifier, client, redirect address or resource', async () => {
    const world = await startWorld()
    const { gatewayUrl } = world
    const held = await obtainCode(gatewayUrl, world.ana)
    const other = String((await register(gatewayUrl)).body['client_id'])
    const wrong = [
      { code_verifier: randomBytes(32).toString('base64url') },
      { client_id: other },
      { redirect_uri: `${nativeRedirect}/` },
      { resource: `${gatewayUrl}/mcp` },
    ]
    for (const fields of wrong.slice(0, 3)) expect((await redeem(gatewayUrl, held, fields)).status).toBe(400)
    expect((await redeem(gatewayUrl, held, wrong[3])).body['error']).toBe('invalid_target')
  })

  test('lives for a minute', async () => {
    const world = await startWorld()
    const held = await obtainCode(world.gatewayUrl, world.ana)
    world.clock.advance(minuteMs)
    expect((await redeem(world.gatewayUrl, held)).body['error']).toBe('invalid_grant')
    const fresh = await obtainCode(world.gatewayUrl, world.ana)
    world.clock.advance(minuteMs - 5_000)
    expect((await redeem(world.gatewayUrl, fresh)).status).toBe(200)
  })
})

describe.each(databases)('a refresh token (%s)', (database) => {
  test('is replaced at each use, and its reuse ends the whole family', async () => {
    const world = await startWorld({ database })
    const { gatewayUrl } = world
    const tokens = await obtainTokens(gatewayUrl, world.ana)
    const next = await refresh(gatewayUrl, tokens)
    expect(next.status).toBe(200)
    const refreshToken = String(next.body['refresh_token'])
    expect(refreshToken).not.toBe(tokens.refreshToken)
    expect((await refresh(gatewayUrl, tokens)).body['error']).toBe('invalid_grant')
    expect((await refresh(gatewayUrl, { ...tokens, refreshToken })).status).toBe(400)
    const token = String(next.body['access_token'])
    expect((await world.post({ token, message: list })).status).toBe(401)
  })

  test('of many uses at the same moment no two succeed', async () => {
    const world = await startWorld({ database })
    const tokens = await obtainTokens(world.gatewayUrl, world.ana)
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(world.gatewayUrl, tokens)))
    const won = answers.filter(({ status }) => status === 200)
    expect(won.length).toBeLessThanOrEqual(1)
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(answers.length - won.length)
  })

  test('ends with its grant, however often it was refreshed', async () => {
    const world = await startWorld({ database, env: { CASTELLAN_OAUTH__GRANT_DAYS: '2' } })
    const tokens = await obtainTokens(world.gatewayUrl, world.ana)
    world.clock.advance(24 * 60 * minuteMs)
    const next = await refresh(world.gatewayUrl, tokens)
    expect(next.status).toBe(200)
    world.clock.advance(24 * 60 * minuteMs)
    const late = await refresh(world.gatewayUrl, { ...tokens, refreshToken: String(next.body['refresh_token']) })
    expect(late.body['error']).toBe('invalid_grant')
  })
})

describe('what ends tokens', () => {
  test('an access token lives as long as configured, to the millisecond', async () => {
    const world = await startWorld({ env: { CASTELLAN_OAUTH__ACCESS_TOKEN_MINUTES: '5' } })
    const { accessToken: token } = await obtainTokens(world.gatewayUrl, world.ana)
    world.clock.advance(5 * minuteMs - 2_000)
    expect((await world.post({ token, message: list })).status).toBe(200)
    world.clock.advance(2_000)
    const late = await world.post({ token, message: list })
    expect(late.status).toBe(401)
  })

  test.each(databases)(
    'on %s suspending a person ends all they let clients do, also after they are back',
    async (database) => {
      const world = await startWorld({ database })
      const ben = await world.join('ben', [reader])
      const tokens = await obtainTokens(world.gatewayUrl, ben)
      const people = (await world.ana.api('GET', '/people')).body['items'] as { id: string; name: string }[]
      const id = people.find(({ name }) => name === 'ben')?.id ?? ''
      expect((await world.ana.api('POST', `/people/${id}/suspend`, {})).status).toBeLessThan(300)
      expect((await world.post({ token: tokens.accessToken, message: list })).status).toBe(401)
      expect((await refresh(world.gatewayUrl, tokens)).status).toBe(400)
      expect((await world.ana.api('POST', `/people/${id}/resume`, {})).status).toBeLessThan(300)
      expect((await world.post({ token: tokens.accessToken, message: list })).status).toBe(401)
      expect((await refresh(world.gatewayUrl, tokens)).status).toBe(400)
    },
  )

  test.each(databases)(
    'on %s revoking either token ends both; an unknown one is answered the same',
    async (database) => {
      const world = await startWorld({ database })
      const { gatewayUrl } = world
      for (const which of ['accessToken', 'refreshToken'] as const) {
        const tokens = await obtainTokens(gatewayUrl, world.ana)
        const fields = { client_id: tokens.clientId, token: tokens[which] }
        expect((await post(gatewayUrl, '/oauth/revoke', fields)).status).toBe(200)
        expect((await world.post({ token: tokens.accessToken, message: list })).status).toBe(401)
        expect((await refresh(gatewayUrl, tokens)).status).toBe(400)
        expect((await post(gatewayUrl, '/oauth/revoke', fields)).status).toBe(200)
      }
    },
  )

  test('a client inspects and revokes its own tokens only', async () => {
    const world = await startWorld()
    const { gatewayUrl } = world
    const tokens = await obtainTokens(gatewayUrl, world.ana)
    const other = String((await register(gatewayUrl)).body['client_id'])
    const told = await post(gatewayUrl, '/oauth/introspect', { client_id: other, token: tokens.accessToken })
    expect(told.body).toEqual({ active: false })
    await post(gatewayUrl, '/oauth/revoke', { client_id: other, token: tokens.accessToken })
    expect((await world.post({ token: tokens.accessToken, message: list })).status).toBe(200)
    const own = await post(gatewayUrl, '/oauth/introspect', { client_id: tokens.clientId, token: tokens.accessToken })
    expect(own.body).toMatchObject({ active: true, aud: tokens.resource, scope: 'mcp', iss: gatewayUrl })
  })
})

test('a second node gives and takes the same tokens, and signs with the same key', async () => {
  const world = await startWorld()
  const { gatewayUrl: second } = await world.secondNode()
  const keysOf = async (url: string): Promise<unknown> => (await fetch(`${url}/oauth/jwks`)).json()
  expect(await keysOf(second)).toEqual(await keysOf(world.gatewayUrl))
})

test('a person who says no sends the client away without a code', async () => {
  const world = await startWorld()
  const clientId = String((await register(world.gatewayUrl)).body['client_id'])
  const resource = `${world.gatewayUrl}/servers/books/mcp`
  const { address } = authorizationRequest(world.gatewayUrl, { clientId, resource })
  const answer = await createVisitor(world.gatewayUrl).decide(address, world.ana, 'deny')
  expect(Object.fromEntries(answer.searchParams)).toMatchObject({
    error: 'access_denied',
    iss: world.gatewayUrl,
    state: 'a state',
  })
  expect((await world.ledger('&event=grant.refused')).at(-1)?.refusal).toBe('oauth.access_denied')
})

/**
 * Mallory wants people signed out, again and again: she forges logout tokens, replays one she saw, sends ID tokens in
 * their place, and tokens that name nobody, or everybody.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import type { LyingProvider } from '../world/identity-provider/lying-provider.ts'
import { startLyingWorld } from '../world/identity-provider/lying-world.ts'
import { createVisitor } from '../world/identity-provider/visitor.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const typ = { typ: 'logout+jwt' }

type Claims = Record<string, unknown>

/** Makes the claims of a right logout token, with others over them. */
function claimsOf({ issuer: iss }: LyingProvider, now: number): (more?: Claims) => Claims {
  return (more = {}) => {
    const right = { iss, aud: 'castellan', iat: now, exp: now + 120, jti: crypto.randomUUID(), sub: 'subject' }
    return JSON.parse(JSON.stringify({ ...right, events: { [event]: {} }, ...more })) as Claims
  }
}

/** One of each kind that is no logout token. */
function forge(provider: LyingProvider, claims: (more?: Claims) => Claims, now: number): Promise<string[]> {
  const wrong: Claims[] = [
    { nonce: 'x' },
    { events: undefined },
    { events: { 'http://schemas.openid.net/event/other': {} } },
    { events: { [event]: true } },
    { iss: 'https://elsewhere.test' },
    { aud: 'another' },
    { iat: now - 3_600 },
    { iat: now + 3_600 },
    { exp: now - 60 },
    { exp: undefined },
    { jti: undefined },
    { sub: undefined },
    { sub: '' },
  ]
  return Promise.all([
    provider.sign(claims(), typ, provider.foreignKey),
    provider.sign(claims()),
    provider.sign(claims(), { typ: 'JWT' }),
    ...wrong.map((more) => provider.sign(claims(more), typ)),
    Promise.resolve('not.a.token'),
  ])
}

function post(url: string, body: string, type = 'application/x-www-form-urlencoded'): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': type }, body })
}

proves(
  'FED-7',
  'only a fresh, typed and signed logout token for this client signs anybody out, and only once',
  async () => {
    const { provider, signIn, who, world } = await startLyingWorld()
    provider.says.idToken = { sid: 'there' }
    const visitor = createVisitor()
    await signIn(visitor)
    const now = Math.floor(world.clock.now() / 1000)
    const claims = claimsOf(provider, now)
    const url = `${world.gatewayUrl}/sso/lies/backchannel-logout`
    const tell = (token: string) => post(url, new URLSearchParams({ logout_token: token }).toString())
    const forged = await forge(provider, claims, now)
    for (const [at, token] of forged.entries()) expect([at, (await tell(token)).status]).toEqual([at, 400])
    expect((await post(url, JSON.stringify({ logout_token: 'x' }), 'application/json')).status).toBe(400)
    expect((await post(url, 'logout_token=a&logout_token=b')).status).toBe(400)
    expect((await fetch(url)).status).toBe(405)
    expect(await who(visitor)).toBeDefined()
    const refused = await world.ledger('&event=provider.logout-refused')
    expect(refused).toHaveLength(forged.length + 2)
    expect(new Set(refused.map(({ refusal }) => refusal))).toEqual(new Set(['identity.logout-token-invalid']))

    const nobody = await tell(await provider.sign(claims({ sub: 'somebody else' }), typ))
    expect(nobody.status).toBe(200)
    const otherSession = await tell(await provider.sign(claims({ sid: 'elsewhere' }), typ))
    expect(otherSession.status).toBe(200)
    expect(await who(visitor)).toBeDefined()

    const token = await provider.sign(claims({ sid: 'there' }), typ)
    const answers = await Promise.all([tell(token), tell(token)])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400])
    expect(answers.every(({ headers }) => headers.get('cache-control') === 'no-store')).toBe(true)
    expect(await who(visitor)).toBeUndefined()

    provider.says.idToken = { sid: 'again' }
    await signIn(visitor)
    expect((await tell(token)).status).toBe(400)
    expect(await who(visitor)).toBeDefined()
  },
)

proves(
  'FED-7',
  'a sign-in that was under way when its account was signed out there does not end in a session',
  async () => {
    const { provider, begin, who, world, lastRefused } = await startLyingWorld()
    provider.says.idToken = { sid: 'there' }
    const visitor = createVisitor()
    const answer = provider.back((await begin(visitor)).location)
    const now = Math.floor(world.clock.now() / 1000)
    const right = { iss: provider.issuer, aud: 'castellan', iat: now, exp: now + 120, jti: 'one', sid: 'there' }
    const token = await provider.sign({ ...right, events: { [event]: {} } }, typ)
    const url = `${world.gatewayUrl}/sso/lies/backchannel-logout`
    expect((await post(url, new URLSearchParams({ logout_token: token }).toString())).status).toBe(200)
    expect((await visitor.get(answer)).status).toBe(401)
    expect(await who(visitor)).toBeUndefined()
    expect((await lastRefused())?.details?.['reason']).toBe('logged-out-meanwhile')
  },
)

proves(
  'FED-7',
  'no form of another site signs anybody out, here or at the provider',
  async () => {
    const { provider, signIn, who, world } = await startLyingWorld()
    const visitor = createVisitor()
    await signIn(visitor)
    const url = `${world.gatewayUrl}/sso/lies/logout`
    const page = await visitor.get(url)
    const form = page.hidden('form')
    const foreign = createVisitor()
    const other = (await foreign.get(url)).hidden('form')
    for (const fields of [{}, { form: '' }, { form: other }, { form: `${form}x` }] as Record<string, string>[]) {
      const refused = await visitor.post(url, fields)
      expect([JSON.stringify(fields).slice(0, 20), refused.status, refused.location]).toEqual([
        JSON.stringify(fields).slice(0, 20),
        403,
        undefined,
      ])
    }
    expect(await who(visitor)).toBeDefined()
    expect(await world.ledger('&event=form.refused')).toHaveLength(4)
    const done = await visitor.post(url, { form })
    const there = new URL(done.location ?? '')
    expect([there.origin, there.pathname]).toEqual([provider.issuer, '/end'])
    expect(there.searchParams.get('post_logout_redirect_uri')).toBe(`${world.gatewayUrl}/sso/lies/logged-out`)
    expect(there.searchParams.get('id_token_hint')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(await who(visitor)).toBeUndefined()
  },
  60_000,
)

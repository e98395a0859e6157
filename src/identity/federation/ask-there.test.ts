import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { startLyingWorld } from '../../../test/world/identity-provider/lying-world.ts'
import { createVisitor } from '../../../test/world/identity-provider/visitor.ts'

const minute = 60_000

test(
  'a code is asked for with PKCE, state and nonce, and redeemed with the verifier and the secret',
  { timeout: minute },
  async () => {
    const { provider, begin, world } = await startLyingWorld({
      scopes: ['openid', 'groups'],
      mfa: { acr: ['high', 'higher'] },
    })
    const [visitor, other] = [createVisitor(), createVisitor()]
    const asked = new URL((await begin(visitor)).location ?? '').searchParams
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'castellan',
      redirect_uri: `${world.gatewayUrl}/sso/lies/callback`,
      scope: 'openid groups',
      code_challenge_method: 'S256',
      acr_values: 'high higher',
    })
    const again = new URL((await begin(other)).location ?? '').searchParams
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(asked.get(name)).toMatch(/^[\w-]{43}$/)
      expect(again.get(name)).not.toBe(asked.get(name))
    }
    await visitor.get(provider.back(`${provider.issuer}/?${asked.toString()}`))
    const redeemed = provider.asked.find(({ path }) => path === '/token')
    const sent = new URLSearchParams(redeemed?.body)
    const challenge = createHash('sha256')
      .update(sent.get('code_verifier') ?? '')
      .digest('base64url')
    expect(challenge).toBe(asked.get('code_challenge'))
    const basic = Buffer.from(`castellan:${provider.clientSecret}`).toString('base64')
    expect(decodeURIComponent(Buffer.from(redeemed?.authorization?.slice(6) ?? '', 'base64').toString())).toBe(
      Buffer.from(basic, 'base64').toString(),
    )
  },
)

test('how long ago a person proved themselves there is asked for, and held to', { timeout: minute }, async () => {
  const { provider, begin } = await startLyingWorld({ signInMaxAgeSeconds: 60 })
  const now = Math.floor(Date.now() / 1000)
  const ages = [
    [0, 303],
    [600, 403],
    [undefined, 403],
  ] as const
  for (const [age, status] of ages) {
    provider.says.idToken = { auth_time: age === undefined ? undefined : now - age }
    const visitor = createVisitor()
    const started = await begin(visitor)
    expect(new URL(started.location ?? '').searchParams.get('max_age')).toBe('60')
    expect([age, (await visitor.get(provider.back(started.location))).status]).toEqual([age, status])
  }
})

test('what a provider says went wrong is on record, not on the page', { timeout: minute }, async () => {
  const { provider, begin, world, lastRefused } = await startLyingWorld()
  const visitor = createVisitor()
  const state = new URL((await begin(visitor)).location ?? '').searchParams.get('state') ?? ''
  const said = { state, iss: provider.issuer, error: 'access_denied', error_description: '<b>no</b>' }
  const query = new URLSearchParams(said).toString()
  const answer = await visitor.get(`${world.gatewayUrl}/sso/lies/callback?${query}`)
  expect(answer.status).toBe(403)
  expect(answer.text).not.toContain('<b>no</b>')
  expect((await lastRefused())?.details).toMatchObject({ provider: 'lies', reason: 'not-accepted' })
})

test('there is nothing below `/sso/` but the steps at providers that exist', { timeout: minute }, async () => {
  const { world } = await startLyingWorld()
  for (const path of [
    '/sso/',
    '/sso/lies',
    '/sso/lies/',
    '/sso/lies/other',
    '/sso/none/start',
    '/sso/LIES/start',
    '/sso/lies/start/x',
  ]) {
    expect([path, (await createVisitor().get(world.gatewayUrl + path)).status]).toEqual([path, 404])
  }
  expect((await createVisitor().post(`${world.gatewayUrl}/sso/lies/callback`, {})).status).toBe(405)
})

/**
 * Bea signs in by a provider and has neither password nor factor here. Mallory sits at her open browser, where the provider
 * would let her in again without a question, has an account there herself, and has seen the address of a proof of Bea's.
 * She wants a call of Bea's to pass, and a passkey of her own in Bea's name.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import type { LyingWorld } from '../world/identity-provider/lying-world.ts'
import { startLyingWorld } from '../world/identity-provider/lying-world.ts'
import { createVisitor, type Visited, type Visitor } from '../world/identity-provider/visitor.ts'
import { createAuthenticator } from '../world/keys/authenticator.ts'
import { oneTimeCode } from '../world/one-time-code.ts'
import { callAdmin, enrol } from '../world/people.ts'
import { linkIn, pay, payer } from '../world/step-up/payments.ts'

const isAsked = { body: { error: { data: { code: 'gateway.step-up-needed' } } } }
const addPath = '/account/passkeys/add'
const seconds = (): number => Math.floor(Date.now() / 1000)
const decoded = (text: string): string => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&')

/** Bea with her browser, a token, and a call that waits for her factor. */
async function startBea(lying: LyingWorld) {
  const { world, provider } = lying
  provider.says.idToken = { preferred_username: 'bea' }
  const visitor = createVisitor()
  await lying.signIn(visitor)
  expect((await world.ana.api('PUT', '/roles/payer', payer)).status).toBe(200)
  expect((await world.ana.api('PUT', '/people/bea/roles/payer')).status).toBe(200)
  const session = visitor.cookie(world.gatewayUrl, /^castellan-\d+$/) ?? ''
  const resource = `${world.gatewayUrl}/servers/books/mcp`
  const body = { label: 'bea test', resource, ttlSeconds: 3600 }
  const minted = await callAdmin(world.adminUrl, { method: 'POST', path: '/tokens', body, token: session })
  const token = String(minted.body['token'])
  const call = () => world.post({ token, message: pay(10) })
  return { visitor, call, path: linkIn(await call()) }
}

/** Signs in anew at the provider for a page here. @returns the page that it led to, or the refusal */
async function prove({ world, provider }: LyingWorld, visitor: Visitor, next: string): Promise<Visited> {
  const query = new URLSearchParams({ next }).toString()
  const led = await visitor.get(`${world.gatewayUrl}/sso/lies/prove?${query}`)
  const { searchParams } = new URL(led.location ?? '')
  expect([searchParams.get('prompt'), searchParams.get('max_age')]).toEqual(['login', '0'])
  const back = await visitor.get(provider.back(led.location))
  return back.location === undefined ? back : visitor.get(back.location)
}

proves('STU-4', 'a session at the provider, another account there and a single factor let no call pass', async () => {
  const lying = await startLyingWorld()
  const { world, provider } = lying
  const { visitor, call, path } = await startBea(lying)
  const lies: readonly Record<string, unknown>[] = [
    {},
    { auth_time: seconds() - 3_600 },
    { auth_time: seconds() - 120 },
    { auth_time: String(seconds()) },
    { auth_time: seconds() + 5, sub: 'subject of mallory' },
  ]
  for (const lie of lies) {
    provider.says.idToken = { preferred_username: 'bea', ...lie }
    const told = await prove(lying, visitor, path)
    expect([lie, told.status, told.text.includes('name="there"')]).toEqual([lie, 403, false])
  }
  provider.says.idToken = { amr: ['pwd'], auth_time: seconds() + 1 }
  const weak = await prove(lying, visitor, path)
  expect(weak.hidden('there')).not.toBe('')
  const answer = { form: weak.hidden('form'), 'answer-is': 'prove', there: weak.hidden('there') }
  expect((await visitor.post(`${world.gatewayUrl}${path}`, answer)).status).toBe(403)
  const invented = { ...answer, there: `lies.${'A'.repeat(43)}` }
  expect((await visitor.post(`${world.gatewayUrl}${path}`, invented)).status).toBe(403)

  expect(await call()).toMatchObject(isAsked)
  expect(world.books.calls('tools/call')).toEqual([])
  expect(await world.ledger('&event=step-up.proved')).toEqual([])
  const refused = await world.ledger('&event=person.change-refused')
  expect(refused.map(({ principal, details }) => [principal?.name, details?.['reason']])).toEqual([
    ['bea', 'not-signed-in-anew'],
    ['bea', 'unlinked'],
    ['bea', 'provider-showed-no-second-factor'],
    ['bea', 'provider-proof-unknown'],
  ])
  const unreadable = (await world.ledger('&event=sign-in.refused')).map(({ details }) => details?.['reason'])
  expect(unreadable).toEqual(Array<string>(3).fill('not-accepted'))
})

proves('STU-4', 'what the provider says anew counts once, for the session and the person it was said for', async () => {
  const lying = await startLyingWorld()
  const { world, provider } = lying
  const { visitor, call, path } = await startBea(lying)
  provider.says.idToken = { auth_time: seconds() + 1 }
  const page = await prove(lying, visitor, path)
  expect(page.text).toContain('You have signed in anew')
  const fields = { form: page.hidden('form'), 'answer-is': 'prove', there: page.hidden('there') }

  const elsewhere = createVisitor()
  await lying.signIn(elsewhere)
  const form = (await elsewhere.get(`${world.gatewayUrl}${path}`)).hidden('form')
  expect((await elsewhere.post(`${world.gatewayUrl}${path}`, { ...fields, form })).status).toBe(403)
  expect(await call()).toMatchObject(isAsked)

  const again = await prove(lying, visitor, path)
  const own = { ...fields, there: again.hidden('there') }
  const both = await Promise.all([1, 2].map(() => visitor.post(`${world.gatewayUrl}${path}`, own)))
  expect(both.filter(({ text }) => text.includes('<h1>Proved</h1>'))).toHaveLength(1)
  expect(await call()).toMatchObject({ body: { result: {} } })
  const other = linkIn(await call())
  expect((await visitor.post(`${world.gatewayUrl}${other}`, own)).status).toBe(403)
  expect(world.books.calls('tools/call')).toHaveLength(1)
  const [proved, ...more] = await world.ledger('&event=step-up.proved')
  expect(more).toEqual([])
  expect(proved?.details?.['factors']).toEqual(['identity-provider', 'identity-provider-mfa'])
})

proves('STU-4', 'a first passkey takes a sign-in anew, the next one a factor, and then calls pass by it', async () => {
  const lying = await startLyingWorld()
  const { world, provider } = lying
  const origin = world.gatewayUrl
  const { visitor, call, path } = await startBea(lying)
  const bare = await visitor.get(`${origin}${addPath}`)
  expect(bare.text).not.toContain('name="password"')
  const nothing = await visitor.post(`${origin}${addPath}`, { form: bare.hidden('form') })
  expect([nothing.status, nothing.text.includes('data-options')]).toEqual([403, false])

  provider.says.idToken = { amr: ['pwd'], auth_time: seconds() + 1 }
  const page = await prove(lying, visitor, addPath)
  const fields = { form: page.hidden('form'), there: page.hidden('there') }
  const asked = await visitor.post(`${origin}${addPath}`, fields)
  expect(asked.status).toBe(200)
  const [, options = '{}'] = /data-options="([^"]*)"/.exec(asked.text) ?? []
  const key = createAuthenticator()
  const answer = key.register(JSON.parse(decoded(options)) as never, { origin })
  const sent = { form: asked.hidden('form'), state: asked.hidden('state'), answer: JSON.stringify(answer) }
  expect((await visitor.post(`${origin}/account/passkeys/create`, { ...sent, passkey: 'laptop' })).status).toBe(303)
  expect((await world.ledger('&event=passkey.added')).at(-1)?.principal?.name).toBe('bea')

  const second = await prove(lying, visitor, addPath)
  const refused = await visitor.post(`${origin}${addPath}`, {
    form: second.hidden('form'),
    there: second.hidden('there'),
  })
  expect([refused.status, refused.text.includes('data-options')]).toEqual([403, false])

  const waiting = await visitor.get(`${origin}${path}`)
  const challenge = await visitor.get(`${origin}/account/passkeys/proof`)
  const given = JSON.parse(challenge.text) as { readonly state: string; readonly options: never }
  const asserted = JSON.stringify(key.assert(given.options, { origin }))
  const proof = { form: waiting.hidden('form'), 'answer-is': 'prove', state: given.state, answer: asserted }
  expect((await visitor.post(`${origin}${path}`, proof)).text).toContain('<h1>Proved</h1>')
  expect(await call()).toMatchObject({ body: { result: {} } })
  expect(await call()).toMatchObject(isAsked)
  expect(world.books.calls('tools/call')).toHaveLength(1)
})

proves('KEY-3', 'an authenticator is set up after a sign-in anew, by a code of it, in that session alone', async () => {
  const lying = await startLyingWorld()
  const { world, provider } = lying
  const at = `${world.gatewayUrl}/account/authenticator`
  const { visitor, call, path } = await startBea(lying)
  const bare = await visitor.get(at)
  const nothing = await visitor.post(at, { form: bare.hidden('form'), password: '', code: '' })
  expect([nothing.status, nothing.text.includes('<svg')]).toEqual([403, false])

  provider.says.idToken = { amr: ['pwd'], auth_time: seconds() + 1 }
  const proof = await prove(lying, visitor, '/account/authenticator')
  const shown = await visitor.post(at, { form: proof.hidden('form'), there: proof.hidden('there') })
  expect(shown.status).toBe(200)
  const [, key = ''] = /Key: <code>([^<]*)<\/code>/.exec(shown.text) ?? []
  const code = () => oneTimeCode(key.replaceAll(' ', ''), world.clock.now())
  const sent = { form: shown.hidden('form'), state: shown.hidden('state') }
  const mistyped = await visitor.post(`${at}/confirm`, { ...sent, code: '000000' })
  expect([mistyped.status >= 400, mistyped.text.includes(key)]).toEqual([true, true])

  const mallory = createVisitor()
  provider.says.idToken = { sub: 'subject of mallory', preferred_username: 'mallory' }
  await lying.signIn(mallory)
  const form = decoded((await mallory.get(at)).hidden('form'))
  expect((await mallory.post(`${at}/confirm`, { ...sent, form, code: code() })).status).toBe(403)

  const again = { form: mistyped.hidden('form'), state: sent.state, code: code() }
  const both = await Promise.all([1, 2].map(() => visitor.post(`${at}/confirm`, again)))
  const made = both.filter(({ text }) => text.includes('Your authenticator is set up'))
  expect(made).toHaveLength(1)
  expect(made[0]?.text.match(/<li><code>/g)).toHaveLength(10)
  expect((await world.ledger('&event=authenticator.added')).map(({ principal }) => principal?.name)).toEqual(['bea'])

  const waiting = await visitor.get(`${world.gatewayUrl}${path}`)
  expect(waiting.text).not.toContain('name="password"')
  const fields = { form: waiting.hidden('form'), 'answer-is': 'prove' }
  expect((await visitor.post(`${world.gatewayUrl}${path}`, { ...fields, code: again.code })).status).toBe(403)
  world.clock.advance(30_000)
  const proved = await visitor.post(`${world.gatewayUrl}${path}`, { ...fields, code: code() })
  expect(proved.text).toContain('<h1>Proved</h1>')
  expect(await call()).toMatchObject({ body: { result: {} } })
  expect(await call()).toMatchObject(isAsked)
  expect(world.books.calls('tools/call')).toHaveLength(1)

  // An invitation brings a password, and an authenticator that takes the place of this one.
  const invited = await world.ana.api('POST', '/people', { name: 'bea', roles: [] })
  const bea = await enrol(world, String(invited.body['token']), 'bea')
  const other = linkIn(await call())
  const page = await visitor.get(`${world.gatewayUrl}${other}`)
  const typed = { form: page.hidden('form'), 'answer-is': 'prove', password: bea.password }
  world.clock.advance(30_000)
  expect((await visitor.post(`${world.gatewayUrl}${other}`, { ...typed, code: code() })).status).toBe(403)
  const right = { ...typed, code: bea.nextCode() }
  expect((await visitor.post(`${world.gatewayUrl}${other}`, right)).text).toContain('<h1>Proved</h1>')
})

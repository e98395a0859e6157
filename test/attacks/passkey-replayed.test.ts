/**
 * Mallory has recorded what Ben's browser sent when he signed in with a passkey. She sends it again: at once, many times at
 * the same time, at two gateways, from a browser of her own, and for a challenge that was given to herself.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld, type World } from '../world/castellan.ts'
import { createAuthenticator } from '../world/keys/authenticator.ts'
import { addPasskey, askSignIn, signInFields } from '../world/keys/use-passkeys.ts'
import { createPageClient, type PageAnswer } from '../world/pages/page-client.ts'

async function benWithPasskey(world: World) {
  const origin = world.gatewayUrl
  const ben = await world.join('ben', [reader])
  const browser = createPageClient(origin)
  await browser.signIn(ben)
  const key = createAuthenticator()
  expect((await addPasskey(browser, ben, key, origin)).headers.location).toContain('passkey-added')
  browser.cookies.clear()
  return { browser, key, origin }
}

/** Whether an answer has a session for whoever sent the request. */
function hasSession({ headers }: PageAnswer): boolean {
  return (headers['set-cookie'] ?? []).some((cookie) => cookie.includes('=css_'))
}

proves(
  'KEY-1',
  'what was sent for one challenge opens one session, for the browser that had asked, and nobody else',
  async () => {
    const world = await startWorld({ database: 'postgres' })
    const second = await world.secondNode()
    const { browser, key, origin } = await benWithPasskey(world)
    const reached = world.books.arrived.length
    const { state, options } = await askSignIn(browser)
    const fields = await signInFields(browser, state, key.assert(options, { origin }))

    const atOnce = await Promise.all(Array.from({ length: 16 }, () => browser.request('/sign-in/passkey', { fields })))
    expect(atOnce.filter(hasSession)).toHaveLength(1)
    const again = await browser.request('/sign-in/passkey', { fields })
    // WHY: if the winner came among the last, those before it have slowed the name down, and the answer is 429.
    expect([401, 429]).toContain(again.status)
    expect(hasSession(again)).toBe(false)

    world.clock.advance(30 * 60_000)
    const mallory = createPageClient(origin)
    const elsewhere = createPageClient(second.gatewayUrl)
    const fresh = await askSignIn(browser)
    const answer = key.assert(fresh.options, { origin })
    for (const thief of [mallory, elsewhere]) {
      const stolen = await thief.request('/sign-in/passkey', { fields: await signInFields(thief, fresh.state, answer) })
      expect([stolen.status, hasSession(stolen)]).toEqual([401, false])
    }
    const own = await askSignIn(mallory)
    const crossed = await mallory.request('/sign-in/passkey', {
      fields: await signInFields(mallory, own.state, answer),
    })
    expect([crossed.status, hasSession(crossed)]).toEqual([401, false])

    expect(world.books.arrived).toHaveLength(reached)
    await world.ana.signIn()
    const refused = await world.ledger('&event=sign-in.refused')
    const reasons = refused.map(({ details, refusal }) => details?.['reason'] ?? refusal)
    const expected = ['challenge-used', 'identity.sign-in-throttled']
    expect(reasons.slice(0, 16).filter((reason) => !expected.some((one) => one === reason))).toEqual([])
    // WHY: the second gateway has a ledger of its own.
    expect(reasons.slice(16)).toEqual(['challenge-of-another-browser', 'wrong-challenge'])
  },
  60_000,
)

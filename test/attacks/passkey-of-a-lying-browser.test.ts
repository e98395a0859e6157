/**
 * Ben's authenticator is used on a page of Mallory's, in a frame of hers, for a domain of hers, or by whoever found his
 * phone unlocked. Later she has a copy of its key.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { createAuthenticator } from '../world/keys/authenticator.ts'
import { addPasskey, signInWithPasskey } from '../world/keys/use-passkeys.ts'
import { createPageClient } from '../world/pages/page-client.ts'

const lies = [
  [{ origin: 'https://castellan.example' }, 'wrong-origin'],
  [{ domain: 'castellan.example' }, 'wrong-domain'],
  [{ isInFrame: true }, 'in-a-frame'],
  [{ isVerified: false }, 'person-not-verified'],
  [{ userHandle: 'bWFsbG9yeQ' }, 'handle-of-another-person'],
] as const

proves(
  'KEY-2',
  'a passkey counts from our own page, with its person verified, and from one authenticator',
  async () => {
    const world = await startWorld()
    const origin = world.gatewayUrl
    const ben = await world.join('ben', [reader])
    const reached = world.books.arrived.length
    const browser = createPageClient(origin)
    await browser.signIn(ben)
    const key = createAuthenticator()
    await addPasskey(browser, ben, key, origin)
    const copy = key.clone()

    const told = new Set<string>()
    for (const [lie] of lies) {
      world.clock.advance(30 * 60_000)
      const answer = await signInWithPasskey(createPageClient(origin), key, { origin, ...lie })
      expect(answer.status).toBe(401)
      told.add(answer.text.replaceAll(/value="[^"]*"/g, ''))
    }
    expect(told.size).toBe(1)
    const unknown = await signInWithPasskey(createPageClient(origin), createAuthenticator(), {
      origin,
      userHandle: 'AAAA',
    })
    expect([...told]).toContain(unknown.text.replaceAll(/value="[^"]*"/g, ''))

    expect((await signInWithPasskey(createPageClient(origin), key, { origin })).status).toBe(303)
    expect((await signInWithPasskey(createPageClient(origin), copy, { origin })).status).toBe(401)

    expect(world.books.arrived).toHaveLength(reached)
    await world.ana.signIn()
    const reasons = (await world.ledger('&event=sign-in.refused')).map(({ details }) => details?.['reason'])
    expect(reasons).toEqual([...lies.map(([, reason]) => reason), 'unknown-passkey', 'counter-went-back'])
    expect(await world.ledger('&event=passkey.counter-went-back')).toHaveLength(1)
  },
  60_000,
)

/**
 * Mallory has stolen a session of Ben's: the token of the command line, or the cookie of his browser. She wants to stay, by
 * adding a passkey of her own, or by taking his away; his password and codes she does not have.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { reader, startWorld } from '../world/castellan.ts'
import { createAuthenticator } from '../world/keys/authenticator.ts'
import { addPasskey, beginAdding } from '../world/keys/use-passkeys.ts'
import { createPageClient } from '../world/pages/page-client.ts'

proves(
  'KEY-3',
  'a stolen session adds, renames and removes nothing that its person signs in with',
  async () => {
    const world = await startWorld()
    const origin = world.gatewayUrl
    const ben = await world.join('ben', [reader])
    const reached = world.books.arrived.length
    const browser = createPageClient(origin)
    await browser.signIn(ben)
    await addPasskey(browser, ben, createAuthenticator(), origin)
    const { body } = await ben.api('GET', '/me/passkeys')
    const [{ id = '' } = {}] = body['items'] as { id: string }[]
    const guess = { password: 'a guess', code: '000000' }

    const page = await beginAdding(browser, guess)
    expect(page.status).toBe(403)
    expect(page.text).not.toContain('data-options')
    const key = createAuthenticator()
    const asked = (await ben.api('POST', '/me/passkeys/proof', {})).body
    const notAdded = key.register(
      { ...(asked['options'] as object), rp: { id: 'localhost' }, user: { id: 'AAAA' } },
      { origin },
    )
    const tries = [
      ben.api('POST', '/me/passkeys/begin', { proof: guess }),
      ben.api('POST', '/me/passkeys/begin', {
        proof: { state: asked['state'], answer: key.assert(asked['options'], { origin }) },
      }),
      ben.api('POST', '/me/passkeys', { state: asked['state'], answer: notAdded, name: 'mine' }),
      ben.api('POST', `/me/passkeys/${id}/remove`, { proof: guess }),
      ben.api('POST', `/me/passkeys/${id}/rename`, { proof: guess, name: 'mine' }),
    ]
    const statuses = (await Promise.all(tries)).map(({ status }) => status)
    expect(statuses).toEqual([403, 403, 401, 403, 403])
    for (const status of [403, 429]) {
      expect((await ben.api('POST', '/me/passkeys/begin', { proof: guess })).status).toBe(status)
    }

    const left = (await ben.api('GET', '/me/passkeys')).body['items']
    expect(left).toMatchObject([{ id, name: 'laptop' }])
    expect(world.books.arrived).toHaveLength(reached)
    const refused = await world.ledger('&event=person.change-refused&person=ben')
    expect(refused.length).toBe(8)
  },
  60_000,
)

/**
 * Mallory can name a group of her own at the provider, or a claim: she writes other groups' names into it, role names,
 * and names that objects of the program have by themselves.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startLyingWorld } from '../world/identity-provider/lying-world.ts'

const roles = { rulers: ['admin'], readers: ['books-reader'] }

proves(
  'FED-6',
  'a group gives the roles that are mapped to exactly its name, and nothing else gives any',
  async () => {
    const { provider, signIn, world } = await startLyingWorld({ roles })
    const claims = [
      { groups: ['readers,rulers'] },
      { groups: 'readers rulers' },
      { groups: '["rulers"]' },
      { groups: ['Rulers', ' rulers', 'rulers\n', 'rulers\u0000', 'ｒulers'] },
      { groups: ['admin', 'books-reader', '*'] },
      { groups: ['__proto__', 'constructor', 'toString', 'hasOwnProperty'] },
      { groups: { rulers: true } },
      { groups: [['rulers'], { name: 'rulers' }, null, 7] },
      { groups: Array.from({ length: 2_001 }, () => 'rulers') },
      { 'groups.rulers': true, roles: ['admin'], role: 'admin' },
    ]
    for (const [at, claim] of claims.entries()) {
      provider.says.idToken = { sub: `s${at}`, preferred_username: `mallory${at}`, ...claim }
      provider.says.userInfo = { sub: `s${at}` }
      expect((await signIn()).status).toBe(303)
      const made = (await world.ledger('&event=person.provisioned')).at(-1)
      expect([JSON.stringify(claim).slice(0, 80), made?.details?.['added']]).toEqual([
        JSON.stringify(claim).slice(0, 80),
        [],
      ])
    }
    provider.says.idToken = { sub: 'ben', preferred_username: 'ben', groups: ['readers', 'unknown'] }
    await signIn()
    expect((await world.ledger('&event=person.provisioned')).at(-1)?.details?.['added']).toEqual(['books-reader'])
  },
  60_000,
)

proves(
  'FED-6',
  'no one adds a provider that gives roles beyond their own, or links themselves to somebody with more',
  async () => {
    const { provider, world } = await startLyingWorld()
    const grants = [{ permissions: ['config:write', 'people:write', 'roles:write'], resources: ['castellan'] }]
    await world.ana.api('PUT', '/roles/helper', { description: 'helps', grants })
    const mallory = await world.join('mallory', ['helper'])
    const { issuer, clientId } = provider
    const body = { name: 'hers', issuer: 'https://mallory.test', clientId, settings: { roles: { all: ['admin'] } } }
    expect((await mallory.api('POST', '/providers', body)).status).toBe(403)
    expect((await mallory.api('POST', '/providers/lies/links', { person: 'ana', subject: 'mallory' })).status).toBe(403)
    const listed = (await world.ana.api('GET', '/providers')).body['items'] as { name: string; issuer: string }[]
    expect(listed.map((one) => [one.name, one.issuer])).toEqual([['lies', issuer]])
    expect(JSON.stringify(listed)).not.toContain(provider.clientSecret)
    expect((await world.ana.api('GET', '/providers/lies/links')).body['items']).toEqual([])
  },
)

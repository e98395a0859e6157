/**
 * Mallory sits between Castellan and the provider, or runs another client there: she signs ID tokens with her own key or
 * none, and passes on tokens for other clients, of other issuers, from other sign-ins and from yesterday.
 */
import { expect } from 'vitest'
import { proves } from '../proves.ts'
import { startLyingWorld } from '../world/identity-provider/lying-world.ts'
import { createVisitor } from '../world/identity-provider/visitor.ts'

const now = () => Math.floor(Date.now() / 1000)
const unsigned = (claims: object) =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`

proves(
  'FED-3',
  'an ID token counts only when the issuer signed it, for this client, this sign-in and this moment',
  async () => {
    const { provider, begin, who, lastRefused, world } = await startLyingWorld()
    const right = { ...provider.says }
    const whole = { iss: provider.issuer, aud: 'castellan', sub: 'subject', iat: now(), exp: now() + 600 }
    const forged: Record<string, Partial<typeof right>> = {
      'a foreign key': { key: provider.foreignKey },
      'a foreign key with its own id': { key: provider.foreignKey, header: { alg: 'RS256', kid: 'two' } },
      'another issuer': { idToken: { iss: 'https://elsewhere.test' } },
      'another client': { idToken: { aud: 'another' } },
      'several clients, made for another': { idToken: { aud: ['castellan', 'another'], azp: 'another' } },
      'no nonce': { idToken: { nonce: undefined } },
      'another nonce': { idToken: { nonce: 'x'.repeat(43) } },
      'an end that has come': { idToken: { exp: now() - 3_600 } },
      'no end': { idToken: { exp: undefined } },
      'no subject': { idToken: { sub: undefined } },
      'a subject that is no text': { idToken: { sub: 7 } },
      'a subject without end': { idToken: { sub: 'x'.repeat(256) } },
      'no ID token': { token: { id_token: undefined } },
      'no signature': { token: { id_token: unsigned(whole) } },
      'another algorithm': { token: { id_token: `${'e30'}.e30.e30` } },
    }
    for (const [what, says] of Object.entries(forged)) {
      Object.assign(provider.says, right, says)
      const visitor = createVisitor()
      const answer = await visitor.get(provider.back((await begin(visitor)).location))
      expect([what, answer.status]).toEqual([what, 403])
      expect(answer.text, what).toContain('was not accepted')
      expect(await who(visitor), what).toBeUndefined()
      const refused = await lastRefused()
      expect(refused?.refusal, what).toBe('identity.provider-sign-in-refused')
      expect(JSON.stringify(refused), what).not.toContain('an-access-token')
    }
    expect(await world.ledger('&event=person.provisioned')).toEqual([])
    Object.assign(provider.says, right)
    const visitor = createVisitor()
    expect((await visitor.get(provider.back((await begin(visitor)).location))).status).toBe(303)
  },
)

proves(
  'FED-8',
  'a second factor is what the signed token shows of one: missing, odd and unsigned are none',
  async () => {
    const { provider, begin, lastRefused } = await startLyingWorld({
      requireMfa: true,
      mfa: { amr: ['mfa'], acr: ['high'] },
    })
    const weak = [
      { amr: undefined },
      { amr: 'mfa' },
      { amr: ['pwd'] },
      { amr: [['mfa']] },
      { amr: undefined, acr: 'low' },
      { amr: undefined, acr: ['high'] },
    ]
    provider.says.userInfo = { amr: ['mfa'], acr: 'high' }
    for (const claims of weak) {
      provider.says.idToken = claims
      const visitor = createVisitor()
      const answer = await visitor.get(provider.back((await begin(visitor)).location))
      expect([JSON.stringify(claims), answer.status]).toEqual([JSON.stringify(claims), 403])
      expect((await lastRefused())?.refusal).toBe('identity.second-factor-missing')
    }
    provider.says.idToken = { amr: undefined, acr: 'high' }
    const visitor = createVisitor()
    expect((await visitor.get(provider.back((await begin(visitor)).location))).status).toBe(303)
  },
)

proves(
  'FED-8',
  'a suspended person does not come in by a provider, and their session there ends',
  async () => {
    const { provider, signIn, who, world, lastRefused } = await startLyingWorld()
    provider.says.idToken = { preferred_username: 'ben' }
    const visitor = createVisitor()
    expect((await signIn(visitor)).status).toBe(303)
    expect(await who(visitor)).toBeDefined()
    expect((await world.ana.api('POST', '/people/ben/suspend')).status).toBe(200)
    expect(await who(visitor)).toBeUndefined()
    expect((await signIn()).status).toBe(401)
    expect((await lastRefused())?.details).toMatchObject({ provider: 'lies', reason: 'suspended' })
  },
  60_000,
)

import { expect, test } from 'vitest'
import { isRefusal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import {
  given,
  home,
  identityWorld,
  type EnrolledPerson,
  type IdentityWorld,
  refusalOf,
} from '../../../test/world/identity.ts'
import { type Algorithm, type Authenticator, createAuthenticator } from '../../../test/world/keys/authenticator.ts'

const binding = 'browser of ada'

async function register(world: IdentityWorld, person: EnrolledPerson, key: Authenticator, name = 'laptop') {
  const { principal } = await world.signIn(person)
  const proof = { password: person.password, code: person.nextCode() }
  const asked = given(await world.identity.passkeys.beginRegistration({ principal, proof, binding, address: home }))
  const answer = key.register(asked.options)
  const added = given(await world.identity.passkeys.register({ principal, state: asked.state, answer, name, binding }))
  return { principal, added, asked }
}

function signIn(world: IdentityWorld, key: Authenticator, lies = {}, node = world.identity) {
  const { state, options } = world.identity.passkeys.beginSignIn(binding)
  return node.passkeys.signIn({ state, answer: key.assert(options, lies), binding, address: home, agent: 'a browser' })
}

async function reasons(world: IdentityWorld, event = 'sign-in.refused') {
  const entries = await world.entries()
  return entries.filter((entry) => entry.event === event).map((entry) => entry.details?.['reason'])
}

eachDatabase('a passkey', (open, openAgain) => {
  test.each(['ES256', 'EdDSA', 'RS256'] as const)(
    'of %s signs its person in without a name or password',
    async (alg) => {
      const world = await identityWorld(await open())
      const ada = await world.admin()
      const key = createAuthenticator(alg)
      const { added, asked, principal } = await register(world, ada, key)
      expect(asked.options).toMatchObject({
        rp: { id: 'localhost' },
        attestation: 'none',
        excludeCredentials: [],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        pubKeyCredParams: [{ alg: -7 }, { alg: -8 }, { alg: -257 }],
      })
      expect(Buffer.from(key.userHandle(), 'base64url')).toHaveLength(32)
      const signedIn = given(await signIn(world, key))
      expect(signedIn.principal).toMatchObject({ name: 'ada', roles: ['admin'], factors: ['passkey'] })
      expect(await world.identity.passkeys.list(principal.id)).toMatchObject([
        { id: added.id, name: 'laptop', isSyncable: false, lastUsedAt: world.clock.now() },
      ])
      const started = (await world.entries()).filter((entry) => entry.event === 'session.started').at(-1)
      expect(started?.details).toMatchObject({ factors: ['passkey'], passkey: added.id })
      expect((await world.identity.people.find('ada'))?.hasSecondFactor).toBe(true)
      const minted = await world.identity.tokens.mint({
        principal: signedIn.principal,
        label: 'x',
        resource: 'http://localhost:8090/mcp',
        ttlSeconds: 60,
      })
      expect(isRefusal(minted)).toBe(false)
    },
  )

  test('is one of several, each with a name; none is registered twice, and the handle stays', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const [one, other] = [createAuthenticator(), createAuthenticator()]
    const first = await register(world, ada, one, 'laptop')
    const second = await register(world, ada, other, 'phone')
    expect(other.userHandle()).toBe(one.userHandle())
    expect(second.asked.options['excludeCredentials']).toMatchObject([
      { id: one.credentialId, transports: ['internal'] },
    ])
    const listed = await world.identity.passkeys.list(first.principal.id)
    expect(listed.map(({ name }) => name)).toEqual(['laptop', 'phone'])
    const ben = await world.person('ben')
    await expect(register(world, ben, one)).rejects.toThrow('identity.passkey-known')
  })

  test('is renamed and removed after a fresh proof, by password and code or by a passkey, and never as the last factor', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const key = createAuthenticator()
    const { principal, added } = await register(world, ada, key)
    const { passkeys } = world.identity
    const other = given(await signIn(world, key))
    const asked = await passkeys.beginProof({ principal, binding })
    expect(asked.options['allowCredentials']).toMatchObject([{ id: key.credentialId }])
    const proof = { state: asked.state, answer: key.assert(asked.options) }
    expect(given(await passkeys.rename({ principal, id: added.id, proof, binding, name: 'work laptop' })).name).toBe(
      'work laptop',
    )
    const again = await passkeys.rename({ principal, id: added.id, proof, binding, name: 'x' })
    expect(refusalOf(again)).toBe('identity.proof-refused')
    const stolen = { principal, id: added.id, binding, proof: { password: 'not it', code: '000000' } }
    expect(refusalOf(await passkeys.remove(stolen))).toBe('identity.proof-refused')

    await world.database.query.deleteFrom('second_factors').execute()
    const withKey = async () => {
      const fresh = await passkeys.beginProof({ principal, binding })
      return { state: fresh.state, answer: key.assert(fresh.options) }
    }
    const last = await passkeys.remove({ principal, id: added.id, binding, proof: await withKey() })
    expect(refusalOf(last)).toBe('identity.last-factor')
    const second = createAuthenticator()
    const begun = given(await passkeys.beginRegistration({ principal, binding, proof: await withKey() }))
    const answer = second.register(begun.options)
    given(await passkeys.register({ principal, binding, state: begun.state, answer, name: 'ring' }))
    given(await passkeys.remove({ principal, id: added.id, binding, proof: await withKey() }))
    expect(refusalOf(await signIn(world, key))).toBe('identity.passkey-refused')
    expect(refusalOf(await world.identity.authenticateSession(other.token))).toBe('identity.session-invalid')
    const told = (await world.identity.notices.list(principal.id)).map(({ kind }) => kind)
    expect(told).toEqual(expect.arrayContaining(['passkey-added', 'passkey-renamed', 'passkey-removed']))
  })

  test('is not accepted for a challenge that was used, is old, of another browser, person or purpose', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const key = createAuthenticator()
    const { principal } = await register(world, ada, key)
    const { passkeys } = world.identity
    const begun = passkeys.beginSignIn(binding)
    const request = { state: begun.state, answer: key.assert(begun.options), binding, address: home }
    given(await passkeys.signIn(request))
    expect(refusalOf(await passkeys.signIn(request))).toBe('identity.passkey-refused')
    const late = passkeys.beginSignIn(binding)
    world.clock.advance(5 * 60_000)
    const tooLate = { state: late.state, answer: key.assert(late.options), binding, address: home }
    expect(refusalOf(await passkeys.signIn(tooLate))).toBe('identity.passkey-refused')
    const elsewhere = passkeys.beginSignIn('another browser')
    const moved = { state: elsewhere.state, answer: key.assert(elsewhere.options), binding, address: home }
    expect(refusalOf(await passkeys.signIn(moved))).toBe('identity.passkey-refused')
    const proof = await passkeys.beginProof({ principal, binding })
    const used = { state: proof.state, answer: key.assert(proof.options), binding, address: home }
    expect(refusalOf(await passkeys.signIn(used))).toBe('identity.passkey-refused')
    expect(refusalOf(await passkeys.signIn({ ...used, state: 'made up' }))).toBe('identity.passkey-refused')
    expect(await reasons(world)).toEqual([
      'challenge-used',
      'challenge-expired',
      'challenge-of-another-browser',
      'challenge-for-another-purpose',
      'challenge-unknown',
    ])
  })

  test('is accepted up to the last millisecond of five minutes', async () => {
    const world = await identityWorld(await open())
    const key = createAuthenticator()
    await register(world, await world.admin(), key)
    const begun = world.identity.passkeys.beginSignIn(binding)
    world.clock.advance(5 * 60_000 - 1)
    const request = { state: begun.state, answer: key.assert(begun.options), binding, address: home }
    given(await world.identity.passkeys.signIn(request))
  })

  test('answers one challenge once, of any number at the same time on two nodes', async () => {
    const database = await open()
    const world = await identityWorld(database)
    const nodes = [world.identity, world.another(await openAgain(database))]
    const key = createAuthenticator('ES256', false)
    await register(world, await world.admin(), key)
    const begun = world.identity.passkeys.beginSignIn(binding)
    const request = { state: begun.state, answer: key.assert(begun.options), binding, address: home }
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => (nodes[at % 2] ?? world.identity).passkeys.signIn(request)),
    )
    expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(1)
  })

  test('with a counter that goes back is refused, told to its person and in the ledger', async () => {
    const world = await identityWorld(await open())
    const key = createAuthenticator()
    const { principal, added } = await register(world, await world.admin(), key)
    const copy = key.clone()
    given(await signIn(world, key))
    given(await signIn(world, key))
    expect(refusalOf(await signIn(world, copy))).toBe('identity.passkey-refused')
    expect(refusalOf(await signIn(world, copy, { counter: 0 }))).toBe('identity.passkey-refused')
    given(await signIn(world, key))
    expect(await reasons(world)).toEqual(['counter-went-back', 'counter-went-back'])
    const cloned = (await world.entries()).filter((entry) => entry.event === 'passkey.counter-went-back')
    expect(cloned.map((entry) => entry.details?.['passkey'])).toEqual([added.id, added.id])
    const notices = await world.identity.notices.list(principal.id)
    expect(notices.filter(({ kind }) => kind === 'passkey-cloned')).toHaveLength(2)
  })

  test('is refused from another page or domain, in a frame, without its person verified, for another handle', async () => {
    const world = await identityWorld(await open())
    const key = createAuthenticator()
    await register(world, await world.admin(), key)
    const lies = [
      { origin: 'https://evil.example' },
      { domain: 'evil.example' },
      { isInFrame: true },
      { isVerified: false },
      { challenge: 'AAAA' },
      { userHandle: 'AAAA' },
    ]
    for (const lie of lies) {
      expect(refusalOf(await signIn(world, key, lie))).toBe('identity.passkey-refused')
      world.clock.advance(20 * 60_000)
    }
    expect(refusalOf(await signIn(world, createAuthenticator()))).toBe('identity.passkey-refused')
    expect(await reasons(world)).toEqual([
      'wrong-origin',
      'wrong-domain',
      'in-a-frame',
      'person-not-verified',
      'wrong-challenge',
      'handle-of-another-person',
      'unknown-passkey',
    ])
  })

  test.each([
    ['of another algorithm', 'ES384' as Algorithm, {}, 'algorithm-not-allowed'],
    ['without its person verified', 'ES256' as Algorithm, { isVerified: false }, 'person-not-verified'],
    ['made on another page', 'ES256' as Algorithm, { origin: 'https://evil.example' }, 'wrong-origin'],
    ['made for another domain', 'ES256' as Algorithm, { domain: 'evil.example' }, 'wrong-domain'],
  ])('%s is not registered', async (_what, algorithm, lies, reason) => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const { principal } = await world.signIn(ada)
    const proof = { password: ada.password, code: ada.nextCode() }
    const { passkeys } = world.identity
    const asked = given(await passkeys.beginRegistration({ principal, proof, binding }))
    const answer = createAuthenticator(algorithm).register(asked.options, lies)
    const refused = await passkeys.register({ principal, state: asked.state, answer, name: 'x', binding })
    expect(refusalOf(refused)).toBe('identity.passkey-refused')
    expect(await reasons(world, 'person.change-refused')).toEqual([reason])
    expect(await passkeys.list(principal.id)).toEqual([])
  })

  test('is a second factor: a password alone lets nobody in who has one, also where that is enough for others', async () => {
    const world = await identityWorld(await open(), { secondFactor: 'optional' })
    const ada = await world.admin()
    await register(world, ada, createAuthenticator())
    await world.database.query.deleteFrom('second_factors').execute()
    const request = { name: 'ada', password: ada.password, address: home }
    expect(refusalOf(await world.identity.signIn(request))).toBe('identity.sign-in-refused')
    await world.database.query.deleteFrom('passkeys').execute()
    given(await world.identity.signIn(request))
  })

  test('of a suspended person opens nothing', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const ben = await world.person('ben')
    const key = createAuthenticator()
    const { principal } = await register(world, ben, key)
    given(await world.identity.people.suspend(principal.id, (await world.signIn(ada)).principal))
    expect(refusalOf(await signIn(world, key))).toBe('identity.sign-in-refused')
  })
})

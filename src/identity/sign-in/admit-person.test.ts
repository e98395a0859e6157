import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, home, identityWorld, refusalOf } from '../../../test/world/identity.ts'
import { createAuthenticator } from '../../../test/world/keys/authenticator.ts'

eachDatabase('a person who was admitted', (open) => {
  test('has as many sessions as allowed; one more ends the oldest, which is on record', async () => {
    const world = await identityWorld(await open(), { sessionsPerPerson: 2 })
    const ada = await world.admin()
    const first = await world.signIn(ada)
    const second = await world.signIn(ada)
    given(await world.identity.authenticateSession(first.token))
    const third = await world.signIn(ada)
    expect(refusalOf(await world.identity.authenticateSession(first.token))).toBe('identity.session-invalid')
    for (const { token } of [second, third]) given(await world.identity.authenticateSession(token))
    const started = (await world.entries()).filter(({ event }) => event === 'session.started')
    expect(started.map(({ details }) => details?.['endedSessions'])).toEqual([undefined, undefined, 1])
  })

  test('is told of a sign-in from another network or program, and not of the first or of an update', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const signIn = async (address: string, agent: string) =>
      given(await world.identity.signIn({ name: 'ada', password: ada.password, code: ada.nextCode(), address, agent }))
    const { principal } = await signIn(home, 'Firefox/140.0')
    await signIn(home, 'Firefox/141.0.2')
    expect(await world.identity.notices.list(principal.id)).toEqual([])
    await signIn('198.51.100.7', 'Firefox/141.0.2')
    await signIn(home, 'curl/8')
    const notices = await world.identity.notices.list(principal.id)
    expect(notices.map(({ kind, details, isRead }) => [kind, details['address'], isRead])).toEqual([
      ['sign-in-from-elsewhere', home, false],
      ['sign-in-from-elsewhere', '198.51.100.7', false],
    ])
    await world.identity.notices.markRead(principal.id)
    expect((await world.identity.notices.list(principal.id)).every(({ isRead }) => isRead)).toBe(true)
  })

  test('and is an administrator can do nothing but register a passkey, where one is needed', async () => {
    const world = await identityWorld(await open(), { administratorsNeedPasskey: true })
    const ada = await world.admin()
    const { token } = await world.signIn(ada)
    expect(refusalOf(await world.identity.authenticateSession(token, { address: home }))).toBe(
      'identity.passkey-needed',
    )
    const context = { address: home, isRegistering: true }
    const principal = given(await world.identity.authenticateSession(token, context))
    const proof = { password: ada.password, code: ada.nextCode() }
    const { passkeys } = world.identity
    const asked = given(await passkeys.beginRegistration({ principal, proof, binding: 'b' }))
    const key = createAuthenticator()
    const answer = key.register(asked.options)
    const added = given(await passkeys.register({ principal, binding: 'b', name: 'ring', answer, state: asked.state }))
    given(await world.identity.authenticateSession(token, { address: home }))
    const last = { principal, binding: 'b', id: added.id, proof: { password: ada.password, code: ada.nextCode() } }
    expect(refusalOf(await passkeys.remove(last))).toBe('identity.last-factor')
    const ben = await world.signIn(await world.person('ben'))
    given(await world.identity.authenticateSession(ben.token, { address: home }))
  })

  test('loses a factor to an administrator, with all sessions, and never as the last administrator', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const by = (await world.signIn(ada)).principal
    const ben = await world.person('ben')
    const { token, principal } = await world.signIn(ben)
    const { factors } = world.identity
    const listed = await factors.list(principal.id)
    expect(listed.map(({ kind, name }) => [kind, name])).toEqual([
      ['password', 'password'],
      ['totp', 'authenticator app'],
      ['recovery-codes', '10 left'],
    ])
    const totp = listed[1]?.id ?? ''
    expect(refusalOf(await factors.revoke({ personId: principal.id, id: 'password', by }))).toBe(
      'identity.factor-unknown',
    )
    given(await factors.revoke({ personId: principal.id, id: totp, by }))
    expect(refusalOf(await world.identity.authenticateSession(token))).toBe('identity.session-invalid')
    const request = { name: 'ben', password: ben.password, address: home }
    expect(refusalOf(await world.identity.signIn({ ...request, code: ben.nextCode() }))).toBe(
      'identity.sign-in-refused',
    )
    given(await world.identity.signIn({ ...request, code: ben.recoveryCodes[0] ?? '' }))
    const told = (await world.identity.notices.list(principal.id)).map(({ kind }) => kind)
    expect(told).toEqual(expect.arrayContaining(['factor-revoked', 'recovery-code-used']))
    const own = (await factors.list(by.id)).find(({ kind }) => kind === 'totp')?.id ?? ''
    expect(refusalOf(await factors.revoke({ personId: by.id, id: own, by: principal }))).toBe('identity.last-admin')
  })
})

import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, home, identityWorld, refusalOf } from '../../../test/world/identity.ts'

const next = 'another gate and a moat'

eachDatabase('a person who is signed in', (open) => {
  test('changes the password with the present one and a code; other sessions end, tokens if asked', async () => {
    const world = await identityWorld(await open())
    const { people, tokens, authenticateSession } = world.identity
    const ada = await world.admin()
    const other = await world.signIn(ada)
    const { token, principal } = await world.signIn(ada)
    given(await tokens.mint({ principal, label: 'x', resource: 'http://localhost/x', ttlSeconds: 60 }))
    const code = ada.nextCode()
    const request = { principal, current: ada.password, next, code, address: home }
    expect(given(await people.changePassword(request))).toEqual({ endedSessions: 1, revokedTokens: 0 })
    expect(refusalOf(await authenticateSession(other.token))).toBe('identity.session-invalid')
    expect(isRefusal(await authenticateSession(token))).toBe(false)
    expect(refusalOf(await world.identity.signIn({ ...ada, code: ada.nextCode(), address: home }))).toBe(
      'identity.sign-in-refused',
    )
    given(await world.identity.signIn({ ...ada, password: next, code: ada.nextCode(), address: home }))
    const again = { ...request, current: next, next: ada.password, code: ada.nextCode(), isRevokingTokens: true }
    expect(given(await people.changePassword(again))).toEqual({ endedSessions: 1, revokedTokens: 1 })
    const entry = (await world.entries()).at(-1)
    expect(entry).toMatchObject({ event: 'person.password-changed', principal: { name: 'ada' }, address: home })
    expect(JSON.stringify(await world.entries())).not.toContain(next)
  })

  test('changes nothing with a wrong password, a used code, a common new password or from an ended session', async () => {
    const world = await identityWorld(await open())
    const { people, sessions } = world.identity
    const ada = await world.admin()
    const { principal } = await world.signIn(ada)
    const used = ada.code()
    const right = { principal, current: ada.password, next, code: ada.nextCode() }
    const refused = [
      [{ ...right, current: 'wrong' }, 'identity.proof-refused'],
      [{ ...right, code: used }, 'identity.proof-refused'],
      [{ ...right, code: undefined }, 'identity.proof-refused'],
      [{ ...right, next: 'password1' }, 'identity.password-common'],
    ] as const
    for (const [request, code] of refused) expect(refusalOf(await people.changePassword(request))).toBe(code)
    given(await sessions.end(principal.credential.id, principal, 'signed out'))
    expect(refusalOf(await people.changePassword(right))).toBe('identity.session-invalid')
    expect((await world.entries()).filter((entry) => entry.event === 'person.change-refused')).toHaveLength(5)
    expect(isRefusal(await world.identity.signIn({ ...ada, code: ada.nextCode(), address: home }))).toBe(false)
  })

  test('is stopped after five wrong guesses, and can still sign in', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const { principal } = await world.signIn(ada)
    const guess = () => world.identity.people.changePassword({ principal, current: 'wrong', next, code: '123456' })
    for (let attempt = 0; attempt < 5; attempt++) expect(refusalOf(await guess())).toBe('identity.proof-refused')
    expect(refusalOf(await guess())).toBe('identity.sign-in-throttled')
    expect(isRefusal(await world.identity.signIn({ ...ada, code: ada.nextCode(), address: home }))).toBe(false)
  })

  test('replaces the recovery codes; the old ones are worth nothing', async () => {
    const world = await identityWorld(await open())
    const { people, signIn } = world.identity
    const ada = await world.admin()
    const { principal } = await world.signIn(ada)
    const [first = '', second = ''] = ada.recoveryCodes
    const { recoveryCodes } = given(await people.resetRecoveryCodes({ principal, password: ada.password, code: first }))
    expect(new Set([...recoveryCodes, ...ada.recoveryCodes]).size).toBe(20)
    expect(refusalOf(await signIn({ ...ada, code: second, address: home }))).toBe('identity.sign-in-refused')
    given(await signIn({ ...ada, code: recoveryCodes[0], address: home }))
    const wrong = { principal, password: 'wrong', code: ada.nextCode() }
    expect(refusalOf(await people.resetRecoveryCodes(wrong))).toBe('identity.proof-refused')
    expect((await people.find('ada'))?.recoveryCodesLeft).toBe(9)
  })
})

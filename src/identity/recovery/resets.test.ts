import { expect, test } from 'vitest'
import { isRefusal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, home, identityWorld, type IdentityWorld, refusalOf } from '../../../test/world/identity.ts'
import { mostEnrolmentAttempts } from '../enrolment/links.ts'

const hourMs = 3_600_000
const password = 'a whole new sentence of three walls'

/** An administrator beside the first one. */
async function administrator(world: IdentityWorld, name: string) {
  const enrolled = await world.person(name)
  const { id = '' } = (await world.identity.people.find(name)) ?? {}
  const grant = { person_id: id, role: 'admin', granted_at: world.clock.now(), granted_by: null }
  await world.database.query.insertInto('role_grants').values(grant).execute()
  const { principal } = await world.signIn(enrolled)
  return { ...enrolled, principal }
}

/** A reset for a lost password, and its link's token. */
async function passwordLost(world: IdentityWorld, personId: string, by: { id: string; name: string }) {
  const request = { personId, kind: 'password-lost' as const, reason: 'called me, known voice', by }
  const { link } = given(await world.identity.resets.start(request))
  return link?.token ?? ''
}

eachDatabase('a reset', (open, openAgain) => {
  test('for a lost password asks for a factor that is left, works once, and ends everything that was open', async () => {
    const database = await open()
    const world = await identityWorld(database)
    const ada = await world.admin()
    const by = (await world.signIn(ada)).principal
    const ben = await world.person('ben')
    const session = await world.signIn(ben)
    const minted = given(
      await world.identity.tokens.mint({
        principal: session.principal,
        label: 'x',
        resource: 'http://localhost:8090/mcp',
        ttlSeconds: 3600,
      }),
    )
    const token = await passwordLost(world, session.principal.id, by)
    expect(token).toMatch(/^csr_/)
    const { finishReset } = world.identity
    const request = { token, code: '000000', password, address: home }
    expect(refusalOf(await finishReset(request))).toBe('identity.code-wrong')
    expect(refusalOf(await finishReset({ ...request, code: ben.nextCode(), password: 'short' }))).toBe(
      'identity.password-too-short',
    )
    expect(given(await world.identity.authenticateSession(session.token)).name).toBe('ben')

    const other = world.another(await openAgain(database))
    const right = { ...request, code: ben.nextCode() }
    const answers = await Promise.all([finishReset(right), other.finishReset(right), finishReset(right)])
    expect(answers.filter((answer) => !isRefusal(answer))).toEqual([{ name: 'ben' }])
    expect(refusalOf(await finishReset({ ...request, code: ben.recoveryCodes[0] ?? '' }))).toBe(
      'identity.reset-invalid',
    )
    expect(refusalOf(await world.identity.authenticateSession(session.token))).toBe('identity.session-invalid')
    const { resource } = minted.view
    expect(refusalOf(await world.identity.authenticateAccessToken(minted.token, resource))).toBe(
      'identity.token-invalid',
    )
    const before = { name: 'ben', password: ben.password, code: ben.nextCode(), address: home }
    expect(refusalOf(await world.identity.signIn(before))).toBe('identity.sign-in-refused')
    given(await world.identity.signIn({ ...before, password, code: ben.nextCode() }))
    const told = (await world.identity.notices.list(session.principal.id)).map(({ kind }) => kind)
    expect(told).toEqual(expect.arrayContaining(['reset-started', 'reset-finished']))
  })

  test('link is worth nothing after an hour, after ten guesses, and once another was made', async () => {
    const world = await identityWorld(await open())
    const by = (await world.signIn(await world.admin())).principal
    const ben = await world.person('ben')
    const { id } = (await world.signIn(ben)).principal
    const { finishReset } = world.identity
    const late = await passwordLost(world, id, by)
    world.clock.advance(hourMs)
    const request = () => ({ code: ben.nextCode(), password, address: home })
    expect(refusalOf(await finishReset({ ...request(), token: late }))).toBe('identity.reset-invalid')

    const replaced = await passwordLost(world, id, by)
    const token = await passwordLost(world, id, by)
    expect(refusalOf(await finishReset({ ...request(), token: replaced }))).toBe('identity.reset-invalid')
    for (let guess = 1; guess <= mostEnrolmentAttempts; guess++) {
      const wrong = await finishReset({ ...request(), token, code: '000000' })
      expect(refusalOf(wrong)).toBe('identity.code-wrong')
    }
    expect(refusalOf(await finishReset({ ...request(), token }))).toBe('identity.reset-invalid')
    const last = await passwordLost(world, id, by)
    world.clock.advance(hourMs - 60_000)
    expect(given(await finishReset({ ...request(), token: last }))).toEqual({ name: 'ben' })
  })

  test('of an administrator who lost everything takes two others, never one alone, twice, or themselves', async () => {
    const world = await identityWorld(await open())
    const by = (await world.signIn(await world.admin())).principal
    const [bea, cyd] = [await administrator(world, 'bea'), await administrator(world, 'cyd')]
    const dan = (await world.signIn(await world.person('dan'))).principal
    const { resets, people } = world.identity
    const request = { personId: bea.principal.id, kind: 'factors-lost' as const, reason: 'came to my desk' }
    expect(refusalOf(await people.resetSecondFactor(bea.principal.id, by))).toBe('identity.reset-needs-two')
    expect(refusalOf(await resets.start({ ...request, by: bea.principal }))).toBe('identity.own-reset')
    expect(refusalOf(await resets.start({ ...request, by: dan }))).toBe('identity.reset-needs-administrator')

    const { reset, link } = given(await resets.start({ ...request, by }))
    expect({ link, needed: reset.approvalsNeeded }).toEqual({ link: undefined, needed: 2 })
    expect(refusalOf(await resets.approve(reset.id, by))).toBe('identity.reset-needs-another')
    expect(refusalOf(await resets.approve(reset.id, bea.principal))).toBe('identity.own-reset')
    expect(refusalOf(await resets.approve(reset.id, dan))).toBe('identity.reset-needs-administrator')
    expect(given(await world.identity.authenticateSession((await world.signIn(bea)).token)).name).toBe('bea')

    const answers = await Promise.all([1, 2, 3].map(() => resets.approve(reset.id, cyd.principal)))
    const [done, ...rest] = answers.flatMap((answer) => (isRefusal(answer) ? [] : [answer]))
    expect(rest).toEqual([])
    expect(done?.link?.leadsTo).toBe('enrolment')
    const { list } = world.identity.passkeys
    expect([await resets.list(), await list(bea.principal.id)]).toEqual([[], []])
    const again = { name: 'bea', password: bea.password, code: bea.nextCode(), address: home }
    expect(refusalOf(await world.identity.signIn(again))).toBe('identity.sign-in-refused')
    const token = done?.link?.token ?? ''
    expect(given(await world.identity.enrolments.begin({ token, address: home }))).toMatchObject({ name: 'bea' })
    const entry = (await world.entries()).filter(({ event }) => event === 'person.sign-in-reset').at(-1)
    expect(entry?.details?.['approvedBy']).toEqual([by.id, cyd.principal.id])
    expect((await world.entries()).filter(({ event }) => event === 'reset.refused').length).toBeGreaterThanOrEqual(5)
  })

  test('of an administrator takes two also when the role was taken away first, or by an account elsewhere; it waits a day', async () => {
    const world = await identityWorld(await open())
    const by = (await world.signIn(await world.admin())).principal
    const [bea, cyd] = [await administrator(world, 'bea'), await administrator(world, 'cyd')]
    const { resets, people } = world.identity
    const provider = { name: 'works', title: 'Works', issuer: 'https://id.example', client_id: 'c', settings: '{}' }
    const made = { client_authentication: 'none', sealed_secret: null, created_at: 0, created_by: null }
    await world.database.query
      .insertInto('providers')
      .values({ ...provider, ...made })
      .execute()
    const link = { provider: 'works', subject: 'an account of ada', personId: bea.principal.id }
    expect(refusalOf(await world.identity.providers.link(link, by))).toBe('identity.link-needs-own')
    const roles = world.database.query.deleteFrom('role_grants').where('person_id', '=', bea.principal.id)
    await roles.execute()
    expect(refusalOf(await people.resetSecondFactor(bea.principal.id, by))).toBe('identity.reset-needs-two')
    const request = { personId: bea.principal.id, kind: 'factors-lost' as const, reason: 'gone', by }
    const { reset } = given(await resets.start(request))
    world.clock.advance(24 * hourMs)
    expect(refusalOf(await resets.approve(reset.id, cyd.principal))).toBe('identity.reset-unknown')
    const second = given(await resets.start(request))
    given(await resets.cancel(second.reset.id, cyd.principal))
    expect(refusalOf(await resets.approve(second.reset.id, cyd.principal))).toBe('identity.reset-unknown')
    world.clock.advance(90 * 24 * hourMs)
    expect(isRefusal(await people.resetSecondFactor(bea.principal.id, by))).toBe(false)
  })
})

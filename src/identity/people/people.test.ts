import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, home, identityWorld, type IdentityWorld, refusalOf } from '../../../test/world/identity.ts'
import { oneTimeCode } from '../../../test/world/one-time-code.ts'

async function promote(world: IdentityWorld, name: string, role = 'admin'): Promise<string> {
  const id = (await world.identity.people.find(name))?.id ?? ''
  const grant = { person_id: id, role, granted_at: 0, granted_by: null }
  await world.database.query.insertInto('role_grants').values(grant).execute()
  return id
}

eachDatabase('a person', (open, openAgain) => {
  test('who is suspended loses sessions, tokens and the invitations they made', async () => {
    const world = await identityWorld(await open())
    const { people, tokens, enrolments, authenticateSession } = world.identity
    const by = (await world.signIn(await world.admin())).principal
    const bob = await world.person('bob')
    const { token, principal } = await world.signIn(bob)
    given(await tokens.mint({ principal, label: 'x', resource: 'http://localhost/x', ttlSeconds: 60 }))
    const invitation = given(await enrolments.invite({ name: 'carol', roles: [], by: principal }))
    expect(given(await people.suspend(principal.id, by))).toMatchObject({ name: 'bob', status: 'suspended' })
    expect(refusalOf(await authenticateSession(token))).toBe('identity.session-invalid')
    expect((await tokens.list(principal.id)).at(0)?.revokedBy).toBe(by.id)
    expect(refusalOf(await enrolments.begin({ token: invitation.token, address: home }))).toBe(
      'identity.enrolment-invalid',
    )
    expect((await world.entries()).at(-2)).toMatchObject({
      event: 'person.suspended',
      principal: { name: 'ada' },
      details: { person: principal.id, sessions: 1, tokens: 1 },
    })
    expect(given(await people.resume(principal.id, by)).status).toBe('active')
    expect(refusalOf(await authenticateSession(token))).toBe('identity.session-invalid')
    expect(isRefusal(await world.identity.signIn({ ...bob, code: bob.nextCode(), address: home }))).toBe(false)
  })

  test('who is the last active admin stays, and of two who suspend each other at once one stays', async () => {
    const database = await open()
    const world = await identityWorld(database)
    const by = (await world.signIn(await world.admin())).principal
    expect(refusalOf(await world.identity.people.suspend(by.id, by))).toBe('identity.last-admin')
    expect(refusalOf(await world.identity.people.resetSecondFactor(by.id, by))).toBe('identity.last-admin')
    await world.person('bob')
    const bob = await promote(world, 'bob')
    const node = world.another(await openAgain(database))
    const answers = await Promise.all([world.identity.people.suspend(bob, by), node.people.suspend(by.id, by)])
    expect(answers.filter(isRefusal).map((refusal) => refusal.code)).toEqual(['identity.last-admin'])
  })

  test('who has not enrolled does not count as an admin', async () => {
    const world = await identityWorld(await open())
    const by = (await world.signIn(await world.admin())).principal
    given(await world.identity.enrolments.invite({ name: 'bob', roles: [], by }))
    await promote(world, 'bob')
    expect(refusalOf(await world.identity.people.suspend(by.id, by))).toBe('identity.last-admin')
  })

  test('is found by any spelling of the name and by id, and a stranger is not', async () => {
    const world = await identityWorld(await open())
    await world.admin()
    const { people } = world.identity
    const ada = await people.find(' ADA')
    expect(await people.find(ada?.id ?? '')).toEqual(ada)
    for (const other of ['', 'bob', 'adа', '%']) expect(await people.find(other)).toBeUndefined()
    const by = { id: 'x', name: 'x' }
    for (const change of [
      people.suspend('no one', by),
      people.resume('no one', by),
      people.resetSecondFactor('no one', by),
    ]) {
      expect(refusalOf(await change)).toBe('identity.person-unknown')
    }
  })

  test('whose sign-in is reset enrols again and keeps their roles', async () => {
    const world = await identityWorld(await open())
    const { people, enrolments } = world.identity
    const by = (await world.signIn(await world.admin())).principal
    const bob = await world.person('bob')
    const { token: old } = await world.signIn(bob)
    const id = await promote(world, 'bob', 'viewer')
    const { token } = given(await people.resetSecondFactor(id, by))
    expect(refusalOf(await world.identity.authenticateSession(old))).toBe('identity.session-invalid')
    const request = { ...bob, code: bob.nextCode(), address: home }
    expect(refusalOf(await world.identity.signIn(request))).toBe('identity.sign-in-refused')
    const password = 'another gate and a moat'
    const { secret } = given(await enrolments.choose({ token, password, address: home }))
    given(await enrolments.finish({ token, code: oneTimeCode(secret, world.clock.now()), address: home }))
    world.clock.advance(30_000)
    const code = oneTimeCode(secret, world.clock.now())
    const { principal } = given(await world.identity.signIn({ name: 'bob', password, code, address: home }))
    expect([principal.id, principal.roles]).toEqual([id, ['viewer']])
    expect(refusalOf(await world.identity.signIn({ ...request, code: bob.nextCode() }))).toBe(
      'identity.sign-in-refused',
    )
  })

  test('is not changed while the ledger cannot write', async () => {
    const world = await identityWorld(await open())
    const by = (await world.signIn(await world.admin())).principal
    await world.person('bob')
    const bob = await world.identity.people.find('bob')
    await world.ledger.close()
    await expect(world.identity.people.suspend(bob?.id ?? '', by)).rejects.toThrow()
    expect((await world.identity.people.find('bob'))?.status).toBe('active')
  })
})

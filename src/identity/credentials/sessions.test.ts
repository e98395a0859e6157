import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, home, identityWorld, refusalOf } from '../../../test/world/identity.ts'

const minute = 60_000

eachDatabase('a session', (open, openAgain) => {
  test('holds until it is 8 hours old, to the millisecond, however much it is used', async () => {
    const { identity, clock, ...world } = await identityWorld(await open())
    const { token } = await world.signIn(await world.admin())
    for (let used = 0; used < 23; used++) {
      clock.advance(20 * minute)
      expect(isRefusal(await identity.authenticateSession(token))).toBe(false)
    }
    clock.advance(20 * minute - 1)
    expect(isRefusal(await identity.authenticateSession(token))).toBe(false)
    clock.advance(1)
    expect(refusalOf(await identity.authenticateSession(token))).toBe('identity.session-invalid')
  })

  test('ends after 30 idle minutes, and stays ended when the clock is set back', async () => {
    const { identity, clock, ...world } = await identityWorld(await open())
    const { token, principal } = await world.signIn(await world.admin())
    clock.advance(30 * minute - 1)
    expect(isRefusal(await identity.authenticateSession(token))).toBe(false)
    clock.advance(30 * minute - 1)
    expect(await identity.stillValid(principal)).toBe(true)
    clock.advance(1)
    expect(await identity.stillValid(principal)).toBe(false)
    expect(refusalOf(await identity.authenticateSession(token))).toBe('identity.session-invalid')
    clock.advance(-10 * minute)
    expect(refusalOf(await identity.authenticateSession(token))).toBe('identity.session-invalid')
    expect((await world.entries()).at(-1)).toMatchObject({ event: 'session.ended', details: { reason: 'idle' } })
  })

  test('writes its use at most once a minute', async () => {
    const { identity, clock, database, ...world } = await identityWorld(await open())
    const { token, principal } = await world.signIn(await world.admin())
    const seen = async () => (await identity.sessions.list(principal.id)).at(0)?.lastSeenAt
    const first = await seen()
    clock.advance(minute - 1)
    await identity.authenticateSession(token)
    expect(await seen()).toBe(first)
    clock.advance(1)
    await identity.authenticateSession(token)
    expect(await seen()).toBe((first ?? 0) + minute)
    expect(database.dialect).toMatch(/sqlite|postgres/)
  })

  test('is listed and ended by its id, on every node at once, and only by its owner when asked so', async () => {
    const database = await open()
    const world = await identityWorld(database)
    const node = world.another(await openAgain(database))
    const ada = await world.admin()
    const first = await world.signIn(ada)
    const second = await world.signIn(ada)
    const { id } = first.principal
    expect((await node.sessions.list(id)).map((view) => view.id)).toEqual(
      [second, first].map((one) => one.principal.credential.id),
    )
    const { sessions } = world.identity
    expect(
      refusalOf(await sessions.end(first.principal.credential.id, first.principal, 'signed out', 'someone else')),
    ).toBe('identity.credential-unknown')
    given(await sessions.end(first.principal.credential.id, first.principal, 'signed out', id))
    expect(refusalOf(await node.authenticateSession(first.token))).toBe('identity.session-invalid')
    expect(isRefusal(await node.authenticateSession(second.token))).toBe(false)
    expect(refusalOf(await sessions.end(first.principal.credential.id, first.principal, 'signed out'))).toBe(
      'identity.credential-unknown',
    )
    expect(await sessions.endAll(id, first.principal)).toBe(1)
    expect(await node.sessions.list(id)).toEqual([])
    expect(await sessions.endAll(id, first.principal)).toBe(0)
  })

  test('carries the roles of the moment', async () => {
    const world = await identityWorld(await open())
    const { token, principal } = await world.signIn(await world.admin())
    const grant = { person_id: principal.id, role: 'analyst', granted_at: 0, granted_by: null }
    await world.database.query.insertInto('role_grants').values(grant).execute()
    expect(given(await world.identity.authenticateSession(token)).roles).toEqual(['admin', 'analyst'])
    await world.database.query.deleteFrom('role_grants').execute()
    expect(given(await world.identity.authenticateSession(token)).roles).toEqual([])
  })

  test('is not what cannot be one', async () => {
    const { identity } = await identityWorld(await open())
    for (const token of ['', 'css_', `css_${'a'.repeat(43)}`, `css_${'a'.repeat(43)}\n`, `cst_${'a'.repeat(43)}`]) {
      expect(refusalOf(await identity.authenticateSession(token, { address: home }))).toBe('identity.session-invalid')
    }
  })

  test('cannot be ended while the ledger cannot write, and is then still there', async () => {
    const world = await identityWorld(await open())
    const { token, principal } = await world.signIn(await world.admin())
    await world.ledger.close()
    await expect(world.identity.sessions.end(principal.credential.id, principal, 'signed out')).rejects.toThrow()
    expect(isRefusal(await world.identity.authenticateSession(token))).toBe(false)
  })

  test('goes on where its person signs out everywhere else, and is the only one that does', async () => {
    const { identity, ...world } = await identityWorld(await open())
    const admin = await world.admin()
    const sessions = [await world.signIn(admin), await world.signIn(admin), await world.signIn(admin)]
    const [, here] = sessions
    const { id, credential } = here!.principal
    expect(await identity.sessions.endAll(id, here!.principal, credential.id)).toBe(2)
    const held = await Promise.all(sessions.map(({ token }) => identity.authenticateSession(token)))
    expect(held.map(isRefusal)).toEqual([true, false, true])
    expect((await world.entries()).at(-1)).toMatchObject({
      event: 'session.ended',
      details: { count: 2, reason: 'signed out everywhere else' },
    })
    expect(await identity.sessions.endAll(id, here!.principal, credential.id)).toBe(0)
  })
})

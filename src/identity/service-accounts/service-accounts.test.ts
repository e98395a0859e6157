import { isRefusal, type Principal, type Refusal } from '#kernel'
import type { Database } from '#platform/database'
import { expect, test } from 'vitest'
import { eachDatabase, restingRevision } from '../../../test/world/databases.ts'
import { given, home, identityWorld, type IdentityWorld, refusalOf } from '../../../test/world/identity.ts'

const dayMs = 86_400_000
const resource = 'http://localhost:8090/servers/books/mcp'

interface Stage extends IdentityWorld {
  readonly admin: () => never
  readonly by: Principal
  readonly bob: Principal
  readonly bobId: string
}

/** An administrator and Bob, both signed in, and a role. */
async function stage(database: Database, settings = {}): Promise<Stage> {
  const world = await identityWorld(database, settings)
  const viewer = { name: 'viewer', grants: '[]', description: '', is_shipped: 0 as const, updated_at: 0 }
  await world.database.query.insertInto('roles').values(viewer).execute()
  const { principal: by } = await world.signIn(await world.admin())
  const { principal: bob } = await world.signIn(await world.person('bob'))
  return { ...world, admin: () => expect.unreachable(), by, bob, bobId: bob.id }
}

async function add(world: Stage, more: Record<string, unknown> = {}) {
  const fresh = {
    name: 'nightly',
    purpose: 'reads what came in at night',
    ownerId: world.bobId,
    roles: [],
    by: world.by,
  }
  return world.identity.serviceAccounts.add({ ...fresh, ...more })
}

async function mint(world: Stage, accountId: string, more: { days?: number; as?: Principal; ownerId?: string } = {}) {
  const { days = 30, as = world.by, ownerId } = more
  const asked = { principal: as, label: 'x', resource, ttlSeconds: days * 86_400, account: { id: accountId, ownerId } }
  return world.identity.tokens.mint(asked)
}

type Answer = Principal | Refusal | Promise<Principal | Refusal>

function reasonOf(answer: Principal | Refusal): [string, unknown] {
  if (!isRefusal(answer)) throw new Error('this was not refused')
  return [answer.code, answer.detail?.['reason']]
}

eachDatabase('a service account', (open, openAgain) => {
  test('has an owner, a purpose, an end and roles; its owner is told, and the ledger knows', async () => {
    const world = await stage(await open())
    const made = given(await add(world, { name: ' Nightly', roles: ['viewer', 'viewer'], mayReadAdmin: true }))
    expect(made).toMatchObject({
      name: 'nightly',
      state: 'active',
      owner: { id: world.bobId, name: 'bob' },
      roles: ['viewer'],
      mayReadAdmin: true,
      daysLeft: 90,
      createdBy: world.by.id,
    })
    expect(await world.identity.serviceAccounts.list(world.bobId)).toEqual([made])
    expect(await world.identity.serviceAccounts.list(world.by.id)).toEqual([])
    expect(await world.identity.serviceAccounts.find('NIGHTLY')).toEqual(made)
    expect(await world.identity.serviceAccounts.find('bob')).toBeUndefined()
    expect((await world.identity.people.list()).map(({ name, kind }) => [name, kind])).toEqual([
      ['ada', 'person'],
      ['bob', 'person'],
      ['nightly', 'service'],
    ])
    expect((await world.identity.notices.list(world.bobId)).at(0)).toMatchObject({
      kind: 'service-account-added',
      details: { name: 'nightly', by: 'ada' },
    })
    expect((await world.entries()).at(-1)).toMatchObject({
      event: 'service-account.added',
      principal: { name: 'ada' },
      details: { account: made.id, owner: world.bobId, roles: ['viewer'], mayReadAdmin: true },
    })
  })

  test('lives for 1 to the configured days and not one more, and 90 or fewer where nothing is said', async () => {
    const world = await stage(await open(), { serviceAccountDays: 120 })
    for (const days of [0, -1, 1.5, 121, Number.NaN]) {
      expect(refusalOf(await add(world, { days }))).toBe('identity.service-account-life')
    }
    for (const days of [1, 120]) {
      expect(given(await add(world, { name: `for-${days}`, days })).daysLeft).toBe(days)
    }
    const made = given(await add(world))
    const renew = (days?: number) => world.identity.serviceAccounts.renew({ id: made.id, by: world.by, days })
    expect(refusalOf(await renew(121))).toBe('identity.service-account-life')
    expect(given(await renew(120)).daysLeft).toBe(120)
    expect(given(await renew()).daysLeft).toBe(90)
    const strict = await stage(await open(), { serviceAccountDays: 7 })
    expect(given(await add(strict)).daysLeft).toBe(7)
  })

  test('has a name of its own, a purpose of a line, roles that exist and an owner who is an active person', async () => {
    const world = await stage(await open())
    const { id } = given(await add(world))
    given(await world.identity.people.suspend((await personCalled(world, 'eve')).id, world.by))
    const eve = await world.identity.people.find('eve')
    const wrong = [
      [{ name: 'bob' }, 'identity.name-taken'],
      [{ name: 'nightly' }, 'identity.name-taken'],
      [{ name: 'castellan' }, 'identity.name-invalid'],
      [{ name: 'a b' }, 'identity.name-invalid'],
      [{ purpose: '' }, 'identity.service-account-purpose'],
      [{ purpose: 'x'.repeat(101) }, 'identity.service-account-purpose'],
      [{ purpose: 'two\nlines' }, 'identity.service-account-purpose'],
      [{ roles: ['no-such-role'] }, 'identity.role-unknown'],
      [{ ownerId: 'nobody' }, 'identity.service-account-owner'],
      [{ ownerId: id }, 'identity.service-account-owner'],
      [{ ownerId: eve?.id ?? '' }, 'identity.service-account-owner'],
    ] as const
    for (const [more, code] of wrong) {
      expect([more, refusalOf(await add(world, { name: 'another', ...more }))]).toEqual([more, code])
    }
    given(await add(world, { name: 'longest', purpose: 'x'.repeat(100) }))
    for (const to of [id, eve?.id ?? '', 'nobody']) {
      const assigned = await world.identity.serviceAccounts.assign({ id, by: world.by, to })
      expect(refusalOf(assigned)).toBe('identity.service-account-owner')
    }
  })

  test('has no way to sign in, whoever tries to make one', async () => {
    const world = await stage(await open())
    const { enrolments, people, resets, providers } = world.identity
    const { id, name } = given(await add(world))
    const signIn = await world.identity.signIn({
      name,
      password: 'four walls and a gate',
      code: '123456',
      address: home,
    })
    expect(refusalOf(signIn)).toBe('identity.sign-in-refused')
    expect((await world.entries()).at(-1)).toMatchObject({
      event: 'sign-in.refused',
      details: { reason: 'service-account' },
    })
    const noPerson = 'identity.service-account-no-person'
    expect(refusalOf(await enrolments.invite({ name, roles: [], by: world.by }))).toBe(noPerson)
    expect(refusalOf(await people.resetSecondFactor(id, world.by))).toBe(noPerson)
    const reset = { personId: id, kind: 'factors-lost' as const, reason: 'lost', by: world.by }
    expect(refusalOf(await resets.start(reset))).toBe(noPerson)
    await world.database.query
      .insertInto('providers')
      .values({
        name: 'corp',
        title: 'corp',
        issuer: 'https://corp.example',
        client_id: 'x',
        client_authentication: 'none',
        sealed_secret: null,
        settings: '{}',
        created_at: 0,
        created_by: null,
      })
      .execute()
    const link = { provider: 'corp', subject: 'robot', personId: id }
    expect(refusalOf(await providers.link(link, world.by))).toBe(noPerson)
    const hash = world.database.query.updateTable('people').set({ password_hash: 'x' }).where('id', '=', id)
    await expect(hash.execute()).rejects.toThrow(/check/i)
    expect(await world.identity.sessions.list(id)).toEqual([])
  })

  test('has tokens that end no later than itself, made by an administrator or its owner and nobody else', async () => {
    const world = await stage(await open())
    const { id } = given(await add(world, { days: 10 }))
    const long = given(await mint(world, id))
    expect(long.view).toMatchObject({ personId: id, factors: ['client-secret'] })
    expect(long.view.expiresAt).toBe((await world.identity.serviceAccounts.find(id))?.expiresAt)
    const short = given(await mint(world, id, { days: 9, as: world.bob, ownerId: world.bobId }))
    expect(short.view.expiresAt).toBe(world.clock.now() + 9 * dayMs)
    const { principal: eve } = await world.signIn(await world.person('eve'))
    expect(refusalOf(await mint(world, id, { as: eve, ownerId: eve.id }))).toBe('identity.service-account-unknown')
    expect(refusalOf(await mint(world, 'nobody'))).toBe('identity.service-account-unknown')
    expect(refusalOf(await mint(world, world.bobId))).toBe('identity.service-account-unknown')
    const who = given(await world.identity.authenticateAccessToken(long.token, resource))
    expect(who).toMatchObject({ id, name: 'nightly', isService: true, factors: ['client-secret'] })
    expect((await world.entries()).find(({ event }) => event === 'token.minted')?.details).toMatchObject({
      account: id,
    })
    const { tokens } = world.identity
    expect(refusalOf(await tokens.revoke(long.view.id, eve, eve.id))).toBe('identity.credential-unknown')
    given(await tokens.revoke(long.view.id, world.bob, world.bobId))
  })

  test('is good until the last moment and not in its end, without a look into the database', async () => {
    const world = await stage(await open())
    const { id, expiresAt } = given(await add(world, { days: 1 }))
    const { token } = given(await mint(world, id))
    const { identity, clock } = world
    // WHY: the notice of the last change may still be on its way, and a look into the database is due when it comes.
    await restingRevision(world.database)
    const principal = given(await identity.authenticateAccessToken(token, resource))
    await identity.stillValid(principal)
    clock.advance(expiresAt - clock.now() - 1)
    const before: Answer = identity.authenticateAccessToken(token, resource)
    expect(before).toMatchObject({ id })
    expect(identity.stillValid(principal)).toBe(true)
    clock.advance(1)
    const after = identity.authenticateAccessToken(token, resource)
    if (after instanceof Promise) throw new Error('an end that was known is no look into the database')
    expect(reasonOf(after)).toEqual(['identity.token-expired', 'service-account-expired'])
    expect(identity.stillValid(principal)).toBe(false)
    const { id: again } = given(await identity.serviceAccounts.renew({ id, by: world.bob, ownerId: world.bobId }))
    expect(again).toBe(id)
    expect(refusalOf(await identity.authenticateAccessToken(token, resource))).toBe('identity.token-expired')
  })

  test('is renewed for less: what is open ends, and what is opened anew ends with it', async () => {
    const world = await stage(await open())
    const { id } = given(await add(world))
    const { token } = given(await mint(world, id))
    const { authenticateAccessToken, stillValid, serviceAccounts } = world.identity
    const before = given(await authenticateAccessToken(token, resource))
    const { expiresAt } = given(await serviceAccounts.renew({ id, by: world.by, days: 1 }))
    expect(await stillValid(before)).toBe(false)
    const after = given(await authenticateAccessToken(token, resource))
    expect(after.credential.expiresAt).toBe(expiresAt)
    expect(await stillValid(after)).toBe(true)
    given(await serviceAccounts.renew({ id, by: world.by, days: 60 }))
    expect(await stillValid(after)).toBe(true)
    expect(given(await authenticateAccessToken(token, resource)).credential.expiresAt).toBeGreaterThan(expiresAt)
  })

  test('is worth nothing on any node while its owner is suspended, and goes on when the owner does', async () => {
    const database = await open()
    const world = await stage(database)
    const node = world.another(await openAgain(database))
    const { id } = given(await add(world))
    const { token } = given(await mint(world, id))
    const principal = given(await node.authenticateAccessToken(token, resource))
    given(await world.identity.people.suspend(world.bobId, world.by))
    expect((await world.entries()).at(-1)?.details).toMatchObject({ serviceAccountsStopped: 1 })
    const refused = () => Promise.resolve(node.authenticateAccessToken(token, resource))
    await expect.poll(async () => isRefusal(await refused()), { timeout: 1_000, interval: 20 }).toBe(true)
    expect(reasonOf(await refused())).toEqual(['identity.token-invalid', 'owner-not-active'])
    expect(await node.stillValid(principal)).toBe(false)
    expect((await world.identity.serviceAccounts.find(id))?.state).toBe('unowned')
    expect(refusalOf(await mint(world, id))).toBe('identity.service-account-ended')
    given(await world.identity.people.resume(world.bobId, world.by))
    await expect.poll(async () => isRefusal(await refused()), { timeout: 1_000, interval: 20 }).toBe(false)
  })

  test('gets another owner: what the former made ends, what an administrator made goes on, both are told', async () => {
    const world = await stage(await open())
    const { id } = given(await add(world))
    const kept = given(await mint(world, id))
    const lost = given(await mint(world, id, { as: world.bob, ownerId: world.bobId }))
    const eve = await personCalled(world, 'eve')
    const { serviceAccounts, authenticateAccessToken, notices } = world.identity
    world.clock.advance(1)
    given(await serviceAccounts.assign({ id, by: world.by, to: eve.id }))
    expect(isRefusal(await authenticateAccessToken(kept.token, resource))).toBe(false)
    expect(reasonOf(await authenticateAccessToken(lost.token, resource))).toEqual(['identity.token-invalid', 'revoked'])
    for (const personId of [world.bobId, eve.id]) {
      const [newest] = await notices.list(personId)
      expect(newest).toMatchObject({ kind: 'service-account-assigned', details: { owner: 'eve', by: 'ada' } })
    }
    const mine = { id, by: world.bob, ownerId: world.bobId }
    expect(refusalOf(await serviceAccounts.renew(mine))).toBe('identity.service-account-unknown')
    expect(refusalOf(await serviceAccounts.suspend(mine))).toBe('identity.service-account-unknown')
    const same = given(await serviceAccounts.assign({ id, by: world.by, to: eve.id }))
    expect(same.owner.id).toBe(eve.id)
    expect(isRefusal(await authenticateAccessToken(kept.token, resource))).toBe(false)
  })

  test('is stopped and brought back, and removed for good', async () => {
    const world = await stage(await open())
    const { serviceAccounts, authenticateAccessToken, people, tokens } = world.identity
    const { id } = given(await add(world, { roles: ['viewer'] }))
    const { token } = given(await mint(world, id))
    const mine = { id, by: world.bob, ownerId: world.bobId }
    expect(given(await serviceAccounts.suspend(mine)).state).toBe('suspended')
    expect(reasonOf(await authenticateAccessToken(token, resource))[0]).toBe('identity.token-invalid')
    expect(refusalOf(await mint(world, id))).toBe('identity.service-account-ended')
    given(await serviceAccounts.resume({ id, by: world.by }))
    expect(reasonOf(await authenticateAccessToken(token, resource))).toEqual(['identity.token-invalid', 'revoked'])
    const another = given(await mint(world, id))
    given(await serviceAccounts.remove({ id, by: world.by }))
    expect(reasonOf(await authenticateAccessToken(another.token, resource))[0]).toBe('identity.token-invalid')
    expect((await tokens.list(id)).every(({ revokedAt }) => revokedAt !== undefined)).toBe(true)
    expect(await serviceAccounts.list()).toEqual([])
    expect(await serviceAccounts.find('nightly')).toBeUndefined()
    const unknown = 'identity.service-account-unknown'
    for (const verb of ['renew', 'suspend', 'resume', 'remove'] as const) {
      expect(refusalOf(await serviceAccounts[verb]({ id, by: world.by }))).toBe(unknown)
    }
    expect(refusalOf(await people.resume(id, world.by))).toBe(unknown)
    expect(refusalOf(await add(world))).toBe('identity.name-taken')
    const granted = world.database.query.selectFrom('role_grants').select('role').where('person_id', '=', id)
    expect(await granted.execute()).toEqual([])
  })

  test('is not made or changed while the ledger cannot write', async () => {
    const world = await stage(await open())
    const { id, expiresAt } = given(await add(world))
    world.clock.advance(dayMs)
    await world.ledger.close()
    await expect(add(world, { name: 'another' })).rejects.toThrow()
    await expect(world.identity.serviceAccounts.renew({ id, by: world.by })).rejects.toThrow()
    const all = await world.identity.serviceAccounts.list()
    expect(all.map((one) => [one.name, one.expiresAt])).toEqual([['nightly', expiresAt]])
  })
})

async function personCalled(world: Stage, name: string): Promise<{ id: string }> {
  given(await world.identity.enrolments.invite({ name, roles: [], by: world.by }))
  const person = await world.identity.people.find(name)
  if (person === undefined) throw new Error(`${name} is not there`)
  return person
}

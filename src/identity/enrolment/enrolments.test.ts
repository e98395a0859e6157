import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, home, identityWorld, type IdentityWorld, refusalOf } from '../../../test/world/identity.ts'
import { oneTimeCode } from '../../../test/world/one-time-code.ts'

const password = 'four walls and a gate'
const by = { id: 'castellan', name: 'castellan' }

async function setup(world: IdentityWorld) {
  const link = await world.identity.enrolments.ensureSetupLink()
  if (!link) throw new Error('there is an admin')
  const { token } = link
  const choose = (fields: { name?: string; displayName?: string; password?: string } = {}) =>
    world.identity.enrolments.choose({ token, name: 'ada', password, address: home, ...fields })
  const finish = (code: string | undefined) => world.identity.enrolments.finish({ token, code, address: home })
  return { ...link, choose, finish }
}

eachDatabase('an enrolment', (open, openAgain) => {
  test('makes the first admin with a password, a second factor and ten recovery codes', async () => {
    const world = await identityWorld(await open())
    const { token, choose, finish } = await setup(world)
    expect(await world.identity.enrolments.begin({ token, address: home })).toEqual({
      kind: 'setup',
      secondFactor: 'required',
    })
    const { secret, otpauthUri } = given(await choose({ name: ' Ada ', displayName: 'Ada Lovelace' }))
    expect(otpauthUri).toContain(secret.replaceAll(' ', ''))
    const { principalName, recoveryCodes } = given(await finish(oneTimeCode(secret, world.clock.now())))
    expect([principalName, new Set(recoveryCodes).size]).toEqual(['ada', 10])
    expect(await world.identity.people.list()).toMatchObject([
      { name: 'ada', displayName: 'Ada Lovelace', roles: ['admin'], hasSecondFactor: true, recoveryCodesLeft: 10 },
    ])
    expect(await world.identity.enrolments.ensureSetupLink()).toBeUndefined()
    const stored = JSON.stringify([
      await world.database.query.selectFrom('people').selectAll().execute(),
      await world.database.query.selectFrom('second_factors').selectAll().execute(),
      await world.database.query.selectFrom('recovery_codes').selectAll().execute(),
      await world.database.query.selectFrom('enrolments').selectAll().execute(),
      await world.entries(),
    ])
    const secrets = [
      token,
      password,
      secret.replaceAll(' ', ''),
      ...recoveryCodes,
      ...recoveryCodes.map((code) => code.replaceAll('-', '')),
    ]
    for (const hidden of secrets) expect(stored).not.toContain(hidden)
    expect((await world.entries()).map((entry) => entry.event).slice(-2)).toEqual([
      'enrolment.opened',
      'person.enrolled',
    ])
  })

  test('keeps what was chosen sealed', async () => {
    const world = await identityWorld(await open())
    const { choose } = await setup(world)
    const { secret } = given(await choose())
    const row = await world.database.query.selectFrom('enrolments').selectAll().executeTakeFirstOrThrow()
    expect(row.sealed_draft).toMatch(/^[\x21-\x7e]+$/)
    expect(JSON.stringify(row)).not.toMatch(new RegExp(`argon2|ada|${secret.replaceAll(' ', '')}`))
  })

  test('of which 64 are finished at once on two nodes happens once', async () => {
    const database = await open()
    const world = await identityWorld(database)
    const { token, choose } = await setup(world)
    const { secret } = given(await choose())
    const nodes = [world.identity, world.another(await openAgain(database))]
    const code = oneTimeCode(secret, world.clock.now())
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, index) => nodes[index % 2]?.enrolments.finish({ token, code, address: home })),
    )
    expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(1)
    expect(await world.identity.people.list()).toHaveLength(1)
    expect(await database.query.selectFrom('recovery_codes').selectAll().execute()).toHaveLength(10)
    expect((await world.entries()).filter((entry) => entry.event === 'person.enrolled')).toHaveLength(1)
  })

  test('holds for 15 minutes, a new start makes the link before worthless', async () => {
    const world = await identityWorld(await open())
    const first = await setup(world)
    const second = await setup(world)
    expect(refusalOf(await first.choose())).toBe('identity.enrolment-invalid')
    world.clock.advance(15 * 60_000 - 1)
    given(await second.choose())
    world.clock.advance(1)
    for (const token of [second.token, first.token, `cse_${'a'.repeat(43)}`, '', 'x']) {
      expect(refusalOf(await world.identity.enrolments.begin({ token, address: home }))).toBe(
        'identity.enrolment-invalid',
      )
      expect(refusalOf(await world.identity.enrolments.finish({ token, code: '123456', address: home }))).toBe(
        'identity.enrolment-invalid',
      )
    }
  })

  test('wants a code of the authenticator that was shown last, and wears out after ten wrong ones', async () => {
    const world = await identityWorld(await open())
    const { choose, finish } = await setup(world)
    expect(refusalOf(await finish('123456'))).toBe('identity.enrolment-incomplete')
    const before = given(await choose())
    const { secret } = given(await choose())
    expect(refusalOf(await finish(undefined))).toBe('identity.code-wrong')
    for (let attempt = 1; attempt < 9; attempt++) {
      expect(refusalOf(await finish(oneTimeCode(before.secret, world.clock.now())))).toBe('identity.code-wrong')
    }
    expect(refusalOf(await finish('12345'))).toBe('identity.code-wrong')
    expect(refusalOf(await finish(oneTimeCode(secret, world.clock.now())))).toBe('identity.enrolment-invalid')
    expect(await world.identity.people.list()).toEqual([])
  })

  test('refuses names and passwords that do not do, and says why', async () => {
    const world = await identityWorld(await open())
    const { choose } = await setup(world)
    const bad = [
      [{ name: 'a da' }, 'identity.name-invalid'],
      [{ name: 'Castellan' }, 'identity.name-invalid'],
      [{ displayName: '\u202e' }, 'identity.display-name-invalid'],
      [{ password: 'x7#kq2p' }, 'identity.password-too-short'],
      [{ password: 'password1' }, 'identity.password-common'],
      [{ password: 'x'.repeat(1025) }, 'identity.password-too-long'],
    ] as const
    for (const [fields, code] of bad) expect(refusalOf(await choose(fields))).toBe(code)
    expect((await world.entries()).at(-1)).toMatchObject({ event: 'enrolment.refused', details: { step: 'choose' } })
    expect(JSON.stringify(await world.entries())).not.toContain('x7#kq2p')
  })

  test('of an invited person keeps their name and gives the roles of the invitation', async () => {
    const world = await identityWorld(await open())
    await world.admin()
    const role = { name: 'notes-reader', grants: '[]', description: '', is_shipped: 0 as const, updated_at: 0 }
    await world.database.query.insertInto('roles').values(role).execute()
    const { enrolments } = world.identity
    const roles = ['notes-reader']
    const { token, expiresAt } = given(await enrolments.invite({ name: 'Bob', displayName: 'Bob B.', roles, by }))
    expect(expiresAt - world.clock.now()).toBe(24 * 3_600_000)
    expect(await enrolments.begin({ token, address: home })).toEqual({
      kind: 'invitation',
      name: 'bob',
      secondFactor: 'required',
    })
    expect(refusalOf(await enrolments.choose({ token, name: 'eve', password, address: home }))).toBe(
      'identity.name-invalid',
    )
    const { secret } = given(await enrolments.choose({ token, password, address: home }))
    given(await enrolments.finish({ token, code: oneTimeCode(secret, world.clock.now()), address: home }))
    expect(await world.identity.people.find('BOB ')).toMatchObject({ name: 'bob', displayName: 'Bob B.', roles })
    expect(refusalOf(await enrolments.begin({ token, address: home }))).toBe('identity.enrolment-invalid')
  })

  test('is offered only for free names and known roles, and a second invitation ends the first', async () => {
    const world = await identityWorld(await open())
    await world.admin()
    const { enrolments } = world.identity
    expect(refusalOf(await enrolments.invite({ name: 'ADA', roles: [], by }))).toBe('identity.name-taken')
    expect(refusalOf(await enrolments.invite({ name: 'bob', roles: ['king'], by }))).toBe('identity.role-unknown')
    expect(refusalOf(await enrolments.invite({ name: 'castellan', roles: [], by }))).toBe('identity.name-invalid')
    const first = given(await enrolments.invite({ name: 'bob', roles: [], by }))
    const second = given(await enrolments.invite({ name: 'bob', roles: [], by }))
    expect(refusalOf(await enrolments.begin({ token: first.token, address: home }))).toBe('identity.enrolment-invalid')
    expect(isRefusal(await enrolments.begin({ token: second.token, address: home }))).toBe(false)
    expect(await world.identity.people.list()).toHaveLength(2)
  })

  test('without a second factor asks for fifteen characters, and is refused where the factor is required', async () => {
    const world = await identityWorld(await open(), { secondFactor: 'optional' })
    const { choose, finish } = await setup(world)
    given(await choose({ password: 'vukz ipe mlorw' }))
    expect(refusalOf(await finish(undefined))).toBe('identity.password-too-short')
    given(await choose({ password: 'vukz ipe mlorwt' }))
    expect(given(await finish(undefined)).recoveryCodes).toEqual([])
  })

  test('makes nobody while the ledger cannot write', async () => {
    const world = await identityWorld(await open())
    const { choose, finish } = await setup(world)
    const { secret } = given(await choose())
    await world.ledger.close()
    await expect(finish(oneTimeCode(secret, world.clock.now()))).rejects.toThrow()
    expect(await world.identity.people.list()).toEqual([])
    expect(await world.database.query.selectFrom('role_grants').selectAll().execute()).toEqual([])
  })
})

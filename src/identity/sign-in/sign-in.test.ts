import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { given, home, identityWorld, refusalOf } from '../../../test/world/identity.ts'
import { findProvable, spendCode } from './prove-factors.ts'
import { stepAt } from '../methods/totp/totp.ts'

const elsewhere = (number: number) => `198.51.${number >> 8}.${number & 255}`

eachDatabase('signing in', (open, openAgain) => {
  test('name, password and code of one person give a session, which the ledger knows', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const { token, session, principal } = given(
      await world.identity.signIn({ ...ada, code: ada.nextCode(), address: home, agent: 'castellan/1\n' }),
    )
    expect(token).toMatch(/^css_[A-Za-z0-9_-]{43}$/)
    expect(principal).toMatchObject({ name: 'ada', roles: ['admin'], factors: ['password', 'totp'] })
    expect(session).toMatchObject({ id: principal.credential.id, address: home, agent: 'castellan/1 ' })
    expect(session.expiresAt - session.createdAt).toBe(8 * 3_600_000)
    const entry = (await world.entries()).at(-1)
    expect(entry).toMatchObject({
      event: 'session.started',
      outcome: 'succeeded',
      address: home,
      principal: { name: 'ada' },
    })
    expect(JSON.stringify(await world.entries())).not.toContain(token.slice(4))
  })

  test('everything that is wrong is one answer, and the ledger knows the difference', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const right = { ...ada, code: ada.nextCode(), address: home }
    const wrong = [
      { ...right, name: 'bob' },
      { ...right, name: 'no name at all\u0000' },
      { ...right, password: `${ada.password} ` },
      { ...right, code: right.code === '000000' ? '000001' : '000000' },
      { ...right, code: 'aaaa-aaaa-aaaa-aaaa' },
      { ...right, code: undefined },
      { ...right, password: 'x'.repeat(1025) },
    ]
    const answers = []
    for (const [index, request] of wrong.entries()) {
      const answer = await world.identity.signIn({ ...request, address: elsewhere(index) })
      if (!isRefusal(answer)) throw new Error('signed in')
      const { detail: _, ...said } = answer
      answers.push(said)
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]).toMatchObject({ code: 'identity.sign-in-refused', status: 401 })
    const reasons = (await world.entries())
      .filter((entry) => entry.event === 'sign-in.refused')
      .map((entry) => entry.details)
    expect(reasons.map((details) => details?.['reason'])).toEqual([
      'unknown-name',
      'unknown-name',
      'wrong-password',
      'wrong-code',
      'wrong-code',
      'wrong-code',
      'wrong-password',
    ])
    expect(isRefusal(await world.identity.signIn(right))).toBe(false)
  })

  test('a code works once: within its step, with spaces, on another node, and an older one not after it', async () => {
    const database = await open()
    const world = await identityWorld(database)
    const ada = await world.admin()
    expect(refusalOf(await world.identity.signIn({ ...ada, code: ada.code(), address: home }))).toBe(
      'identity.sign-in-refused',
    )
    const older = ada.nextCode()
    const code = ada.nextCode()
    expect(
      isRefusal(await world.identity.signIn({ ...ada, code: ` ${code.slice(0, 3)} ${code.slice(3)} `, address: home })),
    ).toBe(false)
    const node = world.another(await openAgain(database))
    for (const again of [code, ` ${code}`, older]) {
      expect(refusalOf(await node.signIn({ ...ada, code: again, address: home }))).toBe('identity.sign-in-refused')
    }
    expect(isRefusal(await node.signIn({ ...ada, code: ada.nextCode(), address: home }))).toBe(false)
  })

  test('a recovery code stands for a code, once, however it is typed', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    const [first = '', second = ''] = ada.recoveryCodes
    const { principal } = given(
      await world.identity.signIn({ ...ada, code: first.toUpperCase().replaceAll('-', ' '), address: home }),
    )
    expect(principal.factors).toEqual(['password', 'recovery-code'])
    expect(refusalOf(await world.identity.signIn({ ...ada, code: first, address: home }))).toBe(
      'identity.sign-in-refused',
    )
    expect(isRefusal(await world.identity.signIn({ ...ada, code: second, address: home }))).toBe(false)
    expect((await world.identity.people.find('ada'))?.recoveryCodesLeft).toBe(8)
  })

  test.each(['totp', 'recovery code'])(
    'of 64 sign-ins with the same %s on two nodes, from as many places, one succeeds',
    async (kind) => {
      const database = await open()
      const world = await identityWorld(database)
      const ada = await world.admin()
      const code = kind === 'totp' ? ada.nextCode() : ada.recoveryCodes[0]
      const nodes = [world.identity, world.another(await openAgain(database))]
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, index) =>
          nodes[index % 2]?.signIn({ ...ada, code, address: index < 48 ? elsewhere(index) : home }),
        ),
      )
      expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(1)
      const started = (await world.entries()).filter((entry) => entry.event === 'session.started')
      expect(started).toHaveLength(1)
    },
  )

  test('of 64 simultaneous uses of one time step on two nodes, one counts', async () => {
    const database = await open()
    const world = await identityWorld(database)
    await world.admin()
    const person = await findProvable(database.query, { name: 'ada' })
    if (!person) throw new Error('nobody')
    const nodes = [database, await openAgain(database)] as const
    const proof = { isPasswordRight: true, code: { kind: 'totp' as const, steps: [stepAt(world.clock.now()) + 1] } }
    const spent = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        nodes[index % 2]?.transaction((transaction) => spendCode(transaction, person, proof, 0)),
      ),
    )
    expect(spent.filter((factors) => factors !== undefined)).toEqual([['password', 'totp']])
  })

  test('while the ledger cannot write, nobody gets a session and the code is not spent', async () => {
    const world = await identityWorld(await open())
    const ada = await world.admin()
    await world.ledger.close()
    const request = { ...ada, code: ada.nextCode(), address: home }
    await expect(world.identity.signIn(request)).rejects.toThrow()
    expect(await world.database.query.selectFrom('sessions').selectAll().execute()).toEqual([])
    const factor = await world.database.query.selectFrom('second_factors').select('last_step').executeTakeFirstOrThrow()
    expect(factor.last_step).toBe(stepAt(world.clock.now()) - 1)
    await expect(world.identity.signIn({ ...request, password: 'wrong' })).rejects.toThrow()
  })

  test('a person who was suspended gets the answer of a stranger', async () => {
    const world = await identityWorld(await open())
    const by = (await world.signIn(await world.admin())).principal
    const bob = await world.person('bob')
    const view = await world.identity.people.find('bob')
    given(await world.identity.people.suspend(view?.id ?? '', by))
    const answer = await world.identity.signIn({ ...bob, code: bob.nextCode(), address: home })
    expect(refusalOf(answer)).toBe('identity.sign-in-refused')
  })

  test('where the second factor is optional, who has none signs in without, and who has one does not', async () => {
    const world = await identityWorld(await open(), { secondFactor: 'optional' })
    const ada = await world.admin()
    const by = { id: 'castellan', name: 'castellan' }
    const { token } = given(await world.identity.enrolments.invite({ name: 'bob', roles: [], by }))
    const password = 'a bridge over the moat'
    given(await world.identity.enrolments.choose({ token, password, address: home }))
    expect(given(await world.identity.enrolments.finish({ token, address: home })).recoveryCodes).toEqual([])
    const { principal } = given(await world.identity.signIn({ name: 'bob', password, address: home }))
    expect(principal.factors).toEqual(['password'])
    expect(refusalOf(await world.identity.signIn({ ...ada, code: undefined, address: home }))).toBe(
      'identity.sign-in-refused',
    )
  })
})

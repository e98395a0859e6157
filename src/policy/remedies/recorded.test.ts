import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson } from '../../../test/world/policy.ts'
import { approval, code, consent, got, justification, openRemedies } from '../../../test/world/step-up/remedies.ts'
import { askWithinMs, consentWithinMs, deniedForMs, goOnWithinMs, useWithinMs } from './asked-call.ts'

const target = { upstream: 'bank', kind: 'tool', name: 'pay' }

eachDatabase('remedies, as they are kept and recorded', (open) => {
  test('every step is on record with the call, the rules, the asker and what was said', async () => {
    const { remedies, ben, lea, max, call, entries, clock } = await openRemedies(open)
    const two = { ...approval, approvers: { roles: ['lead'], count: 2 } }
    const asked = call({ remedies: [justification, two], snapshot: 7 })
    const { id } = got(await remedies.ask(asked))
    const about = { remedy: id, call: 'h'.repeat(43), client: '', asker: ben.id, snapshot: 7, rules: ['f#a', 'f#j'] }
    expect(await entries('remedy.asked')).toMatchObject([
      { outcome: 'succeeded', principal: { id: ben.id, name: 'ben' }, target, details: about },
    ])
    await remedies.own.justify(id, { principal: ben, rule: 'f#j', said: 'invoice', address: '192.0.2.1' })
    expect(await entries('justification.given')).toMatchObject([
      { principal: { id: ben.id }, target, address: '192.0.2.1', details: { ...about, rule: 'f#j', said: 'invoice' } },
    ])
    expect(await remedies.approvals.approve(id, { principal: lea, said: 'one', address: '192.0.2.2' })).toEqual({
      id,
      state: 'waiting',
      personId: ben.id,
      missing: 1,
    })
    got(await remedies.approvals.approve(id, { principal: max, said: 'two' }))
    expect(await entries('approval.given')).toMatchObject([
      { principal: { id: lea.id }, target, address: '192.0.2.2', details: { ...about, said: 'one', missing: 1 } },
      { principal: { id: max.id }, target, details: { ...about, said: 'two', missing: 0 } },
    ])
    expect((await entries('approval.given'))[1]).not.toHaveProperty('address')
    expect(await remedies.approvals.deny(id, { principal: lea, said: 'no', address: '192.0.2.3' })).toEqual({
      id,
      state: 'denied',
      personId: ben.id,
      missing: 0,
    })
    expect(await entries('approval.denied')).toMatchObject([
      { principal: { id: lea.id }, target, address: '192.0.2.3', details: { ...about, said: 'no' } },
    ])
    clock.advance(deniedForMs)
    const again = got(await remedies.ask(asked))
    await remedies.own.decline(again.id, { principal: ben, address: '192.0.2.4' })
    expect(await entries('remedy.declined')).toMatchObject([
      { principal: { id: ben.id }, target, address: '192.0.2.4', details: { ...about, remedy: again.id } },
    ])
  })

  test('what a stranger tries is on record as refused, of answers and of looking', async () => {
    const { remedies, ben, lea, call, entries } = await openRemedies(open)
    const { id } = got(await remedies.ask(call({ remedies: [justification] })))
    const tries = [
      () => remedies.own.justify(id, { principal: lea, rule: 'f#j', said: 'x' }),
      () => remedies.own.consent(id, { principal: lea, rule: 'f#j' }),
      () => remedies.own.decline(id, { principal: lea }),
      () => remedies.own.show(id, lea),
    ]
    for (const [at, attempt] of tries.entries()) {
      await attempt()
      const noted = await entries('remedy.refused')
      expect(noted).toHaveLength(at + 1)
      expect(noted.at(-1)).toMatchObject({
        outcome: 'refused',
        refusal: 'policy.approval-unknown',
        principal: { id: lea.id },
        details: { remedy: id, asker: ben.id },
      })
    }
    await remedies.own.decline('never', { principal: lea })
    expect(await remedies.own.show('never', lea)).toBeUndefined()
    await remedies.own.show(id, ben)
    await remedies.own.decline(id, { principal: ben })
    expect(await entries('remedy.refused')).toHaveLength(tries.length)
  })

  test('each refusal of an answer says which deed it was, and an own call is told from a foreign one', async () => {
    const { remedies, ben, lea, root, call, say } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    expect(await remedies.approvals.approve(id, say(root))).toMatchObject({ detail: { remedy: id, deed: 'approved' } })
    expect(await remedies.approvals.deny(id, say(ben))).toMatchObject({
      code: 'policy.approval-of-own-call',
      detail: { remedy: id, deed: 'denied' },
    })
    expect(code(await remedies.approvals.approve('never', say(lea)))).toBe('policy.approval-unknown')
    for (const said of ['', 'x'.repeat(2_001)]) {
      expect(code(await remedies.approvals.deny(id, { principal: lea, said }))).toBe('policy.answer-invalid')
    }
  })

  test('a call that is ready needs nobody more, counts from the moment it was ready, and ends fifteen minutes later', async () => {
    const { remedies, call, lea, max, say, clock, entries } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    clock.advance(600_000)
    got(await remedies.approvals.approve(id, say(lea)))
    expect(code(await remedies.approvals.approve(id, say(max)))).toBe('policy.approval-unknown')
    clock.advance(useWithinMs - 1)
    expect(await remedies.isReady(call())).toBe(true)
    expect(await remedies.approvals.show(id, max)).toMatchObject({ state: 'ready', expiresAt: clock.now() + 1 })
    clock.advance(1)
    expect(await remedies.isReady(call())).toBe(false)
    expect(await remedies.spend(call())).toBeUndefined()
    expect(await remedies.approvals.show(id, max)).toBeUndefined()
    expect(code(await remedies.approvals.deny(id, say(max)))).toBe('policy.approval-unknown')
    // WHY: what was given and not used is no denial.
    got(await remedies.ask(call()))
    expect(await entries('remedy.expired')).toMatchObject([{ principal: { name: 'ben' }, details: { remedy: id } }])
  })

  test('how long there is to answer is the shortest of what the rules say, an hour where none does; a consent has an hour', async () => {
    const { remedies, call, clock } = await openRemedies(open)
    const until = async (remediesOfCall: (typeof approval)[]) => {
      const hash = String(Math.random()).padEnd(43, 'x').slice(0, 43)
      return got(await remedies.ask(call({ hash, remedies: remediesOfCall }))).expiresAt - clock.now()
    }
    expect(await until([approval])).toBe(900_000)
    expect(await until([justification])).toBe(askWithinMs)
    expect(await until([approval, { ...justification, withinMs: 60_000 }])).toBe(60_000)
    expect(await until([consent])).toBe(askWithinMs)
    expect(await until([{ ...approval, withinMs: askWithinMs * 2 }])).toBe(askWithinMs * 2)
  })

  test('a denial and a time-out say how long they hold', async () => {
    const { remedies, call, lea, say, clock } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    got(await remedies.approvals.deny(id, say(lea)))
    clock.advance(1_500)
    expect(await remedies.ask(call())).toMatchObject({
      code: 'policy.call-denied',
      retryAfterSeconds: 299,
      detail: { remedy: id },
    })
    const late = got(await remedies.ask(call({ hash: 'l'.repeat(43) })))
    clock.advance(900_000 + 60_000)
    expect(await remedies.ask(call({ hash: 'l'.repeat(43) }))).toMatchObject({
      code: 'policy.call-not-approved-in-time',
      retryAfterSeconds: 240,
      detail: { remedy: late.id },
    })
    clock.advance(deniedForMs - 60_000)
    got(await remedies.ask(call({ hash: 'l'.repeat(43) })))
  })

  test('calls that wait too long, or were answered, are none of those that may wait', async () => {
    const { remedies, call, lea, say, clock } = await openRemedies(open)
    const ask = (name: string, more = {}) => remedies.ask(call({ hash: name.padEnd(43, 'x'), ...more }))
    for (let at = 0; at < 9; at += 1) got(await ask(String(at)))
    const { id } = got(await ask('last'))
    expect(await ask('more')).toMatchObject({ code: 'policy.too-many-calls-wait', retryAfterSeconds: 60 })
    got(await remedies.approvals.approve(id, say(lea)))
    got(await ask('more'))
    expect(code(await ask('again'))).toBe('policy.too-many-calls-wait')
    expect(code(await ask('other', { principal: lea }))).toBe('given')
    clock.advance(900_000)
    got(await ask('again'))
  })

  test('what is over is forgotten an hour after it can go on no more, with all that was said, and not a moment before', async () => {
    const { remedies, call, lea, say, clock, database } = await openRemedies(open)
    const rowsOf = async () => {
      const asks = await database.query.selectFrom('remedy_asks').select('id').execute()
      const answers = await database.query.selectFrom('remedy_answers').select('ask_id').execute()
      const roles = await database.query.selectFrom('remedy_approver_roles').select('ask_id').execute()
      return [asks.map((row) => row.id), answers.map((row) => row.ask_id), roles.map((row) => row.ask_id)]
    }
    const { id } = got(await remedies.ask(call()))
    got(await remedies.approvals.approve(id, say(lea)))
    await remedies.spend(call())
    const { expires_at: expiresAt } = await database.query
      .selectFrom('remedy_asks')
      .select('expires_at')
      .executeTakeFirstOrThrow()
    clock.advance(Number(expiresAt) + goOnWithinMs + deniedForMs - 1 - clock.now())
    const next = got(await remedies.ask(call({ hash: 'n'.repeat(43) })))
    for (const rows of await rowsOf()) expect(rows).toContain(id)
    clock.advance(1)
    got(await remedies.ask(call({ hash: 'm'.repeat(43) })))
    for (const rows of await rowsOf()) expect(rows).not.toContain(id)
    expect((await rowsOf())[0]).toContain(next.id)
  })

  test('the client is shown by its name, of an access token by its label', async () => {
    const { remedies, call, ben, lea, database } = await openRemedies(open)
    const named = async (principal: typeof ben) => {
      const { id } = got(await remedies.ask(call({ principal })))
      return (await remedies.approvals.show(id, lea))?.clientName
    }
    expect(await named(ben)).toBe('')
    expect(await named({ ...ben, client: { id: 'c', name: 'Claude', scopes: [] } })).toBe('Claude')
    const times = { created_at: 1, expires_at: 9e12, revoked_at: null, revoked_by: null }
    const token = {
      id: 'tok',
      person_id: ben.id,
      label: 'laptop',
      token_hash: 'x',
      resource: 'r',
      factors: '[]',
      ...times,
    }
    await database.query.insertInto('access_tokens').values(token).execute()
    expect(await named({ ...ben, credential: { ...ben.credential, kind: 'access-token', id: 'tok' } })).toBe('laptop')
  })

  test('an approver sees all of a call, the person it is of whatever became of it, and nobody a text that does not open', async () => {
    const { remedies, call, ben, lea, root, say, clock, database } = await openRemedies(open)
    const { id, expiresAt } = got(await remedies.ask(call({ snapshot: 3 })))
    const line = {
      id,
      personName: 'ben',
      clientName: '',
      upstream: 'bank',
      kind: 'tool',
      name: 'pay',
      createdAt: clock.now(),
      expiresAt,
    }
    const shown = {
      ...line,
      state: 'waiting',
      personId: ben.id,
      permission: 'tools:call',
      text: '{"arguments":{"amount":10}}',
      callHash: 'h'.repeat(43),
      snapshot: 3,
      rules: [{ ...approval, fingerprint: 'print of f#a' }],
      missing: [{ rule: 'f#a', kind: 'approval', count: 1 }],
      said: [],
    }
    expect(await remedies.approvals.show(id, lea)).toEqual(shown)
    expect(await remedies.own.show(id, ben)).toEqual(shown)
    expect(await remedies.approvals.list(lea)).toEqual([{ ...line, state: 'waiting' }])
    expect(await remedies.approvals.list(root)).toEqual([])
    expect(await remedies.approvals.list(ben)).toEqual([])
    expect(await remedies.approvals.show('never', lea)).toBeUndefined()
    const at = clock.now()
    got(await remedies.approvals.deny(id, say(lea)))
    const said = [{ name: 'lea', deed: 'denied', rule: '', text: 'checked', at }]
    expect(await remedies.own.show(id, ben)).toMatchObject({ state: 'denied', said })
    expect(await remedies.approvals.show(id, lea)).toBeUndefined()
    await database.query.updateTable('remedy_answers').set({ sealed_text: 'broken' }).execute()
    expect(await remedies.own.show(id, ben)).toMatchObject({ said: [{ text: '' }] })
    await database.query.updateTable('remedy_asks').set({ sealed_call: 'broken' }).execute()
    expect(await remedies.own.show(id, ben)).toBeUndefined()
  })

  test('a call ends to be listed when it is over, at its moment', async () => {
    const { remedies, call, lea, clock } = await openRemedies(open)
    got(await remedies.ask(call()))
    clock.advance(899_999)
    expect(await remedies.approvals.list(lea)).toHaveLength(1)
    clock.advance(1)
    expect(await remedies.approvals.list(lea)).toEqual([])
  })

  test('fifty are listed, everybody is first once, and the owner of a program is not asked about it', async () => {
    const { remedies, call, lea, max, database, clock } = await openRemedies(open)
    for (let at = 0; at < 6; at += 1) {
      const principal = await addPerson(database, clock, `asker${at}`)
      for (let times = 0; times < 9; times += 1) {
        got(await remedies.ask(call({ principal, hash: `${at}${times}`.padEnd(43, 'x') })))
        clock.advance(1)
      }
    }
    const listed = await remedies.approvals.list(lea)
    expect(listed).toHaveLength(50)
    expect(listed.slice(0, 7).map(({ personName }) => personName)).toEqual([
      ...Array.from({ length: 6 }, (_, at) => `asker${at}`),
      'asker0',
    ])
    const account = {
      purpose: 'p',
      expires_at: 9e12,
      may_read_admin: 0 as const,
      created_at: 1,
      created_by: null,
      removed_at: null,
    }
    const [{ id = '' } = {}] = await database.query
      .selectFrom('people')
      .select('id')
      .where('name', '=', 'asker0')
      .execute()
    await database.query
      .insertInto('service_accounts')
      .values({ person_id: id, owner_id: lea.id, ...account })
      .execute()
    expect((await remedies.approvals.list(lea)).map(({ personName }) => personName)).not.toContain('asker0')
    expect(await remedies.approvals.list(max)).toHaveLength(50)
  })

  test('two hundred are told of a new call, and nobody who may not approve it', async () => {
    const { remedies, call, ben, lea, max, database, clock, root, policy } = await openRemedies(open)
    got(await policy.holds.place({ kind: 'person', subject: max.id, reason: 'x', by: root }))
    const grant = { role: 'lead', granted_at: 1, granted_by: null }
    await database.query
      .insertInto('role_grants')
      .values({ person_id: ben.id, ...grant })
      .execute()
    expect(got(await remedies.ask(call())).toTell).toEqual([lea.id])
    const people = Array.from({ length: 201 }, (_, at) => `z${String(at).padStart(4, '0')}`)
    const person = {
      display_name: 'x',
      status: 'active',
      password_hash: 'chosen',
      created_at: 1,
      updated_at: 1,
    } as const
    await database.query
      .insertInto('people')
      .values(people.map((id) => ({ id, name: id, ...person })))
      .execute()
    await database.query
      .insertInto('role_grants')
      .values(people.map((id) => ({ person_id: id, ...grant })))
      .execute()
    const { toTell } = got(await remedies.ask(call({ hash: 't'.repeat(43), principal: root })))
    expect(toTell).toHaveLength(199)
    expect(clock.now()).toBeGreaterThan(0)
    expect(got(await remedies.ask(call({ hash: 'j'.repeat(43), remedies: [justification] }))).toTell).toEqual([])
  })

  test('a consent is in force up to its moment, for a day where the rule does not say, and is on record from first to last', async () => {
    const { remedies, call, ben, clock, entries } = await openRemedies(open)
    const { withinMs: _usual, ...daily } = consent
    const look = call({ remedies: [daily] })
    const { id } = got(await remedies.ask(look))
    expect(await remedies.own.consent(id, { principal: ben, rule: 'f#c', address: '192.0.2.9' })).toBeUndefined()
    expect(code(await remedies.own.consent(id, { principal: ben, rule: 'f#c' }))).toBe('policy.approval-unknown')
    const [kept, ...none] = await remedies.consents.list(ben.id)
    expect(none).toEqual([])
    expect(kept).toEqual({
      id: kept?.id,
      purpose: 'to look',
      clientName: '',
      givenAt: clock.now(),
      expiresAt: clock.now() + consentWithinMs,
    })
    expect(await entries('consent.given')).toMatchObject([
      {
        principal: { id: ben.id },
        target,
        address: '192.0.2.9',
        details: { remedy: id, consent: kept?.id, rule: 'f#c', purpose: 'to look' },
      },
    ])
    clock.advance(consentWithinMs - 1)
    expect(await remedies.isReady(look)).toBe(true)
    expect(await remedies.consents.list(ben.id)).toHaveLength(1)
    clock.advance(1)
    expect(await remedies.consents.list(ben.id)).toEqual([])
    expect(code(await remedies.consents.revoke(kept?.id ?? '', ben))).toBe('policy.consent-unknown')
    const again = got(await remedies.ask(look))
    await remedies.own.consent(again.id, { principal: ben, rule: 'f#c' })
    const [second] = await remedies.consents.list(ben.id)
    expect(await remedies.consents.revoke(second?.id ?? '', ben)).toBeUndefined()
    expect(code(await remedies.consents.revoke(second?.id ?? '', ben))).toBe('policy.consent-unknown')
    expect(await entries('consent.revoked')).toMatchObject([
      { principal: { id: ben.id }, details: { consent: second?.id, rule: 'f#c', purpose: 'to look' } },
    ])
    expect(await remedies.consents.list(ben.id)).toEqual([])
  })
})

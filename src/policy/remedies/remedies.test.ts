import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson } from '../../../test/world/policy.ts'
import { approval, code, consent, got, justification, openRemedies } from '../../../test/world/step-up/remedies.ts'
import { askWithinMs, type AskedCall, deniedForMs, mostCallChars, mostWaiting, useWithinMs } from './asked-call.ts'

eachDatabase('remedies', (open, openAgain) => {
  test('an approval lets one call pass, once, on whichever node it is asked for', async () => {
    const { remedies, make, database, call, lea, say, clock } = await openRemedies(open)
    const second = make(await openAgain(database))
    const asked = got(await remedies.ask(call()))
    expect(asked).toMatchObject({
      missing: [{ rule: 'f#a', kind: 'approval', count: 1 }],
      expiresAt: clock.now() + 900_000,
    })
    expect(asked.toTell).toHaveLength(2)
    expect(got(await second.ask(call()))).toEqual({ ...asked, toTell: [] })
    expect(await remedies.spend(call())).toBeUndefined()
    expect(await remedies.approvals.approve(asked.id, say(lea))).toMatchObject({ state: 'ready', missing: 0 })
    expect(await second.isReady(call())).toBe(true)
    const tries = await Promise.all([remedies, second, remedies, second].map((one) => one.spend(call())))
    expect(tries.filter((one) => one !== undefined)).toEqual([{ id: asked.id, approvers: [lea.id], round: 0 }])
    expect(await remedies.spend(call())).toBeUndefined()
    expect(got(await remedies.ask(call())).id).not.toBe(asked.id)
  })

  test('what was asked for one call, client and person is nothing for another', async () => {
    const { remedies, call, lea, max, ben, say } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    got(await remedies.approvals.approve(id, say(lea)))
    const elsewhere = { ...ben, credential: { ...ben.credential, id: 'another' } }
    const acted = { ...ben, actors: [{ id: 'x', name: 'x', client: 'y' }] }
    const others: Partial<AskedCall>[] = [
      { hash: 'g'.repeat(43) },
      { permission: 'files:read' },
      { target: { upstream: 'bank', kind: 'tool', name: 'look' } },
      { target: { upstream: 'shop', kind: 'tool', name: 'pay' } },
      { target: { upstream: 'bank', kind: 'prompt', name: 'pay' } },
      { principal: elsewhere },
      { principal: acted },
      { principal: max },
      { remedies: [approval, justification] },
      { remedies: [{ ...approval, rule: 'f#b' }] },
    ]
    for (const other of others) {
      expect(await remedies.isReady(call(other))).toBe(false)
      expect(await remedies.spend(call(other))).toBeUndefined()
    }
    expect(await remedies.spend(call())).toBeDefined()
  })

  test('nobody approves for themselves, without the role, twice, or while suspended or held', async () => {
    const { remedies, database, policy, root, clock, call, ben, lea, max, say } = await openRemedies(open)
    const two = { ...approval, approvers: { roles: ['lead'], count: 2 } }
    await database.query
      .insertInto('role_grants')
      .values({ person_id: ben.id, role: 'lead', granted_at: 1, granted_by: null })
      .execute()
    const { id, toTell } = got(await remedies.ask(call({ remedies: [two] })))
    expect(toTell.toSorted()).toEqual([lea.id, max.id].toSorted())
    expect(code(await remedies.approvals.approve(id, say(ben)))).toBe('policy.approval-of-own-call')
    expect(code(await remedies.approvals.approve(id, say(root)))).toBe('policy.approval-unknown')
    expect(await remedies.approvals.show(id, root)).toBeUndefined()
    expect(await remedies.approvals.show(id, ben)).toBeUndefined()
    expect(await remedies.approvals.list(ben)).toEqual([])
    expect(await remedies.approvals.approve(id, say(lea))).toMatchObject({ state: 'waiting', missing: 1 })
    expect(code(await remedies.approvals.approve(id, say(lea)))).toBe('policy.approval-given-before')
    expect(await remedies.approvals.list(lea)).toEqual([])
    const hold = got(await policy.holds.place({ kind: 'person', subject: max.id, reason: 'x', by: root }))
    expect(code(await remedies.approvals.approve(id, say(max)))).toBe('policy.approval-unknown')
    got(await policy.holds.lift(hold.id, root))
    await database.query.updateTable('people').set({ status: 'suspended' }).where('id', '=', max.id).execute()
    expect(code(await remedies.approvals.approve(id, say(max)))).toBe('policy.approval-unknown')
    await database.query.updateTable('people').set({ status: 'active' }).where('id', '=', max.id).execute()
    expect(await remedies.approvals.approve(id, say(max))).toMatchObject({ state: 'ready' })
    expect(clock.now()).toBeGreaterThan(0)
  })

  test('the owner of a program, its fellow programs and who acts never approve its call', async () => {
    const { remedies, database, clock, call, lea, max, say } = await openRemedies(open)
    const agent = await addPerson(database, clock, 'agent')
    const other = await addPerson(database, clock, 'other', 'lead')
    for (const [id, owner] of [
      [agent.id, lea.id],
      [other.id, max.id],
    ] as const) {
      const account = {
        person_id: id,
        owner_id: owner,
        purpose: 'p',
        expires_at: 9e12,
        may_read_admin: 0 as const,
        created_at: 1,
        created_by: null,
        removed_at: null,
      }
      await database.query.insertInto('service_accounts').values(account).execute()
    }
    const service = { ...agent, isService: true as const }
    const { id } = got(await remedies.ask(call({ principal: service })))
    expect(code(await remedies.approvals.approve(id, say(lea)))).toBe('policy.approval-of-own-call')
    expect(code(await remedies.approvals.approve(id, say(other)))).toBe('policy.approval-unknown')
    expect(await remedies.approvals.list(lea)).toEqual([])
    const actors = [{ id: other.id, name: 'other', client: 'c' }]
    const acted = got(await remedies.ask(call({ principal: { ...lea, actors } })))
    expect(code(await remedies.approvals.approve(acted.id, say(max)))).toBe('policy.approval-of-own-call')
    expect(await remedies.approvals.approve(id, say(max))).toMatchObject({ state: 'ready' })
  })

  test('an approver who may approve no more does not count when it is used', async () => {
    const { remedies, database, call, lea, max, say, events } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    got(await remedies.approvals.approve(id, say(lea)))
    await database.query.deleteFrom('role_grants').where('person_id', '=', lea.id).execute()
    expect(await remedies.spend(call())).toBeUndefined()
    expect(await events()).toContain('remedy.voided')
    expect(got(await remedies.ask(call()))).toMatchObject({ id, missing: [{ count: 1 }] })
    await database.query
      .insertInto('role_grants')
      .values({ person_id: lea.id, role: 'lead', granted_at: 1, granted_by: null })
      .execute()
    expect(await remedies.spend(call())).toBeUndefined()
    got(await remedies.approvals.approve(id, say(max)))
    expect(await remedies.spend(call())).toMatchObject({ approvers: [max.id] })
  })

  test('a time-out is a denial, and a denial holds for a while', async () => {
    const { remedies, clock, call, lea, say, events } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    clock.advance(900_000)
    expect(code(await remedies.approvals.approve(id, say(lea)))).toBe('policy.approval-unknown')
    expect(code(await remedies.ask(call()))).toBe('policy.call-not-approved-in-time')
    expect(await events()).toContain('remedy.expired')
    clock.advance(deniedForMs)
    const again = got(await remedies.ask(call()))
    expect(again.id).not.toBe(id)
    got(await remedies.approvals.deny(again.id, say(lea)))
    expect(code(await remedies.ask(call()))).toBe('policy.call-denied')
    clock.advance(deniedForMs - 1)
    expect(code(await remedies.ask(call()))).toBe('policy.call-denied')
    clock.advance(1)
    const third = got(await remedies.ask(call()))
    got(await remedies.approvals.approve(third.id, say(lea)))
    clock.advance(useWithinMs)
    expect(await remedies.spend(call())).toBeUndefined()
    expect(got(await remedies.ask(call())).id).not.toBe(third.id)
  })

  test('an approval can be taken back by a denial until it is used', async () => {
    const { remedies, call, lea, say } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    got(await remedies.approvals.approve(id, say(lea)))
    got(await remedies.approvals.deny(id, say(lea)))
    expect(await remedies.spend(call())).toBeUndefined()
    expect(code(await remedies.approvals.approve(id, say(lea)))).toBe('policy.approval-unknown')
  })

  test('a rule that is written anew voids what was asked and given under the old one; another rule does not', async () => {
    const { remedies, prints, call, lea, say, events } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    got(await remedies.approvals.approve(id, say(lea)))
    prints.set('f#other', 'new')
    expect(await remedies.isReady(call())).toBe(true)
    prints.set('f#a', 'new')
    expect(await remedies.spend(call())).toBeUndefined()
    expect(code(await remedies.approvals.deny(id, say(lea)))).toBe('policy.approval-unknown')
    expect(got(await remedies.ask(call())).id).not.toBe(id)
    expect(await events()).toContain('remedy.voided')
    prints.delete('f#a')
    expect(await remedies.spend(call())).toBeUndefined()
  })

  test('as many calls of a person wait as may, and no more; others are listed beside them', async () => {
    const { remedies, database, clock, call, max, lea } = await openRemedies(open)
    for (let at = 0; at < mostWaiting; at += 1) {
      got(await remedies.ask(call({ hash: String(at).padEnd(43, 'x') })))
      clock.advance(1)
    }
    expect(code(await remedies.ask(call({ hash: 'y'.repeat(43) })))).toBe('policy.too-many-calls-wait')
    const eve = await addPerson(database, clock, 'eve')
    got(await remedies.ask(call({ principal: eve })))
    const listed = await remedies.approvals.list(max)
    expect(listed).toHaveLength(mostWaiting + 1)
    expect(listed.slice(0, 2).map(({ personName }) => personName)).toEqual(['ben', 'eve'])
    expect(await remedies.approvals.list(lea)).toHaveLength(mostWaiting + 1)
  })

  test('what cannot be shown completely cannot be approved', async () => {
    const { remedies, call, lea } = await openRemedies(open)
    const text = 'x'.repeat(mostCallChars)
    const { id } = got(await remedies.ask(call({ text })))
    expect(await remedies.approvals.show(id, lea)).toMatchObject({ text, personName: 'ben', missing: [{ count: 1 }] })
    expect(code(await remedies.ask(call({ text: `${text}x`, hash: 'z'.repeat(43) })))).toBe('policy.call-too-long')
  })

  test('a justification is given by the person whose call it is, and read by approvers', async () => {
    const { remedies, call, ben, lea, say, events } = await openRemedies(open)
    const both = call({ remedies: [approval, justification] })
    const { id, missing } = got(await remedies.ask(both))
    expect(missing.map(({ kind }) => kind)).toEqual(['approval', 'justification'])
    const words = { rule: 'f#j', said: 'invoice 4711' }
    expect(code(await remedies.own.justify(id, { principal: lea, ...words }))).toBe('policy.approval-unknown')
    expect(await events()).toContain('remedy.refused')
    expect(code(await remedies.own.justify(id, { principal: ben, ...words, rule: 'f#a' }))).toBe(
      'policy.approval-unknown',
    )
    for (const said of [' ', 'x'.repeat(2_001), '\ud800'])
      expect(code(await remedies.own.justify(id, { principal: ben, rule: 'f#j', said }))).toBe('policy.answer-invalid')
    expect(await remedies.own.justify(id, { principal: ben, ...words, said: 'x'.repeat(2_000) })).toBeUndefined()
    expect(await remedies.own.justify(id, { principal: ben, ...words })).toBeUndefined()
    expect((await remedies.approvals.show(id, lea))?.said).toMatchObject([{ deed: 'justified', text: 'invoice 4711' }])
    expect(await remedies.spend(both)).toBeUndefined()
    expect(await remedies.approvals.approve(id, say(lea))).toMatchObject({ state: 'ready' })
    expect(await remedies.own.show(id, lea)).toBeUndefined()
    expect(await remedies.own.show(id, ben)).toMatchObject({ state: 'ready', missing: [] })
    expect(await remedies.spend(both)).toBeDefined()
  })

  test('a consent is kept for its client and its time, and can be taken back', async () => {
    const { remedies, clock, call, ben, lea, prints } = await openRemedies(open)
    const look = call({ remedies: [consent] })
    const { id } = got(await remedies.ask(look))
    expect(code(await remedies.own.consent(id, { principal: lea, rule: 'f#c' }))).toBe('policy.approval-unknown')
    expect(await remedies.own.consent(id, { principal: ben, rule: 'f#c' })).toBeUndefined()
    for (const hash of ['a', 'b'])
      expect(await remedies.spend({ ...look, hash: hash.repeat(43) })).toEqual({
        id: undefined,
        approvers: [],
        round: 0,
      })
    const elsewhere = { ...ben, credential: { ...ben.credential, id: 'another' } }
    expect(await remedies.spend({ ...look, principal: elsewhere })).toBeUndefined()
    expect(await remedies.spend({ ...look, remedies: [{ ...consent, rule: 'f#d' }] })).toBeUndefined()
    prints.set('f#c', 'new')
    expect(await remedies.spend(look)).toBeUndefined()
    prints.delete('f#c')
    const [kept] = await remedies.consents.list(ben.id)
    expect(kept).toMatchObject({ purpose: 'to look' })
    expect(code(await remedies.consents.revoke(kept?.id ?? '', lea))).toBe('policy.consent-unknown')
    clock.advance(599_999)
    expect(await remedies.isReady(look)).toBe(true)
    expect(await remedies.consents.revoke(kept?.id ?? '', ben)).toBeUndefined()
    expect(await remedies.spend(look)).toBeUndefined()
    expect(await remedies.isReady(look)).toBe(false)
    const again = got(await remedies.ask(look))
    expect(await remedies.own.consent(again.id, { principal: ben, rule: 'f#c' })).toBeUndefined()
    clock.advance(600_000)
    expect(await remedies.spend(look)).toBeUndefined()
    expect(await remedies.isReady(look)).toBe(false)
    expect(await remedies.consents.list(ben.id)).toEqual([])
  })

  test('a call goes on with what it passed with, one round at a time', async () => {
    const { remedies, clock, call, lea, say } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    got(await remedies.approvals.approve(id, say(lea)))
    expect(await remedies.goOn(id, 0, call())).toBeUndefined()
    expect(await remedies.spend(call())).toBeDefined()
    const both = await Promise.all([remedies.goOn(id, 0, call()), remedies.goOn(id, 0, call())])
    expect(both.filter((one) => one !== undefined)).toEqual([{ id, approvers: [], round: 1 }])
    expect(await remedies.goOn(id, 1, call({ hash: 'g'.repeat(43) }))).toBeUndefined()
    expect(await remedies.goOn(id, 1, call())).toEqual({ id, approvers: [], round: 2 })
    expect(await remedies.goOn(id, 2, call({ remedies: [approval, justification] }))).toBeUndefined()
    clock.advance(60 * 60_000)
    expect(await remedies.goOn(id, 2, call())).toBeUndefined()
  })

  test('a person denies a call of their own; what is over is forgotten', async () => {
    const { remedies, database, clock, call, ben, lea, say } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    expect(code(await remedies.own.decline(id, { principal: lea }))).toBe('policy.approval-unknown')
    expect(await remedies.own.decline(id, { principal: ben })).toBeUndefined()
    expect(code(await remedies.ask(call()))).toBe('policy.call-denied')
    expect(code(await remedies.approvals.approve(id, say(lea)))).toBe('policy.approval-unknown')
    clock.advance(2 * askWithinMs + deniedForMs)
    got(await remedies.ask(call()))
    expect(await database.query.selectFrom('remedy_asks').select('id').where('id', '=', id).execute()).toEqual([])
  })

  test('what the ledger cannot record does not happen, whoever says it', async () => {
    const { remedies, ledger, call, ben, lea, say } = await openRemedies(open)
    const both = call({ remedies: [approval, justification, consent] })
    const { id } = got(await remedies.ask(both))
    await ledger.close()
    const state = async () => {
      const shown = await remedies.own.show(id, ben)
      return [shown?.state, shown?.missing.map(({ rule }) => rule), shown?.said]
    }
    const before = await state()
    const tries = [
      () => remedies.approvals.approve(id, say(lea)),
      () => remedies.approvals.deny(id, say(lea)),
      () => remedies.own.justify(id, { principal: ben, rule: 'f#j', said: 'x' }),
      () => remedies.own.consent(id, { principal: ben, rule: 'f#c' }),
      () => remedies.own.decline(id, { principal: ben }),
      () => remedies.ask(call({ hash: 'n'.repeat(43) })),
    ]
    for (const attempt of tries) await expect(attempt()).rejects.toThrow()
    expect(await state()).toEqual(before)
    expect(before).toEqual(['waiting', ['f#a', 'f#c', 'f#j'], []])
    expect(await remedies.consents.list(ben.id)).toEqual([])
    expect(await remedies.approvals.list(lea)).toHaveLength(1)
  })

  test('what is asked for in another order is the same, and what was given counts whoever reads it', async () => {
    const { remedies, call, ben, lea, say } = await openRemedies(open)
    const all = [approval, justification, consent]
    const { id, missing } = got(await remedies.ask(call({ remedies: all })))
    expect(missing).toEqual([
      { rule: 'f#a', kind: 'approval', count: 1 },
      { rule: 'f#c', kind: 'consent', count: 1 },
      { rule: 'f#j', kind: 'justification', count: 1 },
    ])
    expect(got(await remedies.ask(call({ remedies: all.toReversed() }))).id).toBe(id)
    got(await remedies.approvals.approve(id, say(lea)))
    await remedies.own.justify(id, { principal: ben, rule: 'f#j', said: 'x' })
    expect(code(await remedies.own.consent(id, { principal: ben, rule: 'f#j' }))).toBe('policy.approval-unknown')
    expect(code(await remedies.own.justify(id, { principal: ben, rule: 'f#c', said: 'x' }))).toBe(
      'policy.approval-unknown',
    )
    expect(got(await remedies.ask(call({ remedies: all }))).missing).toEqual([
      { rule: 'f#c', kind: 'consent', count: 1 },
    ])
    expect(await remedies.spend(call({ remedies: all }))).toBeUndefined()
    await remedies.own.consent(id, { principal: ben, rule: 'f#c' })
    expect(await remedies.own.show(id, ben)).toMatchObject({ state: 'ready' })
    // WHY: what is ready needs no more words.
    expect(code(await remedies.own.justify(id, { principal: ben, rule: 'f#j', said: 'y' }))).toBe(
      'policy.approval-unknown',
    )
    expect(await remedies.isReady(call({ remedies: all.toReversed() }))).toBe(true)
    expect(await remedies.spend(call({ remedies: all.toReversed() }))).toEqual({ id, approvers: [lea.id], round: 0 })
  })

  test('a consent that was taken back lets nothing pass, and the approvals given beside it stay', async () => {
    const { remedies, call, ben, lea, say, entries, clock } = await openRemedies(open)
    const both = call({ remedies: [approval, consent] })
    const { id } = got(await remedies.ask(both))
    await remedies.own.consent(id, { principal: ben, rule: 'f#c' })
    clock.advance(1_000)
    got(await remedies.approvals.approve(id, say(lea)))
    const [kept] = await remedies.consents.list(ben.id)
    await remedies.consents.revoke(kept?.id ?? '', ben)
    expect(await remedies.spend(both)).toBeUndefined()
    expect(await entries('remedy.voided')).toMatchObject([
      { principal: { id: ben.id, name: 'ben' }, details: { remedy: id, lapsed: [], asker: ben.id } },
    ])
    expect(got(await remedies.ask(both))).toMatchObject({
      id,
      missing: [{ rule: 'f#c', count: 1 }],
      expiresAt: clock.now() + 899_000,
    })
    await remedies.own.consent(id, { principal: ben, rule: 'f#c' })
    expect(await remedies.spend(both)).toEqual({ id, approvers: [lea.id], round: 0 })
  })

  test('two rules are approved by one who has the roles of both, and each counts those who have its own', async () => {
    const { remedies, database, clock, call, lea, max, say } = await openRemedies(open)
    const eve = await addPerson(database, clock, 'eve', 'boss')
    const byBoss = { rule: 'f#b', kind: 'approval', approvers: { roles: ['boss', 'lead'], count: 2 } } as const
    const asked = call({ remedies: [approval, byBoss] })
    const { id, missing } = got(await remedies.ask(asked))
    expect(missing).toMatchObject([
      { rule: 'f#a', count: 1 },
      { rule: 'f#b', count: 2 },
    ])
    expect(await remedies.approvals.approve(id, say(eve))).toMatchObject({ missing: 2, state: 'waiting' })
    expect(await remedies.approvals.approve(id, say(lea))).toMatchObject({ missing: 0, state: 'ready' })
    expect((await remedies.spend(asked))?.approvers.toSorted()).toEqual([eve.id, lea.id].toSorted())
    const nobody = got(await remedies.ask(call({ remedies: [{ rule: 'f#n', kind: 'approval' }] })))
    expect(nobody).toMatchObject({ missing: [{ rule: 'f#n', count: 1 }], toTell: [] })
    expect(code(await remedies.approvals.approve(nobody.id, say(max)))).toBe('policy.approval-unknown')
    const zero = { ...approval, approvers: { roles: ['lead'], count: 0 } }
    expect(got(await remedies.ask(call({ hash: 'z'.repeat(43), remedies: [zero] }))).missing).toMatchObject([
      { count: 1 },
    ])
  })

  test('a call goes on for an hour, by its person and client, up to the last moment', async () => {
    const { remedies, call, ben, lea, say, clock } = await openRemedies(open)
    const { id } = got(await remedies.ask(call()))
    got(await remedies.approvals.approve(id, say(lea)))
    got(await remedies.spend(call()))
    const elsewhere = { ...ben, credential: { ...ben.credential, id: 'another' } }
    expect(await remedies.goOn(id, 0, call({ principal: elsewhere }))).toBeUndefined()
    expect(await remedies.goOn('never', 0, call())).toBeUndefined()
    expect(await remedies.goOn(id, 1, call())).toBeUndefined()
    clock.advance(60 * 60_000 - 1)
    expect(await remedies.goOn(id, 0, call())).toEqual({ id, approvers: [], round: 1 })
    clock.advance(1)
    expect(await remedies.goOn(id, 1, call())).toBeUndefined()
  })
})

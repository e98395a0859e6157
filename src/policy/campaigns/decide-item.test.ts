import { isRefusal, type Principal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openLedger } from '../../../test/world/policy.ts'
import {
  addAccount,
  adding,
  codeOf,
  decide,
  events,
  itemOf,
  must,
  ofRole,
  reading,
  stage,
} from '../../../test/world/reviews/campaigns.ts'
import { createPolicy } from '../policy.ts'
import type { Item } from './campaign.ts'

eachDatabase('items of campaigns', (open, openAgain) => {
  test('take a revoked role at once, keep a kept one, and put both on record', async () => {
    const world = await stage(await open())
    const { policy, bo, cy, ria, clock } = world
    const items = await world.items(await world.begin(ofRole))
    const revoked = must(await decide(policy, itemOf(items, bo), ria, 'revoke', 'left'))
    expect(revoked).toMatchObject({ state: 'revoked', decidedBy: ria.id, reason: 'left', revision: 2 })
    expect(revoked.outcome).toEqual({ done: 'the role was taken', byName: 'ria' })
    expect(await policy.roles.of(bo.id)).toEqual([])
    const kept = must(await decide(policy, itemOf(items, cy), ria, 'keep', ''))
    expect(kept).toMatchObject({ state: 'kept', outcome: { done: 'it stays as it is', byName: 'ria' } })
    expect(await policy.roles.of(cy.id)).toEqual(['reader', 'writer'])
    const after = await world.items(revoked.campaign)
    const now = clock.now()
    expect([bo, cy, ria].map((person) => itemOf(after, person).decidedAt)).toEqual([now, now, null])
    const [taken] = await events(world, 'role.revoked')
    expect(taken).toMatchObject({
      principal: { id: ria.id },
      details: { person: bo.id, role: 'reader', campaign: revoked.campaign, item: revoked.place },
    })
    const decided = await events(world, 'review.decided')
    expect(decided.map(({ details }) => [details?.['decision'], details?.['reason']])).toEqual([
      ['revoke', 'left'],
      ['keep', ''],
    ])
    const { campaign, place, kind, subject, evidence, reason, outcome } = revoked
    const details = { campaign, item: place, kind, decision: 'revoke', subject, evidence, reason, outcome }
    expect(decided[0]).toMatchObject({ principal: { id: ria.id }, details })
    const again = must(await decide(policy, { ...itemOf(items, bo) }, ria, 'revoke', 'left'))
    expect(again).toEqual(revoked)
    expect(codeOf(await decide(policy, itemOf(items, bo), ria, 'keep', 'left'))).toBe('review.item-decided')
    expect(codeOf(await decide(policy, itemOf(items, bo), ria, 'revoke', 'other'))).toBe('review.item-decided')
    expect(await events(world, 'review.decided')).toHaveLength(2)
  })

  test('are for their reviewers, nobody for themselves, and only while they may', async () => {
    const world = await stage(await open())
    const { policy, database, bo, ria, rex, root } = world
    const robot = await addAccount(world, world.ria)
    const items = await world.items(await world.begin())
    const of = (person: Principal, role: string) => {
      const found = items.find(({ personId, role: its }) => personId === person.id && its === role)
      if (found === undefined) throw new Error('no such item')
      return found
    }
    const grant = items.find(({ kind, role }) => kind === 'grant' && role === 'reader')
    expect(codeOf(await decide(policy, of(bo, 'reader'), rex, 'keep'))).toBe('review.not-reviewer')
    expect(codeOf(await decide(policy, of(ria, 'reader'), ria, 'keep'))).toBe('review.own-access')
    expect(codeOf(await decide(policy, grant as Item, ria, 'keep'))).toBe('review.own-access')
    expect(codeOf(await decide(policy, of(bo, 'reader'), bo, 'keep'))).toBe('review.reviewer-without-right')
    expect(codeOf(await decide(policy, of(bo, 'reader'), robot, 'keep'))).toBe('review.reviewer-without-right')
    expect(codeOf(await decide(policy, { ...of(bo, 'reader'), campaign: 'none' }, ria, 'keep'))).toBe(
      'review.campaign-unknown',
    )
    expect(codeOf(await decide(policy, { ...of(bo, 'reader'), place: 999 }, ria, 'keep'))).toBe('review.item-unknown')
    expect(codeOf(await decide(policy, { ...of(bo, 'reader'), revision: 2 }, ria, 'keep'))).toBe('review.item-changed')
    expect(codeOf(await decide(policy, of(bo, 'reader'), ria, 'keep', 'a\nb'))).toBe('review.reason-invalid')
    expect(codeOf(await decide(policy, of(bo, 'reader'), ria, 'keep', 'x'.repeat(501)))).toBe('review.reason-invalid')
    must(await policy.roles.revoke({ personId: ria.id, role: 'reviewer', by: root }))
    expect(codeOf(await decide(policy, of(bo, 'reader'), ria, 'keep'))).toBe('review.reviewer-without-right')
    must(await policy.roles.grant({ personId: ria.id, role: 'reviewer', by: root }))
    await database.query.updateTable('people').set({ status: 'suspended' }).where('id', '=', ria.id).execute()
    expect(codeOf(await decide(policy, of(bo, 'reader'), ria, 'keep'))).toBe('review.reviewer-without-right')
    await database.query.updateTable('people').set({ status: 'active' }).where('id', '=', ria.id).execute()
    const hold = must(await policy.holds.place({ kind: 'person', subject: ria.id, reason: 'look', by: root } as never))
    expect(codeOf(await decide(policy, of(bo, 'reader'), ria, 'keep'))).toBe('review.reviewer-without-right')
    must(await policy.holds.lift(hold.id, root))
    expect(await events(world, 'review.decided')).toEqual([])
    expect(must(await decide(policy, of(bo, 'reader'), ria, 'keep', 'x'.repeat(500))).state).toBe('kept')
    expect(must(await decide(policy, of(robot, ''), ria, 'revoke')).outcome).toEqual({
      done: 'its roles were taken',
      byName: 'ria',
    })
    expect(await policy.roles.of(robot.id)).toEqual([])
    expect(must(await decide(policy, of(ria, 'reader'), rex, 'keep')).state).toBe('kept')
  })

  test('refuse a word about what changed since they began', async () => {
    const world = await stage(await open())
    const { policy, database, bo, cy, ria, root, clock } = world
    const id = await world.begin()
    const items = await world.items(id)
    const reader = (person: Principal) =>
      items.find((one) => one.personId === person.id && one.role === 'reader') as Item
    must(await policy.roles.revoke({ personId: bo.id, role: 'reader', by: root }))
    expect(codeOf(await decide(policy, reader(bo), ria, 'revoke'))).toBe('review.item-stale')
    clock.advance(1)
    must(await policy.roles.grant({ personId: bo.id, role: 'reader', by: root }))
    expect(codeOf(await decide(policy, reader(bo), ria, 'keep'))).toBe('review.item-stale')
    expect(codeOf(await decide(policy, reader(bo), ria, 'revoke'))).toBe('review.item-stale')
    expect(await policy.roles.of(bo.id)).toEqual(['reader'])
    const grants = [reading, { ...adding, resources: ['notes/tools/*'] }]
    must(await policy.roles.put({ name: 'reader', description: '', grants, owner: 'ria', by: root }))
    expect(codeOf(await decide(policy, reader(cy), ria, 'keep'))).toBe('review.item-stale')
    const second = items.find(
      ({ subject }) => subject.kind === 'grant' && subject.role === 'reader' && subject.number === 2,
    ) as Item
    expect(codeOf(await decide(policy, second, root, 'revoke'))).toBe('review.item-stale')
    const first = items.find(
      ({ subject }) => subject.kind === 'grant' && subject.role === 'reader' && subject.number === 1,
    ) as Item
    expect(must(await decide(policy, first, root, 'keep')).state).toBe('kept')
    expect(
      await database.query.selectFrom('review_items').select('id').where('state', '!=', 'open').execute(),
    ).toHaveLength(1)
  })

  test('lend no right that neither the reviewer nor who began them has, and leave the last administrator', async () => {
    const world = await stage(await open())
    const { policy, database, clock, root, rex, cy } = world
    must(
      await policy.roles.put({
        name: 'starter',
        description: '',
        grants: [{ permissions: ['roles:write', 'reviews:write'], resources: ['castellan'] }],
        by: root,
      }),
    )
    const stan = await addPerson(database, clock, 'stan', 'starter')
    const writers = { scope: { kinds: ['assignment' as const], roles: ['writer', 'admin'] } }
    const items = await world.items(await world.begin({ ...writers, by: stan }))
    const ofCy = itemOf(items, cy)
    expect(codeOf(await decide(policy, ofCy, rex, 'revoke'))).toBe('review.beyond-own-grants')
    expect(await policy.roles.of(cy.id)).toEqual(['reader', 'writer'])
    expect(must(await decide(policy, ofCy, root, 'revoke')).state).toBe('revoked')
    const lent = await world.items(await world.begin(writers))
    expect(codeOf(await decide(policy, itemOf(lent, root), rex, 'revoke'))).toBe('policy.last-admin')
    expect(await policy.roles.of(root.id)).toEqual(['admin'])
    const ann = await addPerson(database, clock, 'ann', 'admin')
    expect(must(await decide(policy, itemOf(lent, root), ann, 'revoke')).state).toBe('revoked')
    expect(await policy.roles.of(root.id)).toEqual([])
  })

  test('are handed on to whoever may look, and to nobody else', async () => {
    const world = await stage(await open())
    const { policy, bo, ria, rex, root } = world
    const items = await world.items(await world.begin(ofRole))
    const item = itemOf(items, bo)
    const hand = async (to: Principal, by: Principal = ria, revision = item.revision) =>
      policy.reviews.campaigns.delegate({
        campaign: item.campaign,
        place: item.place,
        revision,
        to: to.id,
        reason: 'on leave',
        by,
      })
    for (const nobody of [bo, ria, world.cy]) expect(codeOf(await hand(nobody))).toBe('review.delegate-invalid')
    expect(codeOf(await hand(rex, rex))).toBe('review.not-reviewer')
    expect(
      codeOf(
        await policy.reviews.campaigns.delegate({
          campaign: item.campaign,
          place: item.place,
          revision: 1,
          to: rex.id,
          reason: '\n',
          by: ria,
        }),
      ),
    ).toBe('review.reason-invalid')
    const handed = must(await hand(rex))
    expect(handed).toMatchObject({ reviewers: [rex.id], revision: 2, state: 'open' })
    expect(codeOf(await hand(root, ria, 2))).toBe('review.not-reviewer')
    expect(codeOf(await hand(root, rex, 1))).toBe('review.item-changed')
    expect(codeOf(await decide(policy, item, rex, 'keep'))).toBe('review.item-changed')
    expect(must(await decide(policy, handed, rex, 'keep')).state).toBe('kept')
    expect(codeOf(await hand(root, rex, 3))).toBe('review.item-decided')
    const [delegated] = await events(world, 'review.delegated')
    expect(delegated).toMatchObject({
      principal: { id: ria.id },
      details: { to: rex.id, from: [ria.id], reason: 'on leave' },
    })
  })

  test('say where a role comes from that will come back', async () => {
    const world = await stage(await open())
    const { policy, database, bo, cy, ria } = world
    const set = (id: string, by: string) =>
      database.query.updateTable('role_grants').set({ granted_by: by }).where('person_id', '=', id).execute()
    await set(bo.id, 'scim:corp')
    await set(cy.id, 'provider:entra')
    await set(ria.id, world.root.id)
    const items = await world.items(await world.begin(ofRole))
    expect(itemOf(items, bo).subject).toMatchObject({ how: 'directory', by: 'corp' })
    expect(itemOf(items, ria).subject).toMatchObject({ how: 'person', by: 'root', grantedBy: world.root.id })
    expect(must(await decide(policy, itemOf(items, bo), ria, 'revoke')).outcome?.source).toBe('directory corp')
    expect(must(await decide(policy, itemOf(items, cy), ria, 'revoke')).outcome?.source).toBe('provider entra')
  })

  test('of two answers at once on two nodes take one', async () => {
    const world = await stage(await open())
    const { policy, database, clock, bo, cy, ria, rex } = world
    const items = await world.items(await world.begin({ ...ofRole, reviewers: [ria.id, rex.id] }))
    const ledger = await openLedger(clock)
    const second = await createPolicy({ database: await openAgain(database), ledger, clock })
    for (const person of [bo, cy]) {
      const item = itemOf(items, person)
      const answers = await Promise.all([decide(policy, item, ria, 'keep'), decide(second, item, rex, 'revoke')])
      const done = answers.filter((one) => !isRefusal(one))
      expect(done).toHaveLength(1)
      expect(answers.map(codeOf)).toContain('review.item-decided')
      const [winner] = done as [Item]
      expect((await policy.roles.of(person.id)).includes('reader')).toBe(winner.state === 'kept')
    }
    const recorded = [...(await events(world, 'review.decided')), ...(await ledger.read({ event: 'review.decided' }))]
    expect(recorded.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(2)
    const due = await world.begin({
      whenDue: 'revoke',
      dueAt: clock.now() + 1,
      scope: { kinds: ['assignment'], roles: ['writer'] },
    })
    clock.advance(1)
    await Promise.all([policy.reviews.campaigns.settle(), second.reviews.campaigns.settle()])
    expect((await world.items(due)).map(({ state }) => state)).toEqual(['revoked'])
    const taken = [...(await events(world, 'role.revoked')), ...(await ledger.read({ event: 'role.revoked' }))]
    expect(taken.filter(({ details }) => details?.['role'] === 'writer')).toHaveLength(1)
  })
})

import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import {
  addAccount,
  adding,
  codeOf,
  dayMs,
  decide,
  events,
  everything,
  itemOf,
  must,
  ofRole,
  proposal,
  stage,
} from '../../../test/world/reviews/campaigns.ts'
import { call } from '../../../test/world/reviews/used.ts'
import type { Item, ProposedCampaign, Scope } from './campaign.ts'

eachDatabase('campaigns', (open) => {
  test('begin with what there is, and ask who answers for it', async () => {
    const world = await stage(await open())
    const robot = await addAccount(world, world.ria)
    const id = await world.begin()
    const items = await world.items(id)
    const told = items.map(({ kind, personId, role, reviewers }) => [kind, personId, role, reviewers])
    const { bo, cy, ria, rex, root } = world
    expect(told).toEqual([
      ['assignment', root.id, 'admin', []],
      ['assignment', bo.id, 'reader', [ria.id]],
      ['assignment', cy.id, 'reader', [ria.id]],
      ['assignment', ria.id, 'reader', []],
      ['assignment', rex.id, 'reviewer', []],
      ['assignment', ria.id, 'reviewer', []],
      ['assignment', cy.id, 'writer', []],
      // Ria has the role, and so she does not look at what it grants.
      ['grant', '', 'reader', []],
      ['grant', '', 'reader', []],
      ['grant', '', 'reviewer', []],
      ['grant', '', 'writer', []],
      ['account', robot.id, '', [ria.id]],
    ])
    expect(items.map(({ place }) => place)).toEqual(items.map((_, at) => at + 1))
    expect(items[8]?.subject).toEqual({ kind: 'grant', role: 'reader', number: 2, grant: adding })
    expect(items[11]?.subject).toMatchObject({ owner: 'ria', purpose: 'reads', roles: [{ role: 'reader' }] })
    const [started] = await events(world, 'review.started')
    expect(started).toMatchObject({
      outcome: 'succeeded',
      principal: { id: root.id },
      details: { campaign: id, items: 12 },
    })
    const found = must(await world.policy.reviews.campaigns.find(id))
    expect(found.counts).toEqual({ open: 12, kept: 0, revoked: 0, unanswered: 0, gone: 0 })
    expect(found.campaign).toMatchObject({ state: 'open', whenDue: 'open', createdBy: root.id, draft: null })
  })

  test('are about what their scope names: roles, servers, labels, people and kinds', async () => {
    const world = await stage(await open())
    const { database, clock, bo, rex, cy } = world
    const robot = await addAccount(world, world.ria)
    const at = { created_at: clock.now(), created_by: null, is_demo: 0 as const }
    for (const name of ['notes', 'files'])
      await database.query
        .insertInto('upstreams')
        .values({ name, transport: 'http', command: null, environment: '{}', ...at })
        .execute()
    const say = (upstream: string, tool: string, classification: object) =>
      database.query
        .insertInto('classifications')
        .values({
          upstream,
          tool,
          approved_hash: '',
          classification: JSON.stringify(classification),
          set_at: 1,
          set_by: 'x',
        })
        .execute()
    await say('files', '', { sensitivity: 'restricted', owner: 'rex' })
    await say('files', 'write', { dataClasses: ['payment'] })
    const about = async (scope: Partial<Scope>) =>
      (await world.items(await world.begin({ scope }))).map(({ kind, personId, role, reviewers }) => [
        kind,
        personId,
        role,
        reviewers,
      ])
    const files = [
      ['assignment', world.root.id, 'admin', [rex.id]],
      ['assignment', cy.id, 'writer', [rex.id]],
      ['grant', '', 'writer', [rex.id]],
    ]
    expect(await about({ servers: ['files'] })).toEqual(files)
    expect(await about({ labels: ['sensitivity:restricted'] })).toEqual(files)
    expect(await about({ labels: ['data:payment'] })).toEqual(files)
    expect(await about({ kinds: ['assignment'], people: [bo.id] })).toEqual([
      ['assignment', bo.id, 'reader', [world.ria.id]],
    ])
    expect(await about({ people: [cy.id] })).toHaveLength(2)
    expect(await about({ kinds: ['account'] })).toEqual([['account', robot.id, '', [world.ria.id]]])
    expect(await about({ kinds: ['assignment'], people: [robot.id] })).toEqual([
      ['assignment', robot.id, 'reader', [world.ria.id]],
    ])
    expect(await about({ kinds: ['grant'], servers: ['notes'], roles: ['reader'] })).toHaveLength(2)
    const begin = async (more: Partial<Omit<ProposedCampaign, 'scope'>> & { readonly scope?: Partial<Scope> }) =>
      codeOf(await world.policy.reviews.campaigns.begin(proposal(clock.now(), more), world.root))
    expect(await begin({ scope: { roles: ['reeder'] } })).toBe('review.scope-unknown')
    expect(await begin({ scope: { servers: ['elsewhere'] } })).toBe('review.scope-unknown')
    expect(await begin({ scope: { people: ['nobody'] } })).toBe('review.scope-unknown')
    expect(await begin({ scope: { labels: ['data:none'] } })).toBe('review.nothing-in-scope')
    expect(await begin({ reviewers: [bo.id] })).toBe('review.delegate-invalid')
  })

  test('are refused without a name of one line, a day to come, or with too much', async () => {
    const world = await stage(await open())
    const { clock } = world
    const begin = async (more: Partial<ProposedCampaign>) =>
      codeOf(await world.policy.reviews.campaigns.begin(proposal(clock.now(), more), world.root))
    const isBegun = expect.objectContaining({ state: 'open' })
    expect(await begin({ name: '' })).toBe('review.campaign-invalid')
    expect(await begin({ name: ' ' })).toBe('review.campaign-invalid')
    expect(await begin({ name: 'a\nb' })).toBe('review.campaign-invalid')
    expect(await begin({ name: 'x'.repeat(200) })).toEqual(isBegun)
    expect(await begin({ name: 'x'.repeat(201) })).toBe('review.campaign-invalid')
    expect(await begin({ dueAt: clock.now() })).toBe('review.campaign-invalid')
    expect(await begin({ dueAt: clock.now() + 1 })).toEqual(isBegun)
    expect(await begin({ dueAt: clock.now() + 366 * dayMs })).toEqual(isBegun)
    expect(await begin({ dueAt: clock.now() + 366 * dayMs + 1 })).toBe('review.campaign-invalid')
    expect(await begin({ dueAt: Number.NaN })).toBe('review.campaign-invalid')
    expect(await begin({ reviewers: Array.from({ length: 50 }, () => world.rex.id) })).toEqual(isBegun)
    expect(await begin({ reviewers: Array.from({ length: 51 }, () => world.rex.id) })).toBe('review.campaign-invalid')
    const scope = (length: number) => ({ ...everything, people: Array.from({ length }, () => world.bo.id) })
    expect(await begin({ scope: scope(500) })).toEqual(isBegun)
    expect(await begin({ scope: scope(501) })).toBe('review.campaign-invalid')
    expect(await events(world, 'review.started')).toHaveLength(5)
  })

  test('say what is wrong with them', async () => {
    const world = await stage(await open())
    const saysOf = async (more: Partial<ProposedCampaign>) => {
      const refused = await world.policy.reviews.campaigns.begin(proposal(world.clock.now(), more), world.root)
      return isRefusal(refused) ? refused.says : 'begun'
    }
    const many = Array.from({ length: 501 }, () => 'x')
    const says = (problem: string) => `a campaign cannot be begun like this: \`${problem}\``
    expect(await saysOf({ name: '' })).toBe(says('its name is one line of at most 200 characters'))
    expect(await saysOf({ dueAt: 0 })).toBe(says('it is due at a moment to come, within 366 days'))
    expect(await saysOf({ reviewers: many })).toBe(says('it has at most 50 reviewers'))
    for (const kind of ['roles', 'servers', 'labels', 'people'] as const) {
      const scope = { ...everything, [kind]: many }
      expect(await saysOf({ scope }), kind).toBe(says('its scope names at most 500 of a kind'))
    }
  })

  test('of 10,000 items begin, and of one more do not', async () => {
    const world = await stage(await open())
    const { database } = world
    const rows = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => ({
        person_id: `many-${from + at}`,
        role: 'writer',
        granted_at: 1,
        granted_by: null,
      }))
    const fill = async (from: number, to: number) => {
      for (let at = from; at < to; at += 1000) {
        const some = rows(at, Math.min(to, at + 1000))
        await database.query
          .insertInto('people')
          .values(
            some.map(({ person_id: id }) => ({
              id,
              name: id,
              display_name: id,
              status: 'active' as const,
              password_hash: null,
              created_at: 1,
              updated_at: 1,
            })),
          )
          .execute()
        await database.query.insertInto('role_grants').values(some).execute()
      }
    }
    await fill(0, 9_999)
    const writers = { scope: { kinds: ['assignment' as const], roles: ['writer'] } }
    expect(
      (
        await world.policy.reviews.campaigns.items({ campaign: await world.begin(writers), after: 9_999, limit: 5 })
      ).map(({ place }) => place),
    ).toEqual([10_000])
    await fill(9_999, 10_000)
    const refused = await world.policy.reviews.campaigns.begin(proposal(world.clock.now(), writers), world.root)
    expect(codeOf(refused)).toBe('review.campaign-too-large')
  })

  test('tell reviewers once when asked, soon before and when due', async () => {
    const world = await stage(await open())
    const { policy, clock, ria, rex, root, bo } = world
    const id = await world.begin({ ...ofRole, dueAt: clock.now() + 10 * dayMs })
    const { campaigns } = policy.reviews
    const tell = async () => {
      const tellings = await campaigns.tellings()
      for (const one of tellings) await campaigns.markTold(one)
      return tellings.map(({ what, people }) => [what, people])
    }
    const everybody = [rex.id, ria.id, root.id].toSorted()
    expect(await tell()).toEqual([['asked', everybody]])
    expect(await tell()).toEqual([])
    clock.advance(7 * dayMs - 1)
    expect(await tell()).toEqual([])
    clock.advance(1)
    expect(await tell()).toEqual([['soon', everybody]])
    const own = (await world.items(id)).find(({ personId }) => personId === ria.id) as Item
    must(await decide(policy, own, rex, 'keep'))
    clock.advance(3 * dayMs)
    const [due] = await campaigns.tellings()
    expect([due?.what, due?.people.toSorted()]).toEqual(['due', [ria.id, root.id].toSorted()])
    expect((await tell()).length).toBe(1)
    expect(await tell()).toEqual([])
    must(await campaigns.close({ id, mayLeaveOpen: true, by: root }))
    const quick = await world.begin({ ...ofRole, reviewers: [rex.id], dueAt: clock.now() + dayMs })
    expect(await tell()).toEqual([['asked', [rex.id]]])
    expect(await tell()).toEqual([['soon', [rex.id]]])
    expect((await campaigns.list({ limit: 1 })).map((one) => one.id)).toEqual([quick])
    expect((await campaigns.list({ limit: 9, before: quick })).map((one) => one.id)).toEqual([id])
    expect(bo.name).toBe('bo')
  })

  test('show with each item when it was used last, by which entry', async () => {
    const world = await stage(await open())
    const { policy, bo, cy, clock } = world
    const robot = await addAccount(world, world.ria)
    const at = clock.now()
    await call(world, { by: bo, rules: ['role:reader#1'] })
    const { seq } = await call(world, { by: bo, rules: ['role:reader#1'] })
    const other = await call(world, { by: robot, rules: ['role:reader#2'] })
    clock.advance(dayMs)
    await policy.reviews.count()
    const items = await world.items(await world.begin({ scope: { roles: ['reader'] } }))
    const [ledger] = (await policy.reviews.horizon()).ledgers
    const of = (uses: number, entry: number) => ({ uses, lastAt: at, seq: entry, ledger: ledger?.ledger })
    const none = { uses: 0, lastAt: null, seq: null, ledger: null }
    expect(itemOf(items, bo).evidence).toEqual(of(2, seq))
    expect(itemOf(items, cy).evidence).toEqual(none)
    expect(itemOf(items, robot).evidence).toEqual(of(1, other.seq))
    const grants = items.filter(({ kind }) => kind === 'grant').map(({ evidence }) => evidence)
    expect(grants).toEqual([of(2, seq), of(1, other.seq)])
    const found = must(await policy.reviews.campaigns.list({ limit: 1 }))
    expect(found[0]?.evidence).toEqual({ since: clock.now() - 90 * dayMs, from: at, upTo: clock.now() })
  })
})

import { isRefusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson } from '../../../test/world/policy.ts'
import { addAccount, codeOf, must, proposal, stage, type Stage } from '../../../test/world/reviews/campaigns.ts'
import type { Scope } from './campaign.ts'
import { roleHash } from './freeze.ts'

async function about(world: Stage, scope: Partial<Scope>, reviewers: readonly string[] = []) {
  const items = await world.items(await world.begin({ scope, reviewers }))
  return items.map(({ kind, personId, role, reviewers: asked }) => [kind, personId, role, asked])
}

async function label(world: Stage, upstream: string, classification: object) {
  const { database, clock } = world
  const known = await database.query.selectFrom('upstreams').select('name').where('name', '=', upstream).execute()
  const made = { created_at: clock.now(), created_by: null, is_demo: 0 as const }
  const place = { transport: 'http' as const, command: null, environment: '{}' }
  if (known.length === 0)
    await database.query
      .insertInto('upstreams')
      .values({ name: upstream, ...place, ...made })
      .execute()
  const text = JSON.stringify(classification)
  await database.query
    .insertInto('classifications')
    .values({ upstream, tool: '', approved_hash: '', classification: text, set_at: 1, set_by: 'x' })
    .execute()
}

eachDatabase('what a campaign begins with', (open) => {
  test('is open, undecided and of its first form, item by item', async () => {
    const world = await stage(await open())
    const items = await world.items(await world.begin({ scope: { roles: ['writer'] } }))
    expect(items.map(({ kind }) => kind)).toEqual(['assignment', 'grant'])
    for (const { state, revision, decidedBy, decidedAt, reason, outcome } of items) {
      expect({ state, revision, decidedBy, decidedAt, reason, outcome }).toEqual({
        state: 'open',
        revision: 1,
        decidedBy: null,
        decidedAt: null,
        reason: '',
        outcome: null,
      })
    }
    const [assignment] = items
    expect(assignment?.subject).toEqual({
      kind: 'assignment',
      person: { id: world.cy.id, name: 'cy', kind: 'person' },
      role: 'writer',
      roleHash: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/) as unknown,
      grantedAt: world.clock.now(),
      grantedBy: null,
      how: expect.any(String) as unknown,
      by: null,
    })
  })

  test('is of the kinds that are asked for, and grants are not asked of a campaign about people', async () => {
    const world = await stage(await open())
    const { cy, ria } = world
    const robot = await addAccount(world, ria)
    const kinds = async (scope: Partial<Scope>) => (await about(world, scope)).map(([kind]) => kind)
    expect(await kinds({ kinds: ['grant'], roles: ['writer'] })).toEqual(['grant'])
    expect(await kinds({ kinds: ['grant'], roles: ['writer'], people: [cy.id] })).toEqual(['grant'])
    expect(await kinds({ roles: ['writer'], people: [cy.id] })).toEqual(['assignment'])
    expect(await kinds({ kinds: ['assignment', 'account'], roles: ['reader'], people: [robot.id, cy.id] })).toEqual([
      'assignment',
      'account',
    ])
    // What a program has is no matter of a campaign about other roles.
    expect(await kinds({ kinds: ['account', 'assignment'], roles: ['writer'] })).toEqual(['assignment'])
  })

  test('knows servers by the labels that they carry, by any of them', async () => {
    const world = await stage(await open())
    await label(world, 'files', { sensitivity: 'restricted', dataClasses: ['payment', 'health'] })
    await label(world, 'notes', {})
    const writer = ['assignment', 'grant']
    const roles = async (...labels: string[]) =>
      (await about(world, { labels, roles: ['writer'] })).map(([kind]) => kind)
    expect(await roles('sensitivity:restricted')).toEqual(writer)
    expect(await roles('data:health')).toEqual(writer)
    expect(await roles('data:none', 'data:payment')).toEqual(writer)
    const none = async (one: string) =>
      codeOf(
        await world.policy.reviews.campaigns.begin(
          proposal(world.clock.now(), { scope: { labels: [one], roles: ['writer'] } }),
          world.root,
        ),
      )
    for (const one of ['sensitivity:', 'sensitivity:public', 'data:restricted', 'restricted', 'data:'])
      expect(await none(one), one).toBe('review.nothing-in-scope')
  })

  test('is asked of named reviewers, but nobody of what they have', async () => {
    const world = await stage(await open())
    const { bo, cy, ria, rex } = world
    expect(await about(world, { kinds: ['assignment'], roles: ['reader'] }, [ria.id, rex.id])).toEqual([
      ['assignment', bo.id, 'reader', [ria.id, rex.id]],
      ['assignment', cy.id, 'reader', [ria.id, rex.id]],
      ['assignment', ria.id, 'reader', [rex.id]],
    ])
    expect(await about(world, { kinds: ['grant'], roles: ['reader'] }, [ria.id, rex.id])).toEqual([
      ['grant', '', 'reader', [rex.id]],
      ['grant', '', 'reader', [rex.id]],
    ])
  })

  test('is asked of the owner of a server where a role has none, and of the owner of a program only while they may', async () => {
    const world = await stage(await open())
    const { policy, database, clock, rex, cy, root, bo } = world
    await label(world, 'files', { owner: ' REX ' })
    expect(await about(world, { roles: ['writer'] })).toEqual([
      ['assignment', cy.id, 'writer', [rex.id]],
      ['grant', '', 'writer', [rex.id]],
    ])
    const robot = await addAccount(world, bo)
    expect(await about(world, { kinds: ['account'] })).toEqual([['account', robot.id, '', []]])
    must(await policy.roles.grant({ personId: bo.id, role: 'reviewer', by: root }))
    expect(await about(world, { kinds: ['account'] })).toEqual([['account', robot.id, '', [bo.id]]])
    // Owners of two servers of one role are both asked, each once.
    const una = await addPerson(database, clock, 'una', 'reviewer')
    const both = [{ permissions: ['tools:call'], resources: ['files/tools/a', 'bank/tools/b', 'files/tools/c'] }]
    must(await policy.roles.put({ name: 'both', description: '', grants: both, by: root }))
    await label(world, 'bank', { owner: 'una' })
    expect(await about(world, { kinds: ['grant'], roles: ['both'] })).toEqual([
      [
        'grant',
        '',
        'both',
        expect.toSatisfy((ids: string[]) => ids.toSorted().join() === [una.id, rex.id].toSorted().join()),
      ],
    ])
  })

  test('says who may not be asked', async () => {
    const world = await stage(await open())
    const refused = await world.policy.reviews.campaigns.begin(
      proposal(world.clock.now(), { reviewers: [world.rex.id, world.bo.id] }),
      world.root,
    )
    expect(isRefusal(refused) && refused.says).toContain(world.bo.id)
    const role = await world.policy.reviews.campaigns.begin(
      proposal(world.clock.now(), { scope: { roles: ['reader', 'reeder'] } }),
      world.root,
    )
    expect(isRefusal(role) && role.says).toMatch(/role.*reeder/)
  })
})

test('the hash of a role changes with what it grants, and with nothing else', () => {
  const grant = { permissions: ['tools:call'], resources: ['files'] }
  const hash = roleHash({ grants: [grant] })
  expect(hash).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(roleHash({ grants: [{ resources: ['files'], permissions: ['tools:call'] }] })).toBe(hash)
  for (const grants of [[], [grant, grant], [{ ...grant, stepUp: true }], [{ ...grant, when: 'true' }]] as const)
    expect(roleHash({ grants })).not.toBe(hash)
})

import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy } from '../../../test/world/policy.ts'
import { access, call, publish, put, reading, said, writing } from '../../../test/world/reviews/used.ts'
import type { AccessFilter } from './access.ts'

eachDatabase('reviews of access', (open) => {
  test('tell who has which role, by whom, with the use that the ledger shows, page by page', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock, root } = world
    await put(world, 'reader', [reading])
    await put(world, 'writer', [writing])
    const bo = await addPerson(database, clock, 'bo')
    await policy.roles.grant({ personId: bo.id, role: 'reader', by: root })
    const given = (id: string, role: string, by: string | null) =>
      database.query.insertInto('role_grants').values({ person_id: id, role, granted_at: 5, granted_by: by }).execute()
    const cy = await addPerson(database, clock, 'cy')
    await given(cy.id, 'reader', 'scim:corp')
    await given(cy.id, 'writer', 'provider:entra')
    await policy.refresh()
    await call(world, { by: bo, rules: ['role:reader#1'] })
    const last = await call(world, { by: bo, rules: ['role:reader#1'] })
    await call(world, { by: cy, rules: ['role:reader#1'], kind: 'server' })
    // A role that nobody gave her: by a claim of an issuer.
    await call(world, {
      by: { ...root, roles: ['writer'] },
      tool: 'write',
      upstream: 'files',
      rules: ['role:writer#1'],
    })
    await policy.reviews.count()

    const lines = await access(world)
    expect(lines.map(said).toSorted()).toEqual([
      'bo reader person root: 2',
      'cy reader directory corp: 1',
      'cy writer provider entra: 0',
      'root admin castellan -: 0',
      'root writer claim -: 1',
    ])
    const [line] = (await access(world, { person: bo.id })).filter(({ kind }) => kind === 'role')
    expect(line).toMatchObject({
      kind: 'role',
      person: { id: bo.id, name: 'bo', kind: 'person', status: 'active' },
      hold: null,
      use: { uses: 2, lastAt: clock.now(), seq: last.seq },
      grants: [{ permit: { rule: 'role:reader#1', place: 'role reader#1', grant: reading }, barriers: [] }],
    })
    expect((await access(world, { role: 'writer' })).map(said)).toEqual([
      'cy writer provider entra: 0',
      'root writer claim -: 1',
    ])
    expect((await access(world, { role: 'nobody-has-it' })).map(said)).toEqual([])
  })

  test('go from a server or a tool to whoever reaches it', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock } = world
    await put(world, 'reader', [reading])
    await put(world, 'writer', [writing, { permissions: ['tools:call'], resources: ['notes/tools/add'] }])
    await put(world, 'asker', [{ permissions: ['prompts:get'], resources: ['notes/prompts/*'] }])
    for (const [name, role] of [
      ['bo', 'reader'],
      ['cy', 'writer'],
      ['di', 'asker'],
      ['vi', 'viewer'],
    ] as const)
      await addPerson(database, clock, name, role)
    await policy.refresh()
    const names = async (filter: Partial<AccessFilter>) =>
      (await access(world, filter)).flatMap((line) => (line.kind === 'role' ? [line.person.name] : [])).toSorted()
    expect(await names({ thing: { upstream: 'notes' } })).toEqual(['bo', 'cy', 'di', 'root'])
    expect(await names({ thing: { upstream: 'files' } })).toEqual(['cy', 'root'])
    expect(await names({ thing: { upstream: 'notes', kind: 'tool', name: 'add' } })).toEqual(['bo', 'cy', 'root'])
    expect(await names({ thing: { upstream: 'notes', kind: 'tool', name: 'other' } })).toEqual(['bo', 'root'])
    expect(await names({ thing: { upstream: 'notes', kind: 'prompt', name: 'x' } })).toEqual(['di', 'root'])
    expect(await names({ thing: { upstream: 'notes', kind: 'resource', name: 'x' } })).toEqual(['root'])
    expect(await names({ thing: { upstream: 'elsewhere' } })).toEqual(['root'])
    const [cy] = await access(world, { role: 'writer', thing: { upstream: 'files' } })
    expect(cy?.kind === 'role' && cy.grants.map(({ permit }) => permit.rule)).toEqual(['role:writer#1'])
    expect(await names({ role: 'reader', thing: { upstream: 'files' } })).toEqual([])
  })

  test('tell rules of policy files, and what may forbid what a grant permits', async () => {
    const world = await openPolicy(await open())
    const { policy, database, clock, root } = world
    await put(world, 'reader', [reading])
    await put(world, 'payer', [{ permissions: ['tools:call'], resources: ['bank/tools/pay'], stepUp: true }])
    const bo = await addPerson(database, clock, 'bo', 'reader', 'payer')
    await publish(
      world,
      `@id("all-read") permit (principal in Castellan::Role::"reader", action in Castellan::Action::"tools:call", resource) when { resource.upstream == "wiki" };
@id("quiet") @shadow permit (principal, action, resource) when { resource.upstream == "wiki" };
@id("no-notes") forbid (principal, action in Castellan::Action::"tools:call", resource is Castellan::Tool) when { resource.upstream == "notes" };
@id("ask") @remedy("approval") @approvers("admin") forbid (principal == Castellan::Person::"${bo.id}", action in Castellan::Action::"tools:call", resource is Castellan::Tool) when { resource.upstream == "bank" };
@id("not-him") forbid (principal == Castellan::Person::"${root.id}", action in Castellan::Action::"tools:call", resource is Castellan::Tool) when { resource.upstream == "bank" };`,
    )
    await call(world, { by: bo, upstream: 'wiki', rules: ['more.cedar#all-read'] })
    await policy.reviews.count()
    const lines = await access(world)
    expect(lines.filter(({ kind }) => kind === 'rule').map(said)).toEqual(['role reader by more.cedar#all-read: 1'])
    const barriersOf = (role: string) =>
      lines.flatMap((line) =>
        line.kind === 'role' && line.person.id === bo.id && line.role === role
          ? line.grants.flatMap(({ barriers }) => barriers)
          : [],
      )
    expect(barriersOf('reader')).toEqual([{ rule: 'more.cedar#no-notes', place: 'more.cedar:3', remedy: undefined }])
    expect(barriersOf('payer')).toEqual([
      { rule: 'role:payer#1!step-up', place: 'role payer#1', remedy: 'step-up' },
      { rule: 'more.cedar#ask', place: 'more.cedar:4', remedy: 'approval' },
    ])
    const own = await access(world, { person: root.id })
    expect(own.map(said)).toEqual(['root admin castellan -: 0'])
    expect(own[0]?.kind === 'role' && own[0].grants[0]?.barriers.map(({ rule }) => rule)).toEqual([
      'more.cedar#no-notes',
      'more.cedar#not-him',
    ])
    const wiki = await access(world, { thing: { upstream: 'wiki' } })
    expect(wiki.map(said)).toEqual(['root admin castellan -: 0', 'role reader by more.cedar#all-read: 1'])
    await policy.holds.place({ kind: 'person', subject: bo.id, reason: 'look', by: root } as never)
    await policy.refresh()
    expect((await access(world, { person: bo.id })).map((line) => line.kind === 'role' && line.hold !== null)).toEqual([
      true,
      true,
      false,
    ])
  })
})

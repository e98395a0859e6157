import { isRefusal, type Principal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy, type PolicyWorld } from '../../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { createPolicy } from '../policy.ts'

const grants = [{ permissions: ['servers:use', 'tools:call'], resources: ['files', 'files/*'] }]

function codeOf(outcome: unknown): string {
  return isRefusal(outcome) ? outcome.code : 'done'
}

function put({ policy, root }: PolicyWorld, name: string, by: Principal = root, given = grants) {
  return policy.roles.put({ name, description: 'for files', grants: given, by })
}

eachDatabase('roles', (open, openAgain) => {
  test('a role that was put is found, in force and recorded with its grants and hash', async () => {
    const world = await openPolicy(await open())
    expect(await put(world, 'files')).toEqual({
      name: 'files',
      description: 'for files',
      grants,
      isShipped: false,
      updatedAt: world.clock.now(),
    })
    expect(await world.policy.roles.find('files')).toMatchObject({ grants, description: 'for files' })
    const { version, hash } = world.policy.snapshot()
    expect(version).toBe(2)
    const entry = (await world.ledger.read({ event: 'policy.published' })).find((one) => one.principal !== undefined)
    expect(entry).toMatchObject({ outcome: 'succeeded', principal: { id: world.root.id } })
    expect(entry?.details).toMatchObject({ change: 'put', role: 'files', version: 2, hash })
    expect(JSON.stringify(entry?.details)).toContain('files/*')
  })

  test('hostile names in grants are stored, compiled and judged as they are', async () => {
    const world = await openPolicy(await open())
    const names = [
      '"); permit(principal, action, resource); //',
      '\\" || true',
      'two\nlines',
      '__proto__',
      '\u0000',
      '\u202E',
    ]
    const given = [{ permissions: ['tools:call'], resources: names.map((name) => `files/tools/${name}`) }]
    expect(codeOf(await put(world, 'odd', world.root, given))).toBe('done')
    const ada = { ...world.root, roles: ['odd'] }
    const may = (name: string) =>
      world.policy.decide(ada, 'tools:call', { upstream: 'files', kind: 'tool', name }).isAllowed
    expect(names.filter((name) => !may(name))).toEqual([])
    expect(['x', '"', 'true', 'toString', 'two\\nlines', 'two lines'].filter(may)).toEqual([])
    const restarted = await createPolicy(world)
    expect(restarted.snapshot()).toEqual(world.policy.snapshot())
  })

  test('shipped roles are not changed or removed, whoever asks', async () => {
    const world = await openPolicy(await open())
    for (const name of ['admin', 'analyst', 'viewer']) {
      expect(codeOf(await put(world, name))).toBe('policy.role-shipped')
      expect(codeOf(await world.policy.roles.remove(name, world.root))).toBe('policy.role-shipped')
    }
    expect(world.policy.snapshot().version).toBe(1)
  })

  test('an invalid role changes and records nothing', async () => {
    const world = await openPolicy(await open())
    const before = await world.ledger.read({ limit: 100 })
    const bad = [{ permissions: ['tools:call'], resources: ['files'] }]
    expect(codeOf(await put(world, 'files', world.root, bad))).toBe('policy.permission-idle')
    expect(await world.policy.roles.find('files')).toBeUndefined()
    expect(world.policy.snapshot().version).toBe(1)
    expect(await world.ledger.read({ limit: 100 })).toEqual(before)
  })

  test('a ledger that cannot write leaves roles, holders and snapshots as they were', async () => {
    const world = await openPolicy(await open())
    const ada = await addPerson(world.database, world.clock, 'ada', 'viewer')
    await put(world, 'files')
    await world.ledger.close()
    const { roles } = world.policy
    await expect(put(world, 'more')).rejects.toThrow()
    await expect(roles.remove('files', world.root)).rejects.toThrow()
    await expect(roles.grant({ personId: ada.id, role: 'files', by: world.root })).rejects.toThrow()
    await expect(roles.revoke({ personId: ada.id, role: 'viewer', by: world.root })).rejects.toThrow()
    expect((await roles.list()).map((role) => role.name)).toEqual(['admin', 'analyst', 'files', 'viewer'])
    expect(await roles.of(ada.id)).toEqual(['viewer'])
    const rows = await world.database.query.selectFrom('policy_snapshots').select('version').execute()
    expect(rows).toHaveLength(2)
  })

  test('a removed role is taken from everybody, and does not come back with a new role of its name', async () => {
    const world = await openPolicy(await open())
    const { roles } = world.policy
    const ada = await addPerson(world.database, world.clock, 'ada')
    await put(world, 'files')
    expect(await roles.grant({ personId: ada.id, role: 'files', by: world.root })).toEqual(['files'])
    expect(codeOf(await roles.remove('files', world.root))).toBe('done')
    expect(await roles.of(ada.id)).toEqual([])
    const late = await addPerson(world.database, world.clock, 'late', 'files')
    await put(world, 'files')
    expect([await roles.of(ada.id), await roles.of(late.id)]).toEqual([[], []])
    expect(await roles.grant({ personId: ada.id, role: 'files', by: world.root })).toEqual(['files'])
    await put(world, 'files')
    expect(await roles.of(ada.id)).toEqual(['files'])
    expect(codeOf(await roles.remove('never-was', world.root))).toBe('policy.role-unknown')
  })

  test('roles are given and taken once, and each change is recorded once', async () => {
    const { policy, ledger, database, clock, root } = await openPolicy(await open())
    const ada = await addPerson(database, clock, 'ada')
    const change = { personId: ada.id, role: 'viewer', by: root }
    expect(await policy.roles.grant(change)).toEqual(['viewer'])
    expect(await policy.roles.grant({ ...change, role: 'analyst' })).toEqual(['analyst', 'viewer'])
    expect(await policy.roles.grant(change)).toEqual(['analyst', 'viewer'])
    expect(await policy.roles.revoke(change)).toEqual(['analyst'])
    expect(await policy.roles.revoke(change)).toEqual(['analyst'])
    expect(await ledger.read({ event: 'role.granted' })).toHaveLength(2)
    const [revoked, ...more] = await ledger.read({ event: 'role.revoked' })
    expect(more).toEqual([])
    expect(revoked).toMatchObject({ outcome: 'succeeded', principal: { id: root.id }, details: { role: 'viewer' } })
  })

  test('unknown roles and people are refused', async () => {
    const { policy, root } = await openPolicy(await open())
    const outcomes = [
      await policy.roles.grant({ personId: root.id, role: 'ghost', by: root }),
      await policy.roles.revoke({ personId: root.id, role: '__proto__', by: root }),
      await policy.roles.grant({ personId: 'nobody', role: 'viewer', by: root }),
    ]
    expect(outcomes.map(codeOf)).toEqual(['policy.role-unknown', 'policy.role-unknown', 'policy.person-unknown'])
  })

  test('the last active administrator keeps the role', async () => {
    const { policy, database, clock, root } = await openPolicy(await open())
    const other = await addPerson(database, clock, 'other', 'admin')
    await database.query.updateTable('people').set({ status: 'suspended' }).where('id', '=', other.id).execute()
    const take = (personId: string) => policy.roles.revoke({ personId, role: 'admin', by: root })
    expect(codeOf(await take(root.id))).toBe('policy.last-admin')
    await database.query.updateTable('people').set({ status: 'active' }).execute()
    expect(codeOf(await take(root.id))).toBe('done')
    expect(codeOf(await take(other.id))).toBe('policy.last-admin')
  })

  test('an administrator who has not chosen a password yet is no other administrator', async () => {
    const { policy, database, clock, root } = await openPolicy(await open())
    const invited = await addPerson(database, clock, 'invited', 'admin')
    await database.query.updateTable('people').set({ password_hash: null }).where('id', '=', invited.id).execute()
    const taken = await policy.roles.revoke({ personId: root.id, role: 'admin', by: root })
    expect(codeOf(taken)).toBe('policy.last-admin')
  })

  test('two administrators who remove each other on two nodes leave one', async () => {
    const first = await openPolicy(await open())
    const second = await createPolicy({ ...first, database: await openAgain(first.database) })
    const other = await addPerson(first.database, first.clock, 'other', 'admin')
    const outcomes = await Promise.all([
      first.policy.roles.revoke({ personId: other.id, role: 'admin', by: first.root }),
      second.roles.revoke({ personId: first.root.id, role: 'admin', by: other }),
    ])
    expect(outcomes.map(codeOf).toSorted()).toEqual(['done', 'policy.last-admin'])
  })

  test('nobody gives, takes or edits more than they have', async () => {
    const world = await openPolicy(await open())
    const { roles } = world.policy
    const own = [{ permissions: ['people:write', 'roles:write'], resources: ['castellan'] }]
    await put(world, 'helpdesk', world.root, own)
    await put(world, 'files')
    const desk = await addPerson(world.database, world.clock, 'desk', 'helpdesk')
    const everything = [{ permissions: ['*'], resources: ['*'] }]
    const outcomes = [
      await roles.grant({ personId: desk.id, role: 'admin', by: desk }),
      await roles.revoke({ personId: world.root.id, role: 'admin', by: desk }),
      await put(world, 'helpdesk', desk, everything),
      await put(world, 'files', desk, own),
      await roles.remove('files', desk),
      await roles.refuseGiving(['helpdesk', 'admin'], desk),
    ]
    expect(new Set(outcomes.map(codeOf))).toEqual(new Set(['policy.beyond-own-grants']))
    expect(await roles.refuseGiving(['helpdesk'], desk)).toBeUndefined()
    expect(codeOf(await roles.refuseGiving(['ghost'], world.root))).toBe('policy.role-unknown')
    expect(codeOf(await roles.grant({ personId: desk.id, role: 'helpdesk', by: desk }))).toBe('done')
  })
})

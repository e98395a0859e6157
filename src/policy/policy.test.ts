import { isRefusal, type Principal } from '#kernel'
import type { Database } from '#platform/database'
import { createTestClock } from '../../test/world/clock.ts'
import { eachDatabase } from '../../test/world/databases.ts'
import { addPerson, openLedger, openPolicy, principalOf, type PolicyWorld } from '../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { createPolicy, type Policy } from './policy.ts'
import { hashOf } from './snapshot/store.ts'

const anything = { upstream: 'notes', kind: 'tool', name: 'anything' } as const
const unavailable = expect.objectContaining({ name: 'Fault', code: 'policy.unavailable' })

function may(policy: Policy, principal: Principal) {
  return policy.decide(principal, 'tools:call', anything).isAllowed
}

async function putNotes({ policy, root }: Pick<PolicyWorld, 'policy' | 'root'>, name = 'mine', tool = '*') {
  const grants = [{ permissions: ['tools:call'], resources: [`notes/tools/${tool}`] }]
  return policy.roles.put({ name, description: '', grants, by: root })
}

async function tamper(
  database: Database,
  change: 'role' | 'text' | 'hash' | 'text and hash' | 'new version' | 'document' | 'no document',
) {
  const { query } = database
  const row = await query
    .selectFrom('policy_snapshots')
    .selectAll()
    .orderBy('version', 'desc')
    .executeTakeFirstOrThrow()
  const cedar = `${row.cedar}\npermit (principal, action, resource);\n`
  const everything = JSON.stringify([{ permissions: ['*'], resources: ['*'] }])
  if (change === 'role')
    await query.updateTable('roles').set({ grants: everything }).where('name', '=', 'mine').execute()
  if (change === 'text') await query.updateTable('policy_snapshots').set({ cedar }).execute()
  if (change === 'hash')
    await query
      .updateTable('policy_snapshots')
      .set({ hash: hashOf(cedar, row.document) })
      .execute()
  if (change === 'text and hash')
    await query
      .updateTable('policy_snapshots')
      .set({ cedar, hash: hashOf(cedar, row.document) })
      .execute()
  if (change === 'document') {
    const document = (row.document ?? '').replace('"note":""', '"note":"nothing to see"')
    await query.updateTable('policy_snapshots').set({ document }).where('version', '=', row.version).execute()
  }
  if (change === 'no document') {
    const made = { document: null, hash: hashOf(row.cedar, null) }
    await query.updateTable('policy_snapshots').set(made).where('version', '=', row.version).execute()
  }
  if (change === 'new version') {
    const next = { ...row, version: row.version + 1, cedar, hash: hashOf(cedar, row.document) }
    await query.insertInto('policy_snapshots').values(next).execute()
  }
}

eachDatabase('policy', (open, openAgain) => {
  test('a new database gets the shipped roles in snapshot 1, recorded', async () => {
    const { database, policy, root, ledger } = await openPolicy(await open())
    expect((await policy.roles.list()).map((role) => [role.name, role.isShipped])).toEqual([
      ['admin', true],
      ['analyst', true],
      ['viewer', true],
    ])
    const { version, hash, cedar } = policy.snapshot()
    const { document } = await database.query
      .selectFrom('policy_snapshots')
      .select('document')
      .executeTakeFirstOrThrow()
    expect({ version, hash }).toEqual({ version: 1, hash: hashOf(cedar, document) })
    expect(may(policy, root)).toBe(true)
    const entries = await ledger.read({ event: 'policy.published' })
    expect(entries.map((entry) => [entry.outcome, entry.details?.['hash']])).toEqual([['succeeded', hash]])
  })

  test('a second start and a second node publish nothing', async () => {
    const { database, clock } = await openPolicy(await open())
    const other = await openAgain(database)
    const again = await createPolicy({ database: other, ledger: await openLedger(clock), clock })
    expect(again.snapshot().version).toBe(1)
  })

  test('two nodes that start at once on a new database publish one snapshot', async () => {
    const database = await open()
    const other = await openAgain(database)
    const clock = createTestClock()
    const ledger = await openLedger(clock)
    const both = await Promise.all([database, other].map((one) => createPolicy({ database: one, ledger, clock })))
    expect(both.map((policy) => policy.snapshot().version)).toEqual([1, 1])
  })

  test('demo roles are added once, and not again after an administrator removed one', async () => {
    const { policy, root } = await openPolicy(await open())
    await policy.seedDemoRoles()
    await policy.seedDemoRoles()
    expect(policy.snapshot().version).toBe(2)
    const reader = principalOf('p', 'ada', 'notes-reader')
    expect(policy.decide(reader, 'servers:use', { upstream: 'notes', kind: 'server' }).isAllowed).toBe(true)
    expect(policy.decide(reader, 'tools:call', { ...anything, name: 'read_note' }).isAllowed).toBe(true)
    expect(may(policy, reader)).toBe(false)
    expect(may(policy, principalOf('p', 'bob', 'notes-writer'))).toBe(true)
    expect(isRefusal(await policy.roles.remove('notes-writer', root))).toBe(false)
    await policy.seedDemoRoles()
    expect(await policy.roles.find('notes-writer')).toBeUndefined()
  })

  test('an unchanged database makes refresh return at once', async () => {
    const { policy } = await openPolicy(await open())
    await policy.refresh()
    expect(policy.refresh()).toBeUndefined()
  })

  test('a change of rows that are not policy keeps the parsed snapshot and its decisions', async () => {
    const { policy, database, clock, root } = await openPolicy(await open())
    const before = policy.decide(root, 'tools:call', anything)
    await addPerson(database, clock, 'someone')
    await policy.refresh()
    expect(policy.decide(root, 'tools:call', anything)).toEqual(before)
  })

  test('a change on one node is in force on the other at its next refresh', async () => {
    const first = await openPolicy(await open())
    const other = await openAgain(first.database)
    const second = await createPolicy({ ...first, database: other })
    const ada = principalOf('p', 'ada', 'mine')
    expect(may(second, ada)).toBe(false)
    await putNotes(first)
    expect(may(first.policy, ada)).toBe(true)
    await expect.poll(async () => (await second.refresh(), may(second, ada)), { timeout: 3_000 }).toBe(true)
    await second.roles.remove('mine', first.root)
    await expect
      .poll(async () => (await first.policy.refresh(), may(first.policy, ada)), { timeout: 3_000 })
      .toBe(false)
  })

  test('concurrent changes on two nodes lose nothing and leave no gap', async () => {
    const first = await openPolicy(await open())
    const other = await openAgain(first.database)
    const second = { ...first, policy: await createPolicy({ ...first, database: other }) }
    const names = Array.from({ length: 8 }, (_, index) => `role-${index}`)
    const made = await Promise.all(names.map((name, index) => putNotes(index % 2 === 0 ? first : second, name, name)))
    expect(made.filter(isRefusal)).toEqual([])
    const rows = await first.database.query
      .selectFrom('policy_snapshots')
      .select('version')
      .orderBy('version')
      .execute()
    expect(rows.map((row) => row.version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    for (const { policy } of [first, second]) {
      await expect.poll(async () => (await policy.refresh(), policy.snapshot().version), { timeout: 3_000 }).toBe(9)
      const called = names.map(
        (name) => policy.decide(principalOf('p', 'ada', name), 'tools:call', { ...anything, name }).isAllowed,
      )
      expect(called).toEqual(names.map(() => true))
    }
    const entries = await first.ledger.read({ event: 'policy.published', limit: 100 })
    const versions = entries.filter((entry) => entry.outcome === 'succeeded').map((entry) => entry.details?.['version'])
    expect(versions.length).toBeGreaterThanOrEqual(9)
    expect(new Set(versions).size).toBe(9)
  })

  test.each(['role', 'text', 'hash', 'text and hash'] as const)(
    'a policy whose %s was changed from outside does not start, and is not built on',
    async (change) => {
      const world = await openPolicy(await open())
      await putNotes(world)
      await tamper(world.database, change)
      await expect(createPolicy(world)).rejects.toEqual(unavailable)
      await expect(putNotes(world, 'next')).rejects.toEqual(unavailable)
      expect(await world.policy.roles.find('next')).toBeUndefined()
    },
  )

  test('a forged new version, or a rewritten old one, closes a running node', async () => {
    for (const change of ['new version', 'text and hash'] as const) {
      const world = await openPolicy(await open())
      await putNotes(world)
      expect(may(world.policy, world.root)).toBe(true)
      await tamper(world.database, change)
      await expect((async () => world.policy.refresh())()).rejects.toEqual(unavailable)
      expect(may(world.policy, world.root)).toBe(false)
      expect(() => world.policy.findHold({ personId: 'p' })).toThrow(unavailable)
      expect(() => world.policy.snapshot()).toThrow(unavailable)
      await expect((async () => world.policy.refresh())()).rejects.toEqual(unavailable)
    }
  })

  test('a snapshot that was taken back closes a running node', async () => {
    const world = await openPolicy(await open())
    await putNotes(world)
    await world.database.query.deleteFrom('policy_snapshots').where('version', '=', 2).execute()
    await expect((async () => world.policy.refresh())()).rejects.toEqual(unavailable)
    expect(may(world.policy, world.root)).toBe(false)
  })

  test('a database that cannot be read closes the node, and it opens again when it can', async () => {
    const world = await openPolicy(await open())
    await world.database.query.schema.alterTable('holds').renameTo('holds_away').execute()
    await world.database.query.updateTable('roles').set({ description: 'x' }).where('name', '=', 'none').execute()
    await addPerson(world.database, world.clock, 'someone')
    await expect((async () => world.policy.refresh())()).rejects.toEqual(unavailable)
    expect(may(world.policy, world.root)).toBe(false)
    await world.database.query.schema.alterTable('holds_away').renameTo('holds').execute()
    await world.policy.refresh()
    expect(may(world.policy, world.root)).toBe(true)
  })
})

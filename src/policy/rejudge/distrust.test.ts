import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { openPolicy, principalOf } from '../../../test/world/policy.ts'
import { createPolicy, type Policy } from '../policy.ts'
import { createSnapshotLoader } from '../snapshot/load.ts'
import { isKeptDistrusted, keepDistrusted } from './distrust.ts'

const echo = { upstream: 'notes', kind: 'tool', name: 'echo' } as const
const ada = principalOf('p', 'ada', 'mine')
const grants = (tool: string) => [{ permissions: ['tools:call'], resources: [`notes/tools/${tool}`] }]

function rulesThatDecide(policy: Policy): readonly string[] {
  return policy.decide(ada, 'tools:call', echo).reasons.map(({ rule }) => rule)
}

eachDatabase('rules that nobody trusts', (open, openAgain) => {
  test('decide nothing on any node, nor after a start, until other rules are in force', async () => {
    const first = await openPolicy(await open())
    const { database, policy, root, clock } = first
    await policy.roles.put({ name: 'mine', description: '', grants: grants('*'), by: root })
    const other = await createPolicy({ ...first, database: await openAgain(database) })
    expect([rulesThatDecide(policy), rulesThatDecide(other)]).toEqual([['role:mine#1'], ['role:mine#1']])

    const loaded = await createSnapshotLoader(database.query)()
    expect(await isKeptDistrusted(database.query, loaded)).toBe(false)
    await keepDistrusted({ database, clock }, loaded)
    await keepDistrusted({ database, clock }, { ...loaded, version: 7 })
    const row = { rules_hash: loaded.rulesHash, version: loaded.version, found_at: clock.now() }
    const [kept, ...more] = await database.query.selectFrom('distrusted_policies').selectAll().execute()
    expect(more).toEqual([])
    expect({ ...kept, version: Number(kept?.version), found_at: Number(kept?.found_at) }).toEqual(row)

    const restarted = await createPolicy(first)
    for (const node of [policy, other, restarted]) {
      await expect.poll(async () => (await node.refresh(), rulesThatDecide(node))).toEqual(['distrusted'])
      expect(node.decide(root, 'roles:write', 'castellan').isAllowed).toBe(true)
    }

    // WHY: the same rules under a new number are the same rules.
    await policy.roles.put({ name: 'mine', description: 'told otherwise', grants: grants('*'), by: root })
    expect(rulesThatDecide(policy)).toEqual(['distrusted'])
    await policy.roles.put({ name: 'mine', description: '', grants: grants('echo'), by: root })
    for (const node of [policy, other]) {
      await expect.poll(async () => (await node.refresh(), rulesThatDecide(node))).toEqual(['role:mine#1'])
    }
  })

  test('are written down as soon as the database can be written again', async () => {
    const { database, clock } = await openPolicy(await open())
    const loaded = await createSnapshotLoader(database.query)()
    let failures = 1
    const breaking = {
      insertInto(table: 'distrusted_policies') {
        if (failures-- > 0) throw new Error('away')
        return database.query.insertInto(table)
      },
    }
    const query = new Proxy(database.query, {
      get: (target, name) => (name === 'insertInto' ? breaking.insertInto : Reflect.get(target, name)),
    })
    await keepDistrusted({ database: { ...database, query }, clock }, loaded)
    expect(await isKeptDistrusted(database.query, loaded)).toBe(true)
  })
})

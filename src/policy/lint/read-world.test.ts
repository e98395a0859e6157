import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy } from '../../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { readWorld } from './read-world.ts'

eachDatabase('what rules can speak of', (open) => {
  test('holders of a role and those who may change the policy are active persons, counted once', async () => {
    const { database, policy, clock, root } = await openPolicy(await open())
    const grants = [{ permissions: ['roles:*'], resources: ['castellan'] }]
    await policy.roles.put({ name: 'keeper', description: '', grants, by: root })
    const kim = await addPerson(database, clock, 'kim', 'keeper', 'admin')
    await addPerson(database, clock, 'vic', 'viewer')
    await addPerson(database, clock, 'old', 'long-gone')
    const gone = await addPerson(database, clock, 'gone', 'admin')
    const robot = await addPerson(database, clock, 'robot', 'admin')
    const { query } = database
    await query.updateTable('people').set({ status: 'suspended' }).where('id', '=', gone.id).execute()
    await query.updateTable('people').set({ kind: 'service', password_hash: null }).where('id', '=', robot.id).execute()
    const world = await readWorld(query, ['office'])
    expect(world.changers).toEqual([
      { id: kim.id, name: 'kim', roles: ['admin', 'keeper'] },
      { id: root.id, name: 'root', roles: ['admin'] },
    ])
    expect([...world.holders].toSorted()).toEqual([
      ['admin', 2],
      ['keeper', 1],
      ['long-gone', 1],
      ['viewer', 1],
    ])
    expect([...world.networks]).toEqual(['office'])
    expect([world.upstreams.size, world.tools.size, world.groups.size]).toEqual([0, 0, 0])
  })
})

import { createTestClock } from '../../../test/world/clock.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { openLedger } from '../../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { createPolicy } from '../policy.ts'
import { publish, writeRole } from '../snapshot/publish.ts'
import { shippedRoles } from './shipped.ts'

eachDatabase('seeding', (open) => {
  test('a program that ships other roles than before publishes them and keeps the roles of the house', async () => {
    const database = await open()
    const clock = createTestClock()
    const grants = [{ permissions: ['holds:read'], resources: ['castellan'] }]
    const own = { name: 'own', description: '', grants, isShipped: false, updatedAt: 1 }
    const former = shippedRoles.slice(0, 2).map((role) => ({ ...role, description: 'before', updatedAt: 1 }))
    for (const role of [...former, own]) await writeRole(database.query, role)
    await publish(database.query, { version: 1, roles: [...former, own], createdAt: 1, createdBy: null })
    const policy = await createPolicy({ database, ledger: await openLedger(clock), clock })
    expect(policy.snapshot().version).toBe(2)
    const roles = await policy.roles.list()
    expect(roles.map((role) => role.name)).toEqual(['admin', 'analyst', 'own', 'viewer'])
    expect(roles.find((role) => role.name === 'admin')?.description).toBe(shippedRoles[0]?.description)
    expect(roles.find((role) => role.name === 'own')).toEqual(own)
  })

  test('roles without a snapshot are not taken for a new database', async () => {
    const database = await open()
    const clock = createTestClock()
    const grants = [{ permissions: ['*'], resources: ['*'] }]
    await writeRole(database.query, { name: 'planted', description: '', grants, isShipped: false, updatedAt: 1 })
    const start = createPolicy({ database, ledger: await openLedger(clock), clock })
    await expect(start).rejects.toMatchObject({ name: 'Fault', code: 'policy.unavailable' })
    expect(await database.query.selectFrom('policy_snapshots').selectAll().execute()).toEqual([])
  })
})

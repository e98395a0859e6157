import { createTestClock } from '../../../test/world/clock.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { openLedger } from '../../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { createPolicy } from '../policy.ts'
import { publish, writeRole } from '../snapshot/publish.ts'
import { hashOf } from '../snapshot/store.ts'
import type { DocumentRole, SnapshotDocument } from '../snapshot/document.ts'
import { shippedRoles } from './shipped.ts'

function documentOf(roles: readonly DocumentRole[]): SnapshotDocument {
  const made = { author: null, publisher: null, note: '', cameFrom: { kind: 'seeded' } } as const
  return { form: 1, roles, files: [], tests: [], ...made }
}

eachDatabase('seeding', (open) => {
  test('a program that ships other roles than before publishes them and keeps the roles of the house', async () => {
    const database = await open()
    const clock = createTestClock()
    const grants = [{ permissions: ['holds:read'], resources: ['castellan'] }]
    const own = { name: 'own', description: '', grants, isShipped: false, updatedAt: 1 }
    const former = shippedRoles.slice(0, 2).map((role) => ({ ...role, description: 'before', updatedAt: 1 }))
    for (const role of [...former, own]) await writeRole(database.query, role)
    await publish(database.query, { version: 1, document: documentOf([...former, own]), createdAt: 1 })
    const policy = await createPolicy({ database, ledger: await openLedger(clock), clock })
    expect(policy.snapshot().version).toBe(2)
    const roles = await policy.roles.list()
    expect(roles.map((role) => role.name)).toEqual(['admin', 'analyst', 'own', 'viewer'])
    expect(roles.find((role) => role.name === 'admin')?.description).toBe(shippedRoles[0]?.description)
    expect(roles.find((role) => role.name === 'own')).toEqual(own)
  })

  test('what was made from roles alone, by an older program, is taken over at a start and on record', async () => {
    const database = await open()
    const clock = createTestClock()
    const roles = shippedRoles.map((role) => ({ ...role, updatedAt: 1 }))
    for (const role of roles) await writeRole(database.query, role)
    const cedar = '// castellan roles, snapshot 1\n'
    const row = { version: 1, hash: hashOf(cedar, null), cedar, created_at: 1, created_by: null }
    await database.query.insertInto('policy_snapshots').values(row).execute()
    const ledger = await openLedger(clock)
    const policy = await createPolicy({ database, ledger, clock })
    expect(policy.snapshot().version).toBe(2)
    const [entry] = await ledger.read({ event: 'policy.published' })
    expect(entry?.details).toMatchObject({ change: 'recompiled', version: 2 })
    expect((await createPolicy({ database, ledger, clock })).snapshot().version).toBe(2)
  })

  test('what a program of another form wrote is compiled again at a start, with its files, and on record', async () => {
    const database = await open()
    const clock = createTestClock()
    const ledger = await openLedger(clock)
    await createPolicy({ database, ledger, clock })
    const row = await database.query.selectFrom('policy_snapshots').selectAll().executeTakeFirstOrThrow()
    const files = [{ name: 'house.cedar', text: 'permit (principal, action, resource);' }]
    const older = JSON.stringify({ ...(JSON.parse(row.document ?? '') as object), files, compiler: 1 })
    const cedar = '// in other words\n'
    const next = { ...row, version: 2, cedar, document: older, hash: hashOf(cedar, older) }
    await database.query.insertInto('policy_snapshots').values(next).execute()
    const policy = await createPolicy({ database, ledger, clock })
    expect(policy.snapshot()).toMatchObject({ version: 3, cedar: expect.stringContaining('permit (principal, action') })
    expect((await ledger.read({ event: 'policy.published' })).map((one) => one.details?.['change'])).toEqual(
      expect.arrayContaining(['seeded', 'recompiled']),
    )
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

import { refuse, type Refusal } from '#kernel'
import { createTestClock } from '../../test/world/clock.ts'
import { eachDatabase } from '../../test/world/databases.ts'
import { addPerson, openLedger } from '../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { policyEvents } from './events.ts'
import { recordChange } from './record-change.ts'
import { policyRefusals } from './refusals.ts'

eachDatabase('a recorded change', (open) => {
  test('that fails after its entry is rolled back, and a second entry says so', async () => {
    const database = await open()
    const clock = createTestClock()
    const ledger = await openLedger(clock)
    const ada = await addPerson(database, clock, 'ada')
    const change = recordChange(database, ledger, async (rows, record) => {
      const grant = { person_id: ada.id, role: 'viewer', granted_at: 1, granted_by: null }
      await rows.insertInto('role_grants').values(grant).execute()
      await record(policyEvents.roleGranted, { principal: ada, details: { role: 'viewer' } })
      throw new Error('no commit')
    })
    await expect(change).rejects.toThrow('no commit')
    expect(await database.query.selectFrom('role_grants').selectAll().execute()).toEqual([])
    const entries = (await ledger.read({ event: 'role.granted' })).toSorted((one, other) => one.seq - other.seq)
    expect(entries.map((entry) => entry.outcome)).toEqual(['succeeded', 'failed'])
    expect(entries[1]?.details).toMatchObject({ role: 'viewer', entry: entries[0]?.seq })
  })

  test('whose work was refused has changed nothing, and an entry it had made says so', async () => {
    const database = await open()
    const clock = createTestClock()
    const ledger = await openLedger(clock)
    const ada = await addPerson(database, clock, 'ada')
    const outcome = await recordChange(database, ledger, async (rows, record): Promise<string | Refusal> => {
      await rows.updateTable('people').set({ status: 'suspended' }).execute()
      await record(policyEvents.roleRevoked, { principal: ada })
      return refuse(policyRefusals.policyTooLarge, { names: { limit: '1' } })
    })
    expect(outcome).toMatchObject({ code: 'policy.too-large' })
    expect(await database.query.selectFrom('people').select('status').execute()).toEqual([{ status: 'active' }])
    const outcomes = (await ledger.read({ event: 'role.revoked' })).map((entry) => entry.outcome)
    expect(outcomes.toSorted()).toEqual(['failed', 'succeeded'])
  })

  test('that is refused by the ledger is rolled back and has no entry', async () => {
    const database = await open()
    const clock = createTestClock()
    const ledger = await openLedger(clock)
    const ada = await addPerson(database, clock, 'ada')
    await ledger.close()
    const change = recordChange(database, ledger, async (rows, record) => {
      await rows.updateTable('people').set({ status: 'suspended' }).execute()
      await record(policyEvents.roleRevoked, { principal: ada })
    })
    await expect(change).rejects.toThrow()
    const people = await database.query.selectFrom('people').select('status').execute()
    expect(people).toEqual([{ status: 'active' }])
  })
})

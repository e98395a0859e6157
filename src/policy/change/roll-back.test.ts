import { isRefusal, type Refusal } from '#kernel'
import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy } from '../../../test/world/policy.ts'

function done<Value>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Error(`${value.code}: ${value.says}`)
  return value
}

eachDatabase('going back', (open) => {
  test('at once is on record twice, with what it changes and from whom it takes a role', async () => {
    const { policy, root, database, clock, ledger } = await openPolicy(await open())
    const grants = [{ permissions: ['tools:call'], resources: ['bank/tools/pay'] }]
    done(await policy.roles.put({ name: 'payer', description: '', grants, by: root }))
    await addPerson(database, clock, 'ann', 'payer')
    const { version, hash } = done(await policy.changes.rollBackNow({ version: 1, note: 'incident', by: root }))
    const [entry] = await ledger.read({ event: 'policy.rolled-back-at-once' })
    expect(entry?.details).toEqual({
      change: 'rolled-back',
      to: 1,
      changes: ['removed role payer'],
      note: 'incident',
      takenFrom: expect.objectContaining({}) as unknown,
      version,
      hash,
    })
    expect(JSON.stringify(entry?.details?.['takenFrom'])).toContain('payer')
    const published = (await ledger.read({ event: 'policy.published' })).filter(
      ({ details }) => details?.['version'] === version,
    )
    expect(published.map(({ details }) => details)).toEqual([entry?.details])
  })

  test('says which snapshot there is not, and which one alone is gone back to at once', async () => {
    const { policy, root } = await openPolicy(await open())
    done(await policy.roles.put({ name: 'payer', description: '', grants: [], by: root }))
    expect(await policy.changes.rollBack({ version: 9, note: '', by: root })).toMatchObject({
      says: 'there is no snapshot `9`',
    })
    expect(await policy.changes.rollBackNow({ version: 2, note: '', by: root })).toMatchObject({
      says: 'in an emergency the policy goes back one step alone, to snapshot `1`',
    })
  })
})

import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy } from '../../../test/world/policy.ts'
import { must } from '../../../test/world/reviews/campaigns.ts'

const grants = [{ permissions: ['tools:call'], resources: ['bank/tools/pay'] }]

eachDatabase('roles, as they are applied', (open) => {
  test('begin with nobody: what was left behind under the name of a new one is gone', async () => {
    const { policy, root, database, clock } = await openPolicy(await open())
    const left = await addPerson(database, clock, 'left', 'payer')
    must(await policy.roles.put({ name: 'payer', description: '', grants, by: root }))
    expect(await policy.roles.of(left.id)).toEqual([])
  })

  test('stay with those who have them when only what they grant changes, or nothing at all', async () => {
    const { policy, root, database, clock } = await openPolicy(await open())
    must(await policy.roles.put({ name: 'payer', description: '', grants, by: root }))
    const ann = await addPerson(database, clock, 'ann', 'payer')
    const rowOf = () =>
      database.query.selectFrom('roles').select('updated_at').where('name', '=', 'payer').executeTakeFirstOrThrow()
    const before = Number((await rowOf()).updated_at)
    clock.advance(10)
    must(await policy.roles.put({ name: 'other', description: '', grants, by: root }))
    expect(Number((await rowOf()).updated_at)).toBe(before)
    must(await policy.roles.put({ name: 'payer', description: 'pays', grants, by: root }))
    expect(Number((await rowOf()).updated_at)).toBe(before + 10)
    expect(await policy.roles.of(ann.id)).toEqual(['payer'])
  })
})

import { isRefusal, type Principal, type Refusal } from '#kernel'
import { createPolicy, type Policy } from '../policy.ts'
import { createSurroundings } from '../settings.ts'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy, type PolicyWorld } from '../../../test/world/policy.ts'
import { expect, test } from 'vitest'

const files = [{ path: 'roles/teller.yaml', text: 'grants: [{ permissions: [servers:use], resources: [bank] }]\n' }]

function done<Value>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Error(`${value.code}: ${value.says}`)
  return value
}

async function proposedBy({ policy }: PolicyWorld, by: Principal) {
  const { drafts } = policy.changes
  const draft = done(await drafts.make({ files, isPruning: false, note: '', by }))
  return done(await drafts.propose({ id: draft.id, hash: draft.hash, mayWarn: true, by }))
}

async function publish(policy: Policy, { id, hash }: { id: string; hash: string }, by: Principal) {
  const outcome = await policy.changes.publish({ id, hash, mayWarn: true, note: '', by })
  return isRefusal(outcome) ? outcome.code : outcome.snapshot.version
}

eachDatabase('two persons', (open) => {
  test('publish together what neither of them publishes alone, whatever roles a session remembers', async () => {
    const world = await openPolicy(await open(), { fourEyes: true })
    const { policy, root, database, clock } = world
    const bea = await addPerson(database, clock, 'bea', 'admin')
    const draft = await proposedBy(world, root)
    const elsewhere: Principal = { ...root, name: 'another name', credential: { ...root.credential, id: 'another' } }
    expect(await publish(policy, draft, root)).toBe('policy.own-draft')
    expect(await publish(policy, draft, elsewhere)).toBe('policy.own-draft')
    const viewer = await addPerson(database, clock, 'vic', 'viewer')
    expect(await publish(policy, draft, { ...viewer, roles: ['admin'] })).toBe('policy.publisher-without-right')
    const program: Principal = { ...bea, isService: true }
    expect(await publish(policy, draft, program)).toBe('policy.publisher-without-right')
    await database.query
      .updateTable('people')
      .set({ kind: 'service', password_hash: null })
      .where('id', '=', bea.id)
      .execute()
    expect(await publish(policy, draft, bea)).toBe('policy.publisher-without-right')
    await database.query.updateTable('people').set({ kind: 'person' }).where('id', '=', bea.id).execute()
    expect(await publish(policy, draft, bea)).toBe(2)
  })

  test('each stay within what they have at that moment', async () => {
    const world = await openPolicy(await open())
    const { policy, root, database, ledger, clock } = world
    const roles = [{ permissions: ['roles:write'], resources: ['castellan'] }]
    const bank = { permissions: ['servers:use'], resources: ['bank'] }
    done(await policy.roles.put({ name: 'bank-roles', description: '', grants: [...roles, bank], by: root }))
    done(await policy.roles.put({ name: 'other-roles', description: '', grants: roles, by: root }))
    const surroundings = { current: createSurroundings({ policy: { timeZone: 'UTC', networks: [], fourEyes: true } }) }
    const guarded = { ...world, policy: await createPolicy({ database, ledger, clock, surroundings }) }
    const bo = await addPerson(database, clock, 'bo', 'bank-roles')
    const oz = await addPerson(database, clock, 'oz', 'other-roles')
    const byOz = await proposedBy(guarded, oz)
    expect(await publish(guarded.policy, byOz, bo)).toBe('policy.author-without-right')
    const byBo = await proposedBy(guarded, bo)
    expect(await publish(guarded.policy, byBo, oz)).toBe('policy.beyond-own-grants')
    expect(await publish(guarded.policy, byBo, root)).toBe(4)
  })

  test('are asked for, or no longer, on record at each start that finds it otherwise', async () => {
    const { database, ledger, clock } = await openPolicy(await open())
    const start = (fourEyes: boolean) => {
      const surroundings = { current: createSurroundings({ policy: { timeZone: 'UTC', networks: [], fourEyes } }) }
      return createPolicy({ database, ledger, clock, surroundings })
    }
    for (const fourEyes of [false, true, true, false]) await start(fourEyes)
    const entries = (await ledger.read({ event: 'policy.four-eyes-set' })).toSorted((one, other) => one.seq - other.seq)
    expect(entries.map(({ details }) => [details?.['from'], details?.['to']])).toEqual([
      ['off', 'on'],
      ['on', 'off'],
    ])
  })
})

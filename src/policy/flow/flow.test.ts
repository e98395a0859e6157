import type { Principal } from '#kernel'
import { unclassified } from '#kernel'
import { describe, expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openLedger, openPolicy, principalOf } from '../../../test/world/policy.ts'
import { createFlow } from './flow.ts'
import { labelsOf } from './labels.ts'

const target = { upstream: 'crm', kind: 'tool', name: 'customer' } as const
const ben = principalOf('ben', 'ben')
const client = (id: string): Principal => ({ ...ben, client: { id, name: id, scopes: [] } })
const nightly: Principal = { ...principalOf('nightly', 'nightly'), isService: true }
const acting = (principal: Principal, id = 'nightly'): Principal => ({
  ...principal,
  client: { id: 'agents', name: 'agents', scopes: [] },
  actors: [{ id, name: id, client: 'agents' }],
})

describe('labelsOf', () => {
  const plain = { ...unclassified, sensitivity: 'internal', bringsUntrusted: false, isOutlet: false } as const

  test('what nobody classified leaves the worst', () => {
    expect(labelsOf(unclassified)).toEqual(['untrusted', 'sensitivity:restricted'])
  })

  test('public and internal leave nothing, confidential and restricted do', () => {
    expect(labelsOf(plain)).toEqual([])
    expect(labelsOf({ ...plain, sensitivity: 'public' })).toEqual([])
    expect(labelsOf({ ...plain, sensitivity: 'confidential' })).toEqual(['sensitivity:confidential'])
    expect(labelsOf({ ...plain, dataClasses: ['payment', 'personal'] })).toEqual(['data:payment', 'data:personal'])
  })
})

eachDatabase('flow', (open, openAgain) => {
  test('what one client of a person has met counts for every other one, on every node', async () => {
    const { policy, database, ledger, clock } = await openPolicy(await open())
    const node = createFlow({ database: await openAgain(database), ledger: await openLedger(clock), clock })
    await policy.flow.add({ principal: client('c1'), labels: ['untrusted'], target })
    await node.add({ principal: ben, labels: ['sensitivity:restricted'], target })
    const all = new Set(['untrusted', 'sensitivity:restricted'])
    for (const principal of [ben, client('c1'), client('c2')]) {
      expect(await policy.flow.read(principal)).toEqual(all)
      expect(await node.read(principal)).toEqual(all)
    }
    expect(await node.read(principalOf('eve', 'eve'))).toEqual(new Set())
    expect((await policy.flow.list({ personId: 'ben' })).map(({ bearer }) => bearer).toSorted()).toEqual([
      'client/c1',
      'tokens',
    ])
    const events = (await ledger.read({ limit: 100 })).filter(({ event }) => event === 'flow.labelled')
    expect(events.map(({ details }) => details)).toEqual([
      { person: 'ben', client: 'client/c1', labels: ['untrusted'] },
    ])
  })

  test('what is there already is neither written nor recorded again, whoever comes first', async () => {
    const { policy, ledger, database } = await openPolicy(await open())
    const adding = Array.from({ length: 8 }, () => policy.flow.add({ principal: ben, labels: ['untrusted'], target }))
    await Promise.all(adding)
    const revision = database.revision()
    await policy.flow.add({ principal: ben, labels: ['untrusted'], target })
    expect(database.revision()).toBe(revision)
    const events = (await ledger.read({ limit: 100 })).filter(({ event }) => event === 'flow.labelled')
    expect(events).toHaveLength(1)
    expect(await policy.flow.list({ personId: 'ben' })).toMatchObject([{ label: 'untrusted', source: target }])
  })

  test('a program that acts for a person carries it on to itself, and not to other people', async () => {
    const { policy } = await openPolicy(await open())
    const eve = principalOf('eve', 'eve')
    await policy.flow.add({ principal: acting(ben), labels: ['untrusted'], target })
    expect(await policy.flow.read(ben)).toEqual(new Set(['untrusted']))
    expect(await policy.flow.read(nightly)).toEqual(new Set(['untrusted']))
    expect(await policy.flow.read(acting(eve))).toEqual(new Set())

    await policy.flow.add({ principal: nightly, labels: ['data:payment'], target })
    expect(await policy.flow.read(acting(eve))).toEqual(new Set(['data:payment']))
    expect(await policy.flow.read(eve)).toEqual(new Set())
    expect(await policy.flow.read(acting(eve, 'agents'))).toEqual(new Set())
  })

  test('somebody else sets it back, of one client or of all, and it is on record', async () => {
    const { policy, ledger, root } = await openPolicy(await open())
    await policy.flow.add({ principal: client('c1'), labels: ['untrusted'], target })
    await policy.flow.add({ principal: ben, labels: ['untrusted'], target })
    await policy.flow.add({ principal: acting(ben), labels: ['untrusted'], target })
    const change = { personId: 'ben', reason: 'case closed', by: root }
    expect(await policy.flow.reset({ ...change, bearer: 'client/c1' })).toBe(1)
    expect(await policy.flow.read(client('c1'))).toEqual(new Set(['untrusted']))
    expect(await policy.flow.reset(change)).toBe(3)
    expect(await policy.flow.read(ben)).toEqual(new Set())
    expect(await policy.flow.read(nightly)).toEqual(new Set())
    expect(await policy.flow.reset(change)).toBe(0)
    const events = (await ledger.read({ limit: 100 })).filter(({ event }) => event === 'flow.reset')
    expect(events).toHaveLength(2)
    expect(events.at(0)?.details).toMatchObject({
      person: 'ben',
      client: 'client/c1',
      reason: 'case closed',
      isOwn: false,
    })
  })

  test('nobody sets back their own, unless there is nobody else; never without a reason of one line', async () => {
    const { policy, root, database, clock } = await openPolicy(await open())
    await policy.flow.add({ principal: root, labels: ['untrusted'], target })
    const reset = (reason: string) => policy.flow.reset({ personId: root.id, reason, by: root })
    for (const reason of ['', '  ', 'two\nlines', 'r'.repeat(501)]) {
      expect(await reset(reason)).toMatchObject({ code: 'policy.flow-reason-invalid' })
    }
    await addPerson(database, clock, 'ada', 'admin')
    expect(await reset('mine')).toMatchObject({ code: 'policy.flow-own' })
    expect(await policy.flow.read(root)).toEqual(new Set(['untrusted']))
  })

  test('who is the only administrator sets back their own, on record as such', async () => {
    const { policy, root, ledger } = await openPolicy(await open())
    await policy.flow.add({ principal: root, labels: ['untrusted'], target })
    expect(await policy.flow.reset({ personId: root.id, reason: 'r'.repeat(500), by: root })).toBe(1)
    const [entry] = (await ledger.read({ limit: 100 })).filter(({ event }) => event === 'flow.reset')
    expect(entry?.details).toMatchObject({ isOwn: true })
  })
})

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

  test('what was brought is kept until it is set back, of that client, or of the person and of the program that asked for them', async () => {
    const { policy, root } = await openPolicy(await open())
    const labels = ['untrusted', 'data:payment']
    const [direct, carried] = [client('c1'), acting(ben)]
    for (const principal of [direct, carried]) {
      expect(await policy.flow.keeps({ principal, labels })).toBe(false)
      expect(await policy.flow.keeps({ principal, labels: [] })).toBe(true)
      await policy.flow.add({ principal, labels, target })
      expect(await policy.flow.keeps({ principal, labels })).toBe(true)
    }
    expect(await policy.flow.keeps({ principal: direct, labels: [...labels, 'data:personal'] })).toBe(false)
    expect(await policy.flow.keeps({ principal: ben, labels })).toBe(false)
    const change = { reason: 'x', by: root }
    expect(await policy.flow.reset({ ...change, personId: 'ben', bearer: 'client/c1' })).toBe(2)
    expect(await policy.flow.keeps({ principal: direct, labels })).toBe(false)
    expect(await policy.flow.keeps({ principal: carried, labels })).toBe(true)
    // WHY: the program's own is gone, and it would ask for itself as if it had met nothing.
    expect(await policy.flow.reset({ ...change, personId: 'nightly' })).toBe(2)
    expect(await policy.flow.keeps({ principal: carried, labels })).toBe(false)
  })

  test('labels are listed oldest first with where they were met, and a thing without a name has none', async () => {
    const { policy, clock, ledger, root } = await openPolicy(await open())
    const server = { upstream: 'web', kind: 'server' } as const
    const first = clock.now()
    await policy.flow.add({ principal: ben, labels: ['z', 'b'], target: server })
    clock.advance(1)
    await policy.flow.add({ principal: client('c1'), labels: ['a', 'b'], target })
    expect(await policy.flow.list({ personId: 'ben' })).toEqual([
      { personId: 'ben', bearer: 'tokens', label: 'b', source: server, addedAt: first },
      { personId: 'ben', bearer: 'tokens', label: 'z', source: server, addedAt: first },
      { personId: 'ben', bearer: 'client/c1', label: 'a', source: target, addedAt: first + 1 },
      { personId: 'ben', bearer: 'client/c1', label: 'b', source: target, addedAt: first + 1 },
    ])
    const labelled = await ledger.read({ event: 'flow.labelled' })
    expect(labelled).toMatchObject([
      { principal: { id: 'ben' }, target: server, details: { client: 'tokens', labels: ['b', 'z'] } },
      { principal: { id: 'ben' }, target, details: { client: 'client/c1', labels: ['a', 'b'] } },
    ])
    await policy.flow.reset({ personId: 'ben', reason: 'over', by: root })
    const [reset] = await ledger.read({ event: 'flow.reset' })
    expect(reset).toMatchObject({
      principal: { id: root.id },
      details: { person: 'ben', client: null, reason: 'over', isOwn: false },
    })
    const gone = reset?.details?.['labels'] as { person: string; client: string; label: string }[]
    expect(gone.map(({ person, client: of, label }) => [person, of, label]).toSorted()).toEqual([
      ['ben', 'client/c1', 'a'],
      ['ben', 'client/c1', 'b'],
      ['ben', 'tokens', 'b'],
      ['ben', 'tokens', 'z'],
    ])
  })

  test('a program that a person passes twice is labelled once, and a client without an account is nobody', async () => {
    const { policy } = await openPolicy(await open())
    const act = (id: string, through = 'agents') => ({ id, name: id, client: through })
    const principal = { ...ben, actors: [act('nightly'), act('nightly', 'other'), act('plain', 'plain')] }
    await policy.flow.add({ principal, labels: ['untrusted'], target })
    expect((await policy.flow.list({ personId: 'nightly' })).map(({ bearer }) => bearer)).toEqual(['for/ben'])
    expect(await policy.flow.list({ personId: 'plain' })).toEqual([])
  })

  test('a reason is one line of up to 500 characters; without one nothing is set back', async () => {
    const { policy, root } = await openPolicy(await open())
    await policy.flow.add({ principal: ben, labels: ['untrusted'], target })
    const reset = (reason: string) => policy.flow.reset({ personId: 'ben', reason, by: root })
    expect(await reset('r'.repeat(501))).toMatchObject({
      code: 'policy.flow-reason-invalid',
      says: expect.stringContaining('500') as unknown,
    })
    expect(await policy.flow.read(ben)).toEqual(new Set(['untrusted']))
    expect(await reset('r'.repeat(500))).toBe(1)
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

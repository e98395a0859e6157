import { isRefusal, type Refusal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { addPerson, openPolicy } from '../../../test/world/policy.ts'
import { expect, test } from 'vitest'
import { createPolicy } from '../policy.ts'
import type { Hold } from './hold.ts'

const tool = { upstream: 'notes', kind: 'tool', name: 'a/b' } as const

function placed(outcome: Hold | Refusal): Hold {
  if (isRefusal(outcome)) throw new Error(outcome.says)
  return outcome
}

eachDatabase('holds', (open, openAgain) => {
  test('each kind of hold stops what it names and nothing else', async () => {
    const { policy, root, database, clock } = await openPolicy(await open())
    const ada = await addPerson(database, clock, 'ada')
    const found = (personId: string, target: Parameters<typeof policy.findHold>[0]['target']) =>
      policy.findHold({ personId, ...(target === undefined ? {} : { target }) })?.kind
    const seen = () => [
      found(ada.id, undefined),
      found(root.id, undefined),
      found(root.id, 'castellan'),
      found(root.id, tool),
      found(root.id, { ...tool, name: 'a' }),
      found(root.id, { upstream: 'notes', kind: 'server' }),
      found(root.id, { ...tool, kind: 'resource' }),
      found(root.id, { ...tool, upstream: 'files' }),
    ]
    const none = undefined
    const expected: [Hold['kind'], string, (string | undefined)[]][] = [
      ['person', ada.id, ['person', none, none, none, none, none, none, none]],
      ['tool', 'notes/a/b', [none, none, none, 'tool', none, none, none, none]],
      ['upstream', 'notes', [none, none, none, 'upstream', 'upstream', 'upstream', 'upstream', none]],
      ['everything', '', ['everything', 'everything', none, ...Array(5).fill('everything')]],
    ]
    expect(seen()).toEqual(Array(8).fill(none))
    for (const [kind, subject, stopped] of expected) {
      const hold = placed(await policy.holds.place({ kind, subject, reason: 'incident', by: root }))
      expect(seen(), kind).toEqual(stopped)
      expect(placed(await policy.holds.lift(hold.id, root))).toMatchObject({ id: hold.id, liftedBy: root.id })
      expect(seen(), kind).toEqual(Array(8).fill(none))
    }
  })

  test('a client is stopped by its id, also where it acts for somebody, and a service account everywhere', async () => {
    const { policy, root, database, clock } = await openPolicy(await open())
    const program = await addPerson(database, clock, 'reporter')
    placed(await policy.holds.place({ kind: 'client', subject: 'c-1', reason: 'stolen', by: root }))
    expect(policy.findHold({ personId: root.id, clients: ['c-0', 'c-1'] })?.kind).toBe('client')
    expect(policy.findHold({ personId: root.id, clients: ['c-0'] })).toBeUndefined()
    expect(policy.findHold({ personId: root.id, clients: ['c-1'], target: 'castellan' })).toBeUndefined()
    placed(await policy.holds.place({ kind: 'client', subject: program.id, reason: 'stolen', by: root }))
    expect(policy.findHold({ personId: program.id, target: tool })?.kind).toBe('client')
    expect(policy.findHold({ personId: program.id, target: 'castellan' })?.kind).toBe('client')
  })

  test('an address is held up to the edge of its network, in every spelling, and never on the admin plane', async () => {
    const { policy, root } = await openPolicy(await open())
    const holdOn = async (subject: string) =>
      placed(await policy.holds.place({ kind: 'address', subject, reason: 'scanner', by: root })).subject
    expect(await holdOn('::ffff:203.0.113.64/122')).toBe('203.0.113.64/26')
    expect(await holdOn('2001:DB8:0::/48')).toBe('2001:db8::/48')
    expect(await holdOn('198.51.100.7/32')).toBe('198.51.100.7')
    expect(await holdOn('2001:db8:ffff::1')).toBe('2001:db8:ffff::1')
    const isHeld = (address: string) => policy.findAddressHold(address) !== undefined
    const held = ['203.0.113.64', '203.0.113.127', '::ffff:203.0.113.65', '2001:db8:0:ffff::', '198.51.100.7']
    const free = ['203.0.113.63', '203.0.113.128', '2001:db8:1::', '198.51.100.8', '2001:db8:ffff::2', 'nonsense']
    expect(held.filter(isHeld)).toEqual(held)
    expect(free.filter(isHeld)).toEqual([])
    const [address] = held
    expect(policy.findHold({ personId: root.id, address, target: tool })?.kind).toBe('address')
    expect(policy.findHold({ personId: root.id, address, target: 'castellan' })).toBeUndefined()
  })

  test('what is no network is not held, nor is this machine itself', async () => {
    const { policy, root } = await openPolicy(await open())
    const place = async (subject: string) => {
      const outcome = await policy.holds.place({ kind: 'address', subject, reason: 'x', by: root })
      return isRefusal(outcome) ? outcome.code : 'placed'
    }
    for (const wrong of ['', 'home', '10.0.0.1/8', '10.0.0.0/33', '10.0.0.0/8/8', 'fe80::1%eth0', '::/129']) {
      expect(await place(wrong), wrong).toBe('policy.hold-subject-invalid')
    }
    for (const own of ['127.0.0.1', '127.0.0.0/8', '0.0.0.0/0', '::1', '::/0', '::ffff:127.0.0.1']) {
      expect(await place(own), own).toBe('policy.hold-on-loopback')
    }
    expect(await place('127.0.0.2')).toBe('placed')
    expect(await place('::2')).toBe('placed')
  })

  test('a hold on an address ends by the clock and by lifting, also on the other node', async () => {
    const first = await openPolicy(await open())
    const second = await createPolicy({ ...first, database: await openAgain(first.database) })
    const seen = async () => (await second.refresh(), second.findAddressHold('192.0.2.1')?.id)
    const place = async (expiresAt?: number) =>
      placed(
        await first.policy.holds.place({
          kind: 'address',
          subject: '192.0.2.0/24',
          reason: 'x',
          expiresAt,
          by: first.root,
        }),
      )
    const lasting = await place()
    await expect.poll(seen, { timeout: 3_000 }).toBe(lasting.id)
    await first.policy.holds.lift(lasting.id, first.root)
    await expect.poll(seen, { timeout: 3_000 }).toBeUndefined()
    const short = await place(first.clock.now() + 1_000)
    await expect.poll(seen, { timeout: 3_000 }).toBe(short.id)
    first.clock.advance(999)
    expect(await seen()).toBe(short.id)
    first.clock.advance(1)
    expect(await seen()).toBeUndefined()
  })

  test('a person on hold is told so first, also while everything is on hold', async () => {
    const { policy, root, clock } = await openPolicy(await open())
    const expiresAt = clock.now() + 60_000
    placed(await policy.holds.place({ kind: 'everything', reason: 'stop', by: root }))
    placed(await policy.holds.place({ kind: 'person', subject: root.id, reason: 'me too', expiresAt, by: root }))
    expect(policy.findHold({ personId: root.id })?.kind).toBe('person')
    expect(policy.findHold({ personId: root.id, target: 'castellan' })?.kind).toBe('person')
    expect(policy.findHold({ personId: 'other', target: 'castellan' })).toBeUndefined()
  })

  test('the last administrator who is not on hold can be stopped for an hour, and not a moment longer', async () => {
    const { policy, root, database, clock } = await openPolicy(await open())
    const ada = await addPerson(database, clock, 'ada')
    const hour = 60 * 60_000
    const stop = async (subject: string, expiresAt?: number) => {
      const held = await policy.holds.place({ kind: 'person', subject, reason: 'incident', expiresAt, by: root })
      return isRefusal(held) ? held.code : 'held'
    }
    expect(await stop(root.id)).toBe('policy.last-admin-held')
    expect(await stop(root.id, clock.now() + hour + 1)).toBe('policy.last-admin-held')
    expect(await stop(root.id, clock.now() + hour)).toBe('held')
    clock.advance(hour)
    await policy.roles.grant({ personId: ada.id, role: 'admin', by: root })
    expect(await stop(ada.id)).toBe('held')
    expect(await stop(root.id)).toBe('policy.last-admin-held')
  })

  test('a hold ends by the clock, at its moment', async () => {
    const { policy, root, clock } = await openPolicy(await open())
    const expiresAt = clock.now() + 60_000
    const hold = placed(await policy.holds.place({ kind: 'everything', reason: 'drill', expiresAt, by: root }))
    clock.advance(59_999)
    expect(policy.findHold({ personId: 'p' })).toEqual(hold)
    clock.advance(1)
    expect(policy.findHold({ personId: 'p' })).toBeUndefined()
    expect(await policy.holds.list()).toEqual([])
    expect(await policy.holds.list({ includeEnded: true })).toEqual([hold])
    expect(await policy.holds.lift(hold.id, root)).toMatchObject({ code: 'policy.hold-unknown' })
  })

  test('a hold on one node stops the other at its next refresh, and so does lifting it', async () => {
    const first = await openPolicy(await open())
    const second = await createPolicy({ ...first, database: await openAgain(first.database) })
    const hold = placed(await first.policy.holds.place({ kind: 'everything', reason: 'stop', by: first.root }))
    const seen = async () => (await second.refresh(), second.findHold({ personId: 'p' })?.id)
    await expect.poll(seen, { timeout: 3_000 }).toBe(hold.id)
    await first.policy.holds.lift(hold.id, first.root)
    await expect.poll(seen, { timeout: 3_000 }).toBeUndefined()
  })

  test('a hold survives a restart', async () => {
    const world = await openPolicy(await open())
    const hold = placed(
      await world.policy.holds.place({ kind: 'upstream', subject: 'notes', reason: 'x', by: world.root }),
    )
    expect((await createPolicy(world)).findHold({ personId: 'p', target: tool })).toEqual(hold)
  })

  test('placing and lifting are recorded, each once, and lifting twice is refused', async () => {
    const { policy, root, ledger } = await openPolicy(await open())
    const hold = placed(await policy.holds.place({ kind: 'tool', subject: 'notes/x', reason: 'poisoned', by: root }))
    const lifts = await Promise.all([policy.holds.lift(hold.id, root), policy.holds.lift(hold.id, root)])
    expect(lifts.filter(isRefusal)).toHaveLength(1)
    expect(await policy.holds.lift('never-was', root)).toMatchObject({ code: 'policy.hold-unknown' })
    const [entry, ...more] = await ledger.read({ event: 'hold.placed' })
    expect(more).toEqual([])
    expect(entry).toMatchObject({
      outcome: 'succeeded',
      principal: { id: root.id },
      details: { hold: hold.id, kind: 'tool', subject: 'notes/x', reason: 'poisoned' },
    })
    expect(await ledger.read({ event: 'hold.lifted' })).toHaveLength(1)
  })

  test('a hold that the ledger cannot record is not placed, and one is not lifted', async () => {
    const { policy, root, ledger } = await openPolicy(await open())
    const hold = placed(await policy.holds.place({ kind: 'upstream', subject: 'notes', reason: 'x', by: root }))
    await ledger.close()
    await expect(policy.holds.place({ kind: 'everything', reason: 'stop', by: root })).rejects.toThrow()
    await expect(policy.holds.lift(hold.id, root)).rejects.toThrow()
    await policy.refresh()
    expect(await policy.holds.list({ includeEnded: true })).toEqual([hold])
    expect(policy.findHold({ personId: 'p' })).toBeUndefined()
  })

  test('holds are told newest first, with who placed and lifted them and when, and on record with their end', async () => {
    const { policy, root, ledger, clock } = await openPolicy(await open())
    const placedAt = clock.now()
    const expiresAt = placedAt + 10_000
    const first = placed(await policy.holds.place({ kind: 'client', subject: 'c', reason: 'x', expiresAt, by: root }))
    clock.advance(1)
    const second = placed(await policy.holds.place({ kind: 'everything', reason: 'y', by: root }))
    expect(first).toEqual({
      id: first.id,
      kind: 'client',
      subject: 'c',
      reason: 'x',
      placedBy: root.id,
      placedAt,
      expiresAt,
    })
    expect(second).toEqual({
      id: second.id,
      kind: 'everything',
      subject: '',
      reason: 'y',
      placedBy: root.id,
      placedAt: placedAt + 1,
    })
    expect(await policy.holds.list()).toEqual([second, first])
    clock.advance(1)
    const lifted = placed(await policy.holds.lift(first.id, root))
    expect(lifted).toEqual({ ...first, liftedAt: placedAt + 2, liftedBy: root.id })
    expect(await policy.holds.list()).toEqual([second])
    expect(await policy.holds.list({ includeEnded: false })).toEqual([second])
    expect(await policy.holds.list({ includeEnded: true })).toEqual([second, lifted])
    const entries = await ledger.read({ event: 'hold.placed' })
    expect(entries.map(({ details }) => details?.['expiresAt'])).toEqual([expiresAt, null])
    expect(await ledger.read({ event: 'hold.lifted' })).toMatchObject([
      { principal: { id: root.id }, details: { hold: first.id, kind: 'client', subject: 'c' } },
    ])
    expect(await policy.holds.lift('never', root)).toMatchObject({ says: expect.stringContaining('never') as unknown })
    expect(await policy.holds.place({ kind: 'person', subject: 'never', reason: 'x', by: root })).toMatchObject({
      says: expect.stringContaining('never') as unknown,
    })
  })

  test('a hold can be lifted up to its moment, and not at it', async () => {
    const { policy, root, clock } = await openPolicy(await open())
    const place = async () =>
      placed(await policy.holds.place({ kind: 'everything', reason: 'x', expiresAt: clock.now() + 10, by: root }))
    const [first, second] = [await place(), await place()]
    clock.advance(9)
    expect(isRefusal(await policy.holds.lift(first.id, root))).toBe(false)
    clock.advance(1)
    expect(await policy.holds.lift(second.id, root)).toMatchObject({ code: 'policy.hold-unknown' })
  })

  test('an administrator who is on hold, suspended or never enrolled is nobody who could lift a hold', async () => {
    const { policy, root, database, clock } = await openPolicy(await open())
    const ada = await addPerson(database, clock, 'ada', 'admin')
    const stop = async () => {
      const held = await policy.holds.place({ kind: 'person', subject: root.id, reason: 'x', by: root })
      if (isRefusal(held)) return held.code
      await policy.holds.lift(held.id, ada)
      return 'held'
    }
    expect(await stop()).toBe('held')
    const set = (columns: object) =>
      database.query.updateTable('people').set(columns).where('id', '=', ada.id).execute()
    await set({ status: 'suspended' })
    expect(await stop()).toBe('policy.last-admin-held')
    await set({ status: 'active', password_hash: null })
    expect(await stop()).toBe('policy.last-admin-held')
    await set({ password_hash: 'chosen' })
    const other = placed(await policy.holds.place({ kind: 'client', subject: ada.id, reason: 'x', by: root }))
    expect(await stop()).toBe('held')
    placed(await policy.holds.lift(other.id, root))
    placed(await policy.holds.place({ kind: 'person', subject: ada.id, reason: 'x', by: root }))
    expect(await stop()).toBe('policy.last-admin-held')
    const ben = await addPerson(database, clock, 'ben', 'viewer')
    expect(isRefusal(await policy.holds.place({ kind: 'person', subject: ben.id, reason: 'x', by: root }))).toBe(false)
  })

  test('a hold that would stop nothing is refused', async () => {
    const { policy, root, clock } = await openPolicy(await open())
    const place = async (kind: string, subject: string, reason = 'x', expiresAt?: number) => {
      const outcome = await policy.holds.place({ kind: kind as Hold['kind'], subject, reason, expiresAt, by: root })
      return isRefusal(outcome) ? outcome.code : 'placed'
    }
    for (const [kind, subject] of [
      ['tool', 'notes'],
      ['tool', 'notes/'],
      ['tool', '/x'],
      ['upstream', ''],
      ['upstream', 'a/b'],
      ['upstream', 'castellan'],
      ['person', ''],
      ['everything', 'x'],
      ['planet', 'x'],
      ['tool', `notes/${'x'.repeat(2_043)}`],
    ] as const) {
      expect(await place(kind, subject), `${kind} ${subject.slice(0, 20)}`).toBe('policy.hold-subject-invalid')
    }
    expect(await place('person', 'nobody')).toBe('policy.person-unknown')
    expect(await place('tool', `notes/${'x'.repeat(2_042)}`)).toBe('placed')
    expect(await place('everything', '', 'x'.repeat(500))).toBe('placed')
    for (const reason of ['', '  ', 'two\nlines', 'x'.repeat(501)]) {
      expect(await place('everything', '', reason)).toBe('policy.hold-reason-invalid')
    }
    for (const time of [clock.now(), 0, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(await place('everything', '', 'x', time)).toBe('policy.hold-expiry-invalid')
    }
    expect(await place('everything', '', 'x', clock.now() + 1)).toBe('placed')
  })
})

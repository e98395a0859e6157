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

import { describe, expect, test } from 'vitest'
import { findInForce, findOnAddress, type HeldQuestion, indexHolds, refuseNetwork } from './find-hold.ts'
import { checkHold, type Hold, isInForce, networkOf, type ProposedHold } from './hold.ts'

const proposed: ProposedHold = { kind: 'upstream', subject: 'notes', reason: 'incident' }
const codeOf = (more: object) => checkHold({ ...proposed, ...more }, 1_000)?.code ?? 'fine'

test.each([
  [{ kind: 'everything', subject: undefined }, 'fine'],
  [{ kind: 'everything', subject: '' }, 'fine'],
  [{ kind: 'everything', subject: 'all' }, 'policy.hold-subject-invalid'],
  [{ kind: 'person', subject: 'p/1' }, 'fine'],
  [{ kind: 'person', subject: '' }, 'policy.hold-subject-invalid'],
  [{ kind: 'client', subject: 'c' }, 'fine'],
  [{ kind: 'client', subject: '' }, 'policy.hold-subject-invalid'],
  [{ kind: 'client', subject: 'two\nlines' }, 'policy.hold-subject-invalid'],
  [{ kind: 'client', subject: 'x'.repeat(2_048) }, 'fine'],
  [{ kind: 'client', subject: 'x'.repeat(2_049) }, 'policy.hold-subject-invalid'],
  [{ kind: 'address', subject: '10.0.0.0/8' }, 'fine'],
  [{ kind: 'address', subject: '10.0.0.1/8' }, 'policy.hold-subject-invalid'],
  [{ kind: 'upstream', subject: 'notes' }, 'fine'],
  [{ kind: 'upstream', subject: 'castellan' }, 'policy.hold-subject-invalid'],
  [{ kind: 'tool', subject: 'notes/a' }, 'fine'],
  [{ kind: 'tool', subject: 'castellan/a' }, 'policy.hold-subject-invalid'],
  [{ kind: 'tool', subject: 'notes/' }, 'policy.hold-subject-invalid'],
  [{ kind: 'tool', subject: '/a' }, 'policy.hold-subject-invalid'],
  [{ kind: 'tool', subject: 'notes' }, 'policy.hold-subject-invalid'],
  [{ kind: 'planet', subject: 'x' }, 'policy.hold-subject-invalid'],
  [{ subject: 7 }, 'policy.hold-subject-invalid'],
  [{ reason: 'x'.repeat(500) }, 'fine'],
  [{ reason: 'x'.repeat(501) }, 'policy.hold-reason-invalid'],
  [{ reason: ' ' }, 'policy.hold-reason-invalid'],
  [{ reason: undefined }, 'policy.hold-reason-invalid'],
  [{ expiresAt: 1_001 }, 'fine'],
  [{ expiresAt: 1_000 }, 'policy.hold-expiry-invalid'],
  [{ expiresAt: 1_000.5 }, 'policy.hold-expiry-invalid'],
  [{ expiresAt: '9999' }, 'policy.hold-expiry-invalid'],
])('a hold with %j is %s', (more, expected) => {
  expect(codeOf(more)).toBe(expected)
})

test('what is wrong is named, whatever its type', () => {
  expect(checkHold({ ...proposed, subject: 'a/b' }, 1)?.says).toContain('`a/b`')
  expect(checkHold({ ...proposed, reason: '' }, 1)?.says).toContain('500')
})

test('a network has one spelling, and what is none has none', () => {
  expect([networkOf('::FFFF:10.0.0.0/104'), networkOf('10.0.0.0/8'), networkOf('home')]).toEqual([
    '10.0.0.0/8',
    '10.0.0.0/8',
    undefined,
  ])
})

const hold = (id: string, kind: Hold['kind'], subject: string, more: Partial<Hold> = {}): Hold => ({
  id,
  kind,
  subject,
  reason: 'r',
  placedBy: 'root',
  placedAt: 1,
  ...more,
})

test('a hold is in force until it is lifted or its moment has come', () => {
  expect(isInForce(hold('h', 'everything', ''), 9e15)).toBe(true)
  expect(isInForce(hold('h', 'everything', '', { expiresAt: 10 }), 9)).toBe(true)
  expect(isInForce(hold('h', 'everything', '', { expiresAt: 10 }), 10)).toBe(false)
  expect(isInForce(hold('h', 'everything', '', { liftedAt: 5 }), 1)).toBe(false)
  expect(isInForce(hold('h', 'everything', '', { expiresAt: 10, liftedAt: 5 }), 1)).toBe(false)
})

describe('finding', () => {
  const target = { upstream: 'notes', kind: 'tool', name: 'a' } as const
  const question: HeldQuestion = { personId: 'p', clients: ['c1', 'c2'], address: '192.0.2.7', target }
  const all = [
    hold('person', 'person', 'p'),
    hold('program', 'client', 'p'),
    hold('everything', 'everything', ''),
    hold('c1', 'client', 'c1'),
    hold('c2', 'client', 'c2'),
    hold('upstream', 'upstream', 'notes'),
    hold('tool', 'tool', 'notes/a'),
    hold('address', 'address', '192.0.2.0/24'),
  ]

  test('the widest answers first, one after the other', () => {
    const order: (string | undefined)[] = []
    let left = all
    while (left.length > 0) {
      const found = findInForce(indexHolds(left.toReversed()), question, 1)?.id
      order.push(found)
      if (found === undefined) break
      left = left.filter(({ id }) => id !== found)
    }
    expect(order).toEqual(all.map(({ id }) => id))
    expect(findInForce(indexHolds([]), question, 1)).toBeUndefined()
  })

  test('on the admin plane only the person and a program by its own id are asked', () => {
    const found = all.filter((one) => findInForce(indexHolds([one]), { ...question, target: 'castellan' }, 1))
    expect(found.map(({ id }) => id)).toEqual(['person', 'program'])
  })

  test('without a target, what is about one is not asked; without clients and address, they are not', () => {
    const found = (asked: HeldQuestion) =>
      all.filter((one) => findInForce(indexHolds([one]), asked, 1)).map(({ id }) => id)
    expect(found({ ...question, target: undefined })).toEqual([
      'person',
      'program',
      'everything',
      'c1',
      'c2',
      'address',
    ])
    expect(found({ personId: 'p', target })).toEqual(['person', 'program', 'everything', 'upstream', 'tool'])
    expect(found({ personId: 'q', target: { upstream: 'notes', kind: 'resource', name: 'a' } })).toEqual([
      'everything',
      'upstream',
    ])
    expect(found({ personId: 'q', target: { upstream: 'notes', kind: 'tool' } })).toEqual(['everything', 'upstream'])
  })

  test('of two on the same, the one that is in force counts', () => {
    const index = indexHolds([
      hold('over', 'person', 'p', { expiresAt: 5 }),
      hold('now', 'person', 'p'),
      hold('old', 'address', '192.0.2.0/24', { expiresAt: 5 }),
      hold('new', 'address', '192.0.2.7'),
    ])
    expect(findInForce(index, question, 5)?.id).toBe('now')
    expect(findOnAddress(index, '192.0.2.7', 5)?.id).toBe('new')
    expect(findOnAddress(index, '192.0.2.8', 4)?.id).toBe('old')
    expect(findOnAddress(index, '192.0.2.8', 5)).toBeUndefined()
  })
})

test('a network with this machine in it is refused by name, and no other', () => {
  expect(refuseNetwork('127.0.0.0/8')).toMatchObject({
    code: 'policy.hold-on-loopback',
    says: expect.stringContaining('127.0.0.0/8') as unknown,
  })
  expect(refuseNetwork('::1')?.code).toBe('policy.hold-on-loopback')
  expect([refuseNetwork('127.0.0.2'), refuseNetwork('::2'), refuseNetwork('10.0.0.0/8')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

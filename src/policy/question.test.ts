import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Asked } from './explain.ts'
import { readQuestion } from './question.ts'

function keyOf(roles: readonly string[], target: Asked): string | undefined {
  const principal = {
    id: 'p',
    name: 'n',
    roles,
    factors: [],
    credential: { kind: 'session', id: 's', expiresAt: 0 },
  } as const
  const permission = target === 'castellan' ? 'people:read' : target.kind === 'server' ? 'servers:use' : 'tools:call'
  const read = readQuestion(principal, permission, target)
  return read.unreadable === undefined ? read.key : undefined
}

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('1', ':', '#', '|', 'a', ','), minLength: 1, maxLength: 6 }),
  fc.constantFrom('x'.repeat(256), 'x'.repeat(257), 'x'.repeat(258), '1:a', '#a'),
)
const asked = fc.tuple(
  fc.uniqueArray(text, { maxLength: 3 }),
  fc.oneof(
    fc.record({ upstream: text, kind: fc.constant('server' as const) }),
    fc.record({ upstream: text, kind: fc.constant('tool' as const), name: text }),
  ),
)

test('two questions have one key only when they are the same question', () => {
  fc.assert(
    fc.property(asked, asked, ([roles, target], [otherRoles, otherTarget]) => {
      const isSame =
        JSON.stringify([roles.toSorted(), target.upstream, target.kind, 'name' in target && target.name]) ===
        JSON.stringify([
          otherRoles.toSorted(),
          otherTarget.upstream,
          otherTarget.kind,
          'name' in otherTarget && otherTarget.name,
        ])
      expect(keyOf(roles, target) === keyOf(otherRoles, otherTarget)).toBe(isSame)
    }),
    { numRuns: 3_000 },
  )
})

test('the order and the doubles of roles do not matter', () => {
  expect(keyOf(['b', 'a', 'b'], 'castellan')).toBe(keyOf(['a', 'b'], 'castellan'))
})

test('a key stays short for a long name', () => {
  const key = keyOf(['a'], { upstream: 'u', kind: 'tool', name: 'x'.repeat(65_536) })
  expect(key?.length).toBeLessThan(200)
})

import fc from 'fast-check'
import { isProblem, readMessage } from '#protocol'
import { expect, test } from 'vitest'
import { type Caller, judgedCall } from './judged-call.ts'

const principal = {
  id: 'p',
  name: 'ada',
  roles: [],
  factors: [],
  credential: { kind: 'access-token', id: 't', expiresAt: 1 },
} as const

function hashOf(params: unknown, more: Partial<Caller> & { method?: string; id?: unknown } = {}): string | undefined {
  const { method = 'tools/call', id = 1, ...known } = more
  const message = readMessage(JSON.stringify({ jsonrpc: '2.0', ...(id === null ? {} : { id }), method, params }))
  if (isProblem(message)) throw new Error(message.problem)
  const target = { upstream: 'bank', kind: 'tool', name: 'pay' } as const
  const asked = { principal, message, target, permission: 'tools:call', era: 'modern', ...known }
  return judgedCall(asked as unknown as Caller)?.hash
}

test('the same call has the same hash, however it is written and wherever it comes from', () => {
  const first = hashOf({ name: 'pay', arguments: { a: 1, b: [2, { c: 'é' }] } })
  expect(first).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(hashOf({ arguments: { b: [2, { c: 'é' }], a: 1.0 }, name: 'pay' }, { id: 'other' })).toBe(first)
  const around = { _meta: { progressToken: 1 }, inputResponses: { x: {} }, requestState: 's' }
  expect(hashOf({ name: 'pay', arguments: { a: 1, b: [2, { c: 'é' }] }, ...around })).toBe(first)
})

test('whatever else differs is another call', () => {
  const of = (args: unknown, more: object = {}) => hashOf({ name: 'pay', arguments: args, ...more })
  const hashes = [
    of({ a: 1 }),
    of({ a: '1' }),
    of({ a: 1, b: null }),
    of({ a: [1] }),
    of({}),
    hashOf({ name: 'pay' }),
    of({ a: 1 }, { task: {} }),
    of({ a: 1 }, { other: 1 }),
    of({ a: 9007199254740991 }),
    of({ a: 9007199254740990 }),
    of({ a: '\u0000' }),
    of({ a: 'e\u0301' }),
    of({ a: 'é' }),
  ]
  const known = { name: 'pay', arguments: { a: 1 } }
  const elsewhere = [
    hashOf(known, { era: 'legacy' }),
    hashOf(known, { method: 'prompts/get' }),
    hashOf(known, { permission: 'files:read' }),
    hashOf(known, { target: { upstream: 'other', kind: 'tool', name: 'pay' } }),
    hashOf(known, { target: { upstream: 'bank', kind: 'tool', name: 'look' } }),
    hashOf(known, { target: { upstream: 'bank', kind: 'prompt', name: 'pay' } }),
  ]
  expect(new Set([...hashes, ...elsewhere]).size).toBe(hashes.length + elsewhere.length)
})

test('two calls have one hash only when their arguments are equal', () => {
  const args = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.oneof(fc.integer(), fc.constantFrom('1', '', 'a', null)),
  )
  fc.assert(
    fc.property(args, args, (one, other) => {
      const sorted = (given: object) => JSON.stringify(Object.entries(given).toSorted())
      const hash = (given: unknown) => hashOf({ name: 'pay', arguments: given })
      expect(hash(one) === hash(other)).toBe(sorted(one) === sorted(other))
    }),
  )
})

test('what is no single call is none', () => {
  for (const method of ['resources/subscribe', 'completion/complete', 'tools/list', 'subscriptions/listen']) {
    expect(hashOf({ uri: 'a', name: 'a' }, { method })).toBeUndefined()
  }
  expect(hashOf({ name: 'pay' }, { id: null })).toBeUndefined()
})

import { expect, test } from 'vitest'
import type { Principal } from '#kernel'
import { createInFlight } from './in-flight.ts'

function owner(name: string, upstreamSessionId?: string) {
  const credential = { kind: 'access-token', id: `token of ${name}`, expiresAt: 0 } as const
  const principal: Principal = { id: name, name, roles: [], factors: [], credential }
  const upstream = { name: 'books', transport: 'http', environment: {}, isDemo: false } as const
  const target = { upstream: 'books', kind: 'tool', name: 'echo' } as const
  const aim = { upstream, target, permission: 'tools:call', alsoNeeded: [], circumstances: {} } as const
  return { ...aim, principal, upstreamSessionId } as const
}

test('ids given to the upstream never repeat, whatever the client calls its request', () => {
  const inFlight = createInFlight('node')
  const ids = Array.from({ length: 1000 }, () => inFlight.open(owner('ana'), 1).upstreamId)
  expect(new Set(ids).size).toBe(1000)
  expect(createInFlight('other').open(owner('ana'), 1).upstreamId).not.toBe(ids[0])
})

test('a request is found by its own client and session only, and 1 is not "1"', () => {
  const inFlight = createInFlight('node')
  const opened = inFlight.open(owner('ana', 'session'), 1)
  expect(inFlight.find(owner('ana', 'session'), 1)).toBe(opened.upstreamId)
  expect(inFlight.find(owner('ana', 'session'), '1')).toBeUndefined()
  expect(inFlight.find(owner('ana', 'other'), 1)).toBeUndefined()
  expect(inFlight.find(owner('ben'), 1)).toBeUndefined()
  opened.done(false)
  expect(inFlight.find(owner('ana', 'session'), 1)).toBeUndefined()
})

test('of two requests with one id the newest is found, and then the other', () => {
  const inFlight = createInFlight('node')
  const [first, second] = [inFlight.open(owner('ana'), 1), inFlight.open(owner('ana'), 1)]
  expect(inFlight.find(owner('ana'), 1)).toBe(second.upstreamId)
  second.done(false)
  expect(inFlight.find(owner('ana'), 1)).toBe(first.upstreamId)
})

test('a parked request is found by its upstream id, for its own person and session only, and can be cancelled', () => {
  const inFlight = createInFlight('node')
  const opened = inFlight.open(owner('ana', 'session'), 1)
  expect(inFlight.parked(owner('ana', 'session'), opened.upstreamId)).toBeUndefined()
  opened.done(true)
  expect(inFlight.parked(owner('ana', 'session'), opened.upstreamId)).toMatchObject({
    clientId: 1,
    aim: { target: { name: 'echo' } },
  })
  expect(inFlight.parked(owner('ana', 'other'), opened.upstreamId)).toBeUndefined()
  expect(inFlight.parked(owner('ben', 'session'), opened.upstreamId)).toBeUndefined()
  expect(inFlight.find(owner('ana', 'session'), 1)).toBe(opened.upstreamId)
})

test('10,000 parked requests are kept, and one more pushes out the oldest', () => {
  const inFlight = createInFlight('node')
  const ids = Array.from({ length: 10_000 }, (_, index) => {
    const opened = inFlight.open(owner('ana', 'session'), index)
    opened.done(true)
    return opened.upstreamId
  })
  expect(inFlight.parked(owner('ana', 'session'), ids[0] ?? '')).toBeDefined()
  inFlight.open(owner('ana', 'session'), 'one more').done(true)
  expect(inFlight.parked(owner('ana', 'session'), ids[0] ?? '')).toBeUndefined()
  expect(inFlight.find(owner('ana', 'session'), 0)).toBeUndefined()
  expect(inFlight.parked(owner('ana', 'session'), ids[1] ?? '')).toBeDefined()
})

import { expect, test } from 'vitest'
import { choose, type Choosable } from './choose.ts'

type Given = { -readonly [Part in keyof Choosable]?: Choosable[Part] } & { readonly name: string }

function endpoint(given: Given) {
  return { weight: 1, isHealthy: true, isFree: true, inFlight: 0, chosen: 0, ...given }
}

/** Who takes so many calls in a row, each answered before the next comes. */
function inTurn(endpoints: ReturnType<typeof endpoint>[], calls: number, here?: string): string {
  return Array.from({ length: calls }, () => {
    const chosen = choose(endpoints, here)
    if (chosen !== undefined) chosen.chosen += 1
    return chosen?.name ?? '-'
  }).join('')
}

test('with nothing under way, calls are shared by weight', () => {
  const shares = inTurn([endpoint({ name: 'a', weight: 3 }), endpoint({ name: 'b' })], 8)
  expect([...shares].filter((name) => name === 'a')).toHaveLength(6)
  expect(inTurn([endpoint({ name: 'a' }), endpoint({ name: 'b' })], 6)).toBe('ababab')
})

test('who has the fewest open calls for its weight is chosen', () => {
  const busy = endpoint({ name: 'busy', weight: 10, inFlight: 10 })
  const idle = endpoint({ name: 'idle', weight: 1, inFlight: 0, chosen: 1_000 })
  expect(choose([busy, idle])).toBe(idle)
  idle.inFlight = 2
  expect(choose([busy, idle])).toBe(busy)
})

test('the region of this gateway is preferred, and the others take over when it has none that is free', () => {
  const near = endpoint({ name: 'near', region: 'eu', inFlight: 50 })
  const far = endpoint({ name: 'far', region: 'us' })
  expect(choose([far, near], 'eu')).toBe(near)
  expect(choose([far, near])).toBe(far)
  near.isFree = false
  expect(choose([far, near], 'eu')).toBe(far)
})

test('an endpoint without a region is as near as one of this region', () => {
  const everywhere = endpoint({ name: 'everywhere' })
  const near = endpoint({ name: 'near', region: 'eu', inFlight: 1 })
  expect(choose([near, everywhere], 'eu')).toBe(everywhere)
})

test('a healthy one far away comes before an unhealthy one near, and unhealthy ones before none', () => {
  const near = endpoint({ name: 'near', region: 'eu', isHealthy: false })
  const far = endpoint({ name: 'far', region: 'us' })
  expect(choose([near, far], 'eu')).toBe(far)
  far.isFree = false
  expect(choose([near, far], 'eu')).toBe(near)
  near.isFree = false
  expect(choose([near, far], 'eu')).toBeUndefined()
})

test('what was tried is not chosen again', () => {
  const [a, b] = [endpoint({ name: 'a' }), endpoint({ name: 'b' })]
  expect(choose([a, b], undefined, [a])).toBe(b)
  expect(choose([a, b], undefined, [a, b])).toBeUndefined()
})

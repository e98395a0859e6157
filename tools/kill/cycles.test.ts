import { expect, test } from 'vitest'
import { createRandom } from '../fuzz/random.ts'
import { runCycles } from './cycles.ts'
import { hasTracer } from './faults.ts'

test('killed a few times under load, it loses no call', { timeout: 180_000 }, async () => {
  const cycles = 4
  const figures = await runCycles({ cycles, random: createRandom(11), callers: 8, hasTracer: hasTracer() })
  expect(figures.problems).toEqual([])
  expect(figures.cycles).toBe(cycles)
  expect(figures.acknowledged).toBeGreaterThan(0)
  expect(figures.arrivals).toBeGreaterThanOrEqual(figures.acknowledged)
  expect(figures.entries).toBeGreaterThan(2 * figures.acknowledged)
  expect(Object.keys(figures.openings)).toEqual(['nothing', 'crash'])
})

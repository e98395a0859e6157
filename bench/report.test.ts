import { expect, test } from 'vitest'
import type { Sample, Series } from './measure.ts'
import { ratio, rowOf, tableOf } from './report.ts'

function series(name: string, cpu: readonly number[], p50Ms = 1): Series {
  const subject = {
    name,
    pid: 1,
    target: () => ({ port: 1, host: 'x', path: '/', tokens: [], era: 'legacy' as const }),
  }
  const samples = cpu.map((cpuMicrosPerCall): Sample => {
    const latency = { p50Ms, p99Ms: p50Ms * 2 }
    return { cpuMicrosPerCall, perSecond: 1000, residentMegabytes: 50, errors: 0, busy: latency, alone: latency }
  })
  return { course: { name, subject, era: 'legacy' }, samples, calls: 10, errors: 0, problems: [] }
}

test('a ratio is taken within each round, so that a slow round of the machine does not count', () => {
  expect(ratio(series('castellan', [200, 400, 210]), series('bare', [100, 200, 100]))).toBe(2)
})

test('a row adds latencies to those of a direct call', () => {
  const row = rowOf(series('castellan', [200], 3), series('direct', [10], 1), series('bare', [100]))
  expect(row).toMatchObject({ toBare: 2, addedBusyP50Ms: 2, addedBusyP99Ms: 4, addedAloneP50Ms: 2, errors: 0 })
})

test('a table lines up its columns', () => {
  const bare = series('bare', [100])
  const lines = tableOf([rowOf(series('a long name', [12345]), bare, bare), rowOf(bare, bare, bare)]).split('\n')
  expect(new Set(lines.map((line) => line.length)).size).toBe(1)
  expect(lines[1]).toContain('a long name        12345')
})

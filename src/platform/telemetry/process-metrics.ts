import { monitorEventLoopDelay } from 'node:perf_hooks'
import { defineMetric } from './metric-definition.ts'
import type { Meter } from './meter.ts'

/** What the process itself tells. */
export const processMetrics = {
  cpu: defineMetric({
    name: 'process.cpu',
    kind: 'counter',
    unit: 's',
    says: 'processor time of the process, user and system',
    labels: [],
  }),
  residentMemory: defineMetric({
    name: 'process.resident_memory',
    kind: 'gauge',
    unit: 'By',
    says: 'memory of the process that is in RAM',
    labels: [],
  }),
  startTime: defineMetric({
    name: 'process.start_time',
    kind: 'gauge',
    unit: 's',
    says: 'when the process started, since the epoch',
    labels: [],
  }),
  heapUsed: defineMetric({
    name: 'nodejs.heap_size_used',
    kind: 'gauge',
    unit: 'By',
    says: 'heap of JavaScript in use',
    labels: [],
  }),
  heapTotal: defineMetric({
    name: 'nodejs.heap_size_total',
    kind: 'gauge',
    unit: 'By',
    says: 'heap of JavaScript that was reserved',
    labels: [],
  }),
  lag: defineMetric({
    name: 'nodejs.eventloop_lag',
    kind: 'gauge',
    unit: 's',
    says: 'mean delay of the event loop in the last ten seconds',
    labels: [],
  }),
  lagP99: defineMetric({
    name: 'nodejs.eventloop_lag_p99',
    kind: 'gauge',
    unit: 's',
    says: '99th percentile of the delay of the event loop in the last ten seconds',
    labels: [],
  }),
  lagMax: defineMetric({
    name: 'nodejs.eventloop_lag_max',
    kind: 'gauge',
    unit: 's',
    says: 'longest delay of the event loop in the last ten seconds',
    labels: [],
  }),
  build: defineMetric({
    name: 'castellan.build_info',
    kind: 'gauge',
    unit: '1',
    says: 'always 1; the labels tell what runs',
    labels: ['version', 'node'],
  }),
} as const

const resolutionMs = 50
const windowMs = 10_000

/** Delays of the event loop in the last window that is complete, or in the first one while there is none. */
function watchLag() {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  const look = () => {
    const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3)
    // WHY: a histogram without a sample has a mean that is no number and a largest value of zero.
    if (delay.count === 0) return { mean: 0, p99: 0, max: 0 }
    return { mean: seconds(delay.mean), p99: seconds(delay.percentile(99)), max: seconds(delay.max) }
  }
  let last: ReturnType<typeof look> | undefined
  const timer = setInterval(() => {
    last = look()
    delay.reset()
  }, windowMs).unref()
  return {
    last: () => last ?? look(),
    close() {
      clearInterval(timer)
      delay.disable()
    },
  }
}

/** The process itself. @returns how to stop watching it */
export function observeProcess(meter: Meter, version: string): () => void {
  const lags = watchLag()
  const { cpu, residentMemory, startTime, heapUsed, heapTotal, lag, lagP99, lagMax, build } = processMetrics
  const one = (value: number) => [[{}, value]] as const
  meter.observe(cpu, () => {
    const { user, system } = process.cpuUsage()
    return one((user + system) / 1e6)
  })
  meter.observe(residentMemory, () => one(process.memoryUsage.rss()))
  meter.observe(startTime, () => one(performance.timeOrigin / 1000))
  meter.observe(heapUsed, () => one(process.memoryUsage().heapUsed))
  meter.observe(heapTotal, () => one(process.memoryUsage().heapTotal))
  meter.observe(lag, () => one(lags.last().mean))
  meter.observe(lagP99, () => one(lags.last().p99))
  meter.observe(lagMax, () => one(lags.last().max))
  meter.observe(build, () => [[{ version, node: process.versions.node }, 1]])
  return lags.close
}

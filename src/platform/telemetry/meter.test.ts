import { expect, test } from 'vitest'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import * as sdk from '@opentelemetry/sdk-metrics'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { readExposition, valueOf } from '../../../test/world/exposition.ts'
import { exposition } from './exposition.ts'
import { createMeter } from './meter.ts'
import { metricProducer } from './metric-data.ts'
import { defineMetric, mostSeries, prometheusNameOf } from './metric-definition.ts'

const calls = defineMetric({
  name: 'test.calls',
  kind: 'counter',
  unit: '1',
  says: 'calls with a \\ and\na line break',
  labels: ['outcome', 'tool.name'],
  openLabels: ['tool.name'],
})
const took = defineMetric({
  name: 'test.took',
  kind: 'histogram',
  unit: 's',
  says: 'time',
  labels: ['outcome'],
  bounds: [0.1, 1, 10],
})
const size = defineMetric({ name: 'test.size', kind: 'gauge', unit: 'By', says: 'size', labels: [] })

async function scraped(meter: ReturnType<typeof createMeter>) {
  return readExposition(await exposition(meter.read()))
}

test('names are those of Prometheus: unit and kind at the end', () => {
  expect([calls, took, size].map(prometheusNameOf)).toEqual([
    'test_calls_total',
    'test_took_seconds',
    'test_size_bytes',
  ])
})

test('what was counted is told, with every character of a label escaped', async () => {
  const meter = createMeter()
  meter.counter(calls).with({ outcome: 'ok', 'tool.name': 'a"b\\c\nd' }).add()
  meter.counter(calls).with({ outcome: 'ok', 'tool.name': 'a"b\\c\nd' }).add(2)
  meter.gauge(size).with({}).set(7)
  const families = await scraped(meter)
  expect(valueOf(families, 'test_calls_total', { outcome: 'ok', tool_name: 'a"b\\c\nd' })).toBe(3)
  expect(valueOf(families, 'test_size_bytes')).toBe(7)
})

test('a value on a bound belongs to its bucket, one beyond the last to none of them', async () => {
  const meter = createMeter()
  const series = meter.histogram(took).with({ outcome: 'ok' })
  for (const value of [0, 0.1, 0.11, 10, 11]) series.record(value)
  for (const value of [-1, Number.NaN]) series.record(value)
  const families = await scraped(meter)
  const bucket = (le: string) => valueOf(families, 'test_took_seconds_bucket', { le })
  expect(['0.1', '1', '10', '+Inf'].map(bucket)).toEqual([2, 3, 4, 5])
  expect(valueOf(families, 'test_took_seconds_sum')).toBeCloseTo(21.21)
})

test('labels that are empty are left out, and a metric without series is not told', async () => {
  const meter = createMeter()
  meter.counter(calls).with({ outcome: '', 'tool.name': undefined }).add()
  meter.histogram(took)
  expect(await scraped(meter)).toMatchObject([{ samples: [{ labels: {}, value: 1 }] }])
})

test('a counter never goes down', async () => {
  const meter = createMeter()
  const series = meter.counter(calls).with({ outcome: 'ok' })
  series.add(2)
  series.add(-1)
  expect(valueOf(await scraped(meter), 'test_calls_total')).toBe(2)
})

test('up to the cap every name has its series; beyond it all names are `other`, and nothing is lost', async () => {
  const meter = createMeter()
  const family = meter.counter(calls)
  for (let index = 0; index < mostSeries; index += 1) family.with({ outcome: 'ok', 'tool.name': `tool-${index}` }).add()
  expect(valueOf(await scraped(meter), 'test_calls_total', { tool_name: 'other' })).toBe(0)
  for (let index = 0; index < 8_000; index += 1) family.with({ outcome: 'ok', 'tool.name': `more-${index}` }).add()
  family.with({ outcome: 'ok', 'tool.name': 'tool-0' }).add()
  const families = await scraped(meter)
  expect(families[0]?.samples).toHaveLength(mostSeries + 1)
  expect(valueOf(families, 'test_calls_total', { tool_name: 'other' })).toBe(8_000)
  expect(valueOf(families, 'test_calls_total', { tool_name: 'tool-0' })).toBe(2)
})

test('what is asked for at a reading may fail without the others', async () => {
  const meter = createMeter()
  meter.observe(size, () => {
    throw new Error('broken')
  })
  meter.observe(calls, () => [
    [{ outcome: 'ok' }, 5],
    [{ outcome: 'odd' }, Number.NaN],
  ])
  expect(await scraped(meter)).toMatchObject([{ name: 'test_calls_total', samples: [{ value: 5 }] }])
})

test('a definition leads to the same series wherever it is used', async () => {
  const meter = createMeter()
  meter.counter(calls).with({ outcome: 'ok' }).add()
  meter.counter(calls).with({ outcome: 'ok' }).add()
  expect(valueOf(await scraped(meter), 'test_calls_total', { outcome: 'ok' })).toBe(2)
})

test('the text has the samples that the serializer of OpenTelemetry writes for the same data', async () => {
  const meter = createMeter()
  meter.counter(calls).with({ outcome: 'ok', 'tool.name': 'a"b\\c\nd' }).add(3)
  meter.histogram(took).with({ outcome: 'failed' }).record(0.5)
  meter.gauge(size).with({}).set(1.5)
  const resource = resourceFromAttributes({ 'service.name': 'castellan' })
  const { resourceMetrics } = await metricProducer(sdk, meter, resource, 'castellan').collect()
  const theirs = new PrometheusSerializer(undefined, false, undefined, true, true).serialize(resourceMetrics)
  const samples = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      // WHY: theirs has no unit in the name, which the conventions of Prometheus ask for.
      .map((line) => line.replace(/_(seconds|bytes)(?=[_{ ])/, ''))
      .sort()
  expect(samples(await exposition(meter.read()))).toEqual(samples(theirs))
})

test('a long reading lets other work in between', async () => {
  const meter = createMeter()
  const family = meter.histogram(defineMetric({ ...took, labels: ['outcome'], openLabels: ['outcome'] }))
  for (let index = 0; index < mostSeries; index += 1) family.with({ outcome: `o${index}` }).record(1)
  let turns = 0
  const timer = setInterval(() => (turns += 1), 0)
  const counting = setImmediate(function again() {
    turns += 1
    setImmediate(again)
  })
  await exposition(meter.read())
  clearInterval(timer)
  clearImmediate(counting)
  expect(turns).toBeGreaterThan(10)
})

test.each([
  { name: 'Bad.Name', kind: 'counter', unit: '1', says: '', labels: [] },
  { name: 'no.bounds', kind: 'histogram', unit: 's', says: '', labels: [] },
  { name: 'bad.bounds', kind: 'histogram', unit: 's', says: '', labels: [], bounds: [1, 1] },
  { name: 'not.needed', kind: 'gauge', unit: 's', says: '', labels: [], bounds: [1] },
] as const)('a definition that cannot be is refused: $name', (definition) => {
  expect(() => defineMetric(definition)).toThrow(/is not a metric/)
})

import { setTimeout as sleep } from 'node:timers/promises'
import { Secret } from '#kernel'
import { expect, test } from 'vitest'
import { startProcess } from '../../../test/world/machine/start-process.ts'
import { startOtlpCollector } from '../../../test/world/servers/otlp-collector.ts'
import { openTelemetry } from '../../../test/world/telemetry.ts'
import type { Telemetry } from './create-telemetry.ts'
import { defineMetric } from './metric-definition.ts'
import type { FinishedSpan } from './tracer.ts'

const calls = defineMetric({ name: 'test.calls', kind: 'counter', unit: '1', says: 'calls', labels: ['outcome'] })
const took = defineMetric({ name: 'test.took', kind: 'histogram', unit: 's', says: 'time', labels: [], bounds: [1] })

function span(telemetry: Telemetry, more: Partial<FinishedSpan> = {}): FinishedSpan {
  const { traceId, spanId } = telemetry.tracer.place(undefined)
  const endMs = performance.now()
  const times = { startMs: endMs - 5, endMs }
  return { name: 'tools/call', kind: 'server', traceId, spanId, ...times, attributes: {}, isError: false, ...more }
}

async function until(holds: () => boolean, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!holds() && performance.now() < deadline) await sleep(20)
  expect(holds()).toBe(true)
}

test('spans and metrics arrive, with the headers and the resource, under the ids they were given', async () => {
  const collector = await startOtlpCollector()
  const otlpHeaders = new Secret('x-tenant=books, authorization=Basic a2V5PQ==')
  const { telemetry } = await openTelemetry({ otlpEndpoint: `${collector.url}/base/`, otlpHeaders })
  telemetry.meter.counter(calls).with({ outcome: 'ok' }).add(3)
  telemetry.meter.histogram(took).with({}).record(0.5)
  const server = span(telemetry, { attributes: { 'mcp.method.name': 'tools/call' }, isError: true })
  const client = span(telemetry, { kind: 'client', traceId: server.traceId, parentSpanId: server.spanId })
  telemetry.tracer.finish(client)
  telemetry.tracer.finish(server)
  await telemetry.close()
  expect(collector.delivered.map(({ path }) => path).sort()).toEqual(['/base/v1/metrics', '/base/v1/traces'])
  for (const { headers } of collector.delivered)
    expect(headers).toMatchObject({ 'x-tenant': 'books', authorization: 'Basic a2V5PQ==' })
  const text = collector.delivered.map((one) => one.text).join('')
  for (const part of ['"service.name"', '"castellan"', '"service.version"', '"service.instance.id"', '"test.calls"'])
    expect(text).toContain(part)
  const traces = collector.delivered.find(({ path }) => path.endsWith('traces'))?.text ?? ''
  for (const id of [server.traceId, server.spanId, client.spanId]) expect(traces).toContain(id)
})

test('without a receiver nothing of OpenTelemetry is loaded and no span is made', async () => {
  const { telemetry } = await openTelemetry()
  expect(telemetry.tracer.isOn).toBe(false)
  telemetry.tracer.finish(span(telemetry))
  const loadedBy = async (args: string[]) => {
    const { ended, lines } = startProcess('loaded-packages', args)
    expect((await ended).complaints).toBe('')
    const packages = JSON.parse(lines[0] ?? '[]') as string[]
    return packages.filter((name) => name.startsWith('@opentelemetry'))
  }
  expect(await loadedBy([])).toEqual([])
  expect(await loadedBy(['http://127.0.0.1:9'])).toContain('@opentelemetry/sdk-trace')
})

test.each(['fails', 'drips', 'keeps silent'] as const)(
  'a receiver that %s costs what it did not take, and is told of once',
  async (mood) => {
    const collector = await startOtlpCollector()
    collector.mood.current = mood
    const { telemetry, lines } = await openTelemetry({ otlpEndpoint: collector.url })
    const before = performance.now()
    for (let index = 0; index < 5_000; index += 1) telemetry.tracer.finish(span(telemetry))
    expect(performance.now() - before).toBeLessThan(2_000)
    await telemetry.close()
    expect(performance.now() - before).toBeLessThan(8_000)
    expect(lines.filter((line) => line.includes('telemetry.export-failed')).length).toBeLessThanOrEqual(2)
    await until(() => collector.delivered.length > 0, 100)
    const openOnes = async () => (await collector.openConnections()) > 0
    for (let tries = 0; tries < 100 && (await openOnes()); tries += 1) await sleep(20)
    expect(await openOnes()).toBe(false)
  },
)

test('a receiver that is not there is told of once for each signal, and once when it is back', async () => {
  const collector = await startOtlpCollector()
  collector.mood.current = 'fails'
  const { telemetry, lines } = await openTelemetry({ otlpEndpoint: collector.url })
  const failures = () => lines.filter((line) => line.includes('telemetry.export-failed'))
  const recoveries = () => lines.filter((line) => line.includes('telemetry.export-recovered'))
  for (let round = 0; round < 2; round += 1) {
    telemetry.tracer.finish(span(telemetry))
    await until(() => collector.delivered.length > round, 10_000)
  }
  await until(() => failures().length === 1, 1_000)
  collector.mood.current = 'takes'
  telemetry.tracer.finish(span(telemetry))
  await until(() => recoveries().length === 1, 10_000)
  expect(failures()).toHaveLength(1)
  expect(failures()[0]).not.toContain('"no"')
})

import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HrTime } from '@opentelemetry/api'
import type { Log } from './log.ts'
import type { Meter } from './meter.ts'
import { metricProducer } from './metric-data.ts'
import type { FinishedSpan } from './tracer.ts'

export interface OtlpOptions {
  /** Base address; `/v1/traces` and `/v1/metrics` are below it. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly resource: Readonly<Record<string, string>>
  readonly meter: Meter
  readonly log: Log
  readonly metricsEveryMs?: number
}

export interface OtlpExport {
  finish(span: FinishedSpan): void
  /** Sends what is left, for a few seconds at most. */
  close(): Promise<void>
}

const scope = 'castellan'
const metricsEveryMs = 60_000
const spansEveryMs = 2_000
const mostSpansQueued = 2_048
const mostSpansAtOnce = 512
const mostExportsAtOnce = 4
const answerTimeoutMs = 10_000
/** From the first byte sent to the last one received: a receiver that never ends its answer is cut off. */
const exportDeadlineMs = 15_000
const closeDeadlineMs = 3_000

interface ExportResult {
  readonly code: number
  readonly error?: Error
}

type Done = (result: ExportResult) => void

interface Exporter<Batch> {
  export(batch: Batch, done: Done): void
  forceFlush?(): Promise<void>
  shutdown(): Promise<void>
}

function reasonOf(error: Error | undefined): string {
  if (error === undefined) return 'no reason given'
  const code = 'code' in error ? String(error.code) : ''
  return code === '' ? error.message : `${error.message} (${code})`
}

/** Says once that a receiver does not take what it is sent, and once that it does again. */
function createReporter(log: Log, signal: string): (result: ExportResult) => void {
  let isFailing = false
  return ({ code, error }) => {
    const failed = code !== 0
    if (failed === isFailing) return
    isFailing = failed
    if (!failed)
      return log.info('telemetry.export-recovered', 'the OpenTelemetry receiver takes data again', { signal })
    const says = 'the OpenTelemetry receiver does not take data; calls are not affected'
    log.warn('telemetry.export-failed', says, { signal, reason: reasonOf(error) })
  }
}

function createAgent(endpoint: string): HttpAgent | HttpsAgent {
  const options = { keepAlive: true, maxSockets: mostExportsAtOnce }
  return endpoint.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options)
}

function guarded<Batch>(exporter: Exporter<Batch>, agent: HttpAgent, report: Done): Exporter<Batch> {
  return {
    export(batch, done) {
      const timer = setTimeout(() => agent.destroy(), exportDeadlineMs).unref()
      exporter.export(batch, (result) => {
        clearTimeout(timer)
        report(result)
        done(result)
      })
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  }
}

function urlOf(endpoint: string, path: string): string {
  const url = new URL(endpoint)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`
  return url.href
}

function hrTime(monotonicMs: number): HrTime {
  const ms = performance.timeOrigin + monotonicMs
  return [Math.trunc(ms / 1000), Math.round((ms % 1000) * 1e6)]
}

type Packages = Awaited<ReturnType<typeof load>>

/** WHY: these packages cost a tenth of a second and 20 MB; only who sends needs them. */
async function load() {
  const [api, resources, metrics, traces, metricsOut, tracesOut] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-metrics-otlp-http'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  return { api, resources, metrics, traces, metricsOut, tracesOut }
}

interface Ids {
  traceId: string
  spanId: string
}

function spanWriter({ api }: Packages, provider: InstanceType<Packages['traces']['TracerProvider']>, ids: Ids) {
  const tracer = provider.getTracer(scope)
  const kinds = { server: api.SpanKind.SERVER, client: api.SpanKind.CLIENT }
  return (span: FinishedSpan): void => {
    // INVARIANT: ids were given out when the work began; the generator hands out these and no others.
    ids.traceId = span.traceId
    ids.spanId = span.spanId
    const parent = { traceId: span.traceId, spanId: span.parentSpanId ?? '', traceFlags: 1, isRemote: true }
    const around =
      span.parentSpanId === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, parent)
    const options = { kind: kinds[span.kind], startTime: hrTime(span.startMs), attributes: { ...span.attributes } }
    const made = tracer.startSpan(span.name, options, around)
    if (span.isError) made.setStatus({ code: api.SpanStatusCode.ERROR })
    made.end(hrTime(span.endMs))
  }
}

function traceProvider(packages: Packages, options: OtlpOptions, agent: HttpAgent, ids: Ids) {
  const { resources, traces, tracesOut } = packages
  const exporter = new tracesOut.OTLPTraceExporter({
    url: urlOf(options.endpoint, 'v1/traces'),
    headers: { ...options.headers },
    timeoutMillis: answerTimeoutMs,
    concurrencyLimit: mostExportsAtOnce,
    httpAgentOptions: () => agent,
  })
  return new traces.TracerProvider({
    resource: resources.resourceFromAttributes({ ...options.resource }),
    sampler: new traces.AlwaysOnSampler(),
    idGenerator: { generateTraceId: () => ids.traceId, generateSpanId: () => ids.spanId },
    spanProcessors: [
      new traces.BatchSpanProcessor({
        exporter: guarded(exporter, agent, createReporter(options.log, 'traces')),
        maxQueueSize: mostSpansQueued,
        maxExportBatchSize: mostSpansAtOnce,
        scheduledDelayMillis: spansEveryMs,
        exportTimeoutMillis: exportDeadlineMs + 1_000,
      }),
    ],
  })
}

function meterProvider({ metrics, metricsOut, resources }: Packages, options: OtlpOptions, agent: HttpAgent) {
  const resource = resources.resourceFromAttributes({ ...options.resource })
  const exporter = new metricsOut.OTLPMetricExporter({
    url: urlOf(options.endpoint, 'v1/metrics'),
    headers: { ...options.headers },
    timeoutMillis: answerTimeoutMs,
    concurrencyLimit: mostExportsAtOnce,
    httpAgentOptions: () => agent,
    temporalityPreference: metrics.AggregationTemporality.CUMULATIVE,
  })
  const everyMs = options.metricsEveryMs ?? metricsEveryMs
  const reader = new metrics.PeriodicExportingMetricReader({
    exporter: {
      ...guarded(exporter, agent, createReporter(options.log, 'metrics')),
      forceFlush: () => exporter.forceFlush(),
    },
    exportIntervalMillis: everyMs,
    exportTimeoutMillis: Math.min(everyMs, exportDeadlineMs + 1_000),
    metricProducers: [metricProducer(metrics, options.meter, resource, scope)],
  })
  return new metrics.MeterProvider({ resource, readers: [reader] })
}

/**
 * Sends spans and metrics to a receiver as OTLP over HTTP, in the background: bounded in memory and time, whatever the
 * receiver does. What it does not take is lost.
 */
export async function startOtlpExport(options: OtlpOptions): Promise<OtlpExport> {
  const packages = await load()
  const agents = [createAgent(options.endpoint), createAgent(options.endpoint)] as const
  const ids: Ids = { traceId: '', spanId: '' }
  const traces = traceProvider(packages, options, agents[0], ids)
  const metrics = meterProvider(packages, options, agents[1])
  return {
    finish: spanWriter(packages, traces, ids),
    async close() {
      const ended = new AbortController()
      const sent = Promise.allSettled([traces.shutdown(), metrics.shutdown()])
      await Promise.race([sent, sleep(closeDeadlineMs, undefined, { signal: ended.signal }).catch(() => undefined)])
      ended.abort()
      for (const agent of agents) agent.destroy()
    },
  }
}

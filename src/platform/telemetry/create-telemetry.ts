import { randomUUID } from 'node:crypto'
import { isatty } from 'node:tty'
import type { Secret } from '#kernel'
import { exposition } from './exposition.ts'
import { createHealth, type Health } from './health.ts'
import type { Log, LogLevel } from './log.ts'
import { prettyLine } from './log-line.ts'
import { createLogOutput, type LogOutput } from './log-output.ts'
import { createMeter, type Meter } from './meter.ts'
import { observeProcess } from './process-metrics.ts'
import { createTracer, type Tracer } from './tracer.ts'

/** The section `telemetry` of the configuration. */
export interface TelemetrySettings {
  readonly logLevel: LogLevel
  readonly logFormat: 'auto' | 'json' | 'pretty'
  readonly otlpEndpoint?: string | undefined
  /** `name=value,name=value` */
  readonly otlpHeaders?: Secret | undefined
  /** Percent. */
  readonly traceSampling: number
}

export interface TelemetryOptions {
  readonly settings: TelemetrySettings
  /** Of the program. */
  readonly version: string
  /** A copy of a value without secrets and personal data, of bounded size. */
  readonly redact: (value: unknown) => unknown
  /** Takes the lines instead of stdout. */
  readonly logTo?: ((line: string) => void) | undefined
  readonly metricsEveryMs?: number
}

/** What the process tells about its own running. All of it may fail without anything else failing. */
export interface Telemetry {
  readonly log: Log
  readonly meter: Meter
  readonly tracer: Tracer
  readonly health: Health
  /** The metrics in Prometheus' text format. */
  prometheus(): Promise<string>
  /** Writes the last lines of the log without waiting. */
  flushLog(): void
  /** Sends and writes what is left, for a few seconds at most. */
  close(): Promise<void>
}

const stdout = 1
const flushDeadlineMs = 1_000

function headersOf(secret: Secret | undefined): Record<string, string> {
  const pairs = (secret?.reveal() ?? '').split(',').filter((pair) => pair.includes('='))
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1).trim()]),
  )
}

function isPretty(format: TelemetrySettings['logFormat']): boolean {
  return format === 'pretty' || (format === 'auto' && isatty(stdout))
}

async function openLog(options: TelemetryOptions): Promise<{ log: Log; output: LogOutput | undefined }> {
  const { settings, redact, logTo } = options
  // WHY: who asks this room for a metric's definition does not load what writes the log.
  const { createLog } = await import('./log.ts')
  const output: LogOutput | undefined =
    logTo === undefined
      ? createLogOutput(stdout, (count) => {
          log.warn('telemetry.lines-dropped', 'lines of the log were dropped: their reader did not keep up', { count })
        })
      : undefined
  const take = logTo ?? ((line: string) => output?.write(line))
  const isForEyes = isPretty(settings.logFormat)
  const log = createLog({
    level: settings.logLevel,
    milestones: isForEyes ? 'debug' : 'info',
    output: isForEyes ? (line) => take(prettyLine(line)) : take,
    redact,
  })
  return { log, output }
}

/** Nothing of OpenTelemetry is loaded, and nothing sent, unless `otlpEndpoint` is set. */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { settings, version } = options
  const { log, output } = await openLog(options)
  log.milestone('castellan.starting', 'starting', { version, node: process.versions.node })
  const meter = createMeter()
  const stopObserving = observeProcess(meter, version)
  const endpoint = settings.otlpEndpoint
  const exported =
    endpoint === undefined
      ? undefined
      : await (
          await import('./otlp-export.ts')
        ).startOtlpExport({
          endpoint,
          headers: headersOf(settings.otlpHeaders),
          resource: { 'service.name': 'castellan', 'service.version': version, 'service.instance.id': randomUUID() },
          meter,
          log,
          ...(options.metricsEveryMs === undefined ? {} : { metricsEveryMs: options.metricsEveryMs }),
        })
  return {
    log,
    meter,
    tracer: createTracer(settings.traceSampling, exported?.finish),
    health: createHealth((phase) => log.milestone(`castellan.${phase}`, phase)),
    prometheus: () => exposition(meter.read()),
    flushLog: () => output?.flushNow(),
    async close() {
      stopObserving()
      await exported?.close()
      log.milestone('castellan.stopped', 'stopped')
      await output?.flush(flushDeadlineMs)
    },
  }
}

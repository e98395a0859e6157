import { sanitise } from '#audit'
import { createTelemetry, type Telemetry, type TelemetrySettings } from '#platform/telemetry'
import { onTestFinished } from 'vitest'

export interface TestTelemetry {
  readonly telemetry: Telemetry
  /** Lines of the log since it was opened, as they were written. */
  readonly lines: readonly string[]
}

/** Telemetry that keeps its log in memory and ends with the running test. */
export async function openTelemetry(settings: Partial<TelemetrySettings> = {}): Promise<TestTelemetry> {
  const lines: string[] = []
  const telemetry = await createTelemetry({
    settings: { logLevel: 'info', logFormat: 'json', traceSampling: 100, ...settings },
    version: '0.0.0-test',
    redact: sanitise,
    logTo: (line) => void lines.push(line),
  })
  onTestFinished(() => telemetry.close())
  lines.length = 0
  return { telemetry, lines }
}

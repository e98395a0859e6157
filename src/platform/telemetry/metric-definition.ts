import { Misuse } from '#kernel'

/** One metric: its name, what it counts and by what it is told apart. The reference page is generated from these. */
export interface MetricDefinition<Label extends string = string> {
  /** By the conventions of OpenTelemetry: dotted, lower case, without unit. */
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** UCUM: `s`, `By`, or `1` for a plain number. */
  readonly unit: 's' | 'By' | '1'
  /** One line for the reference and for `# HELP`. */
  readonly says: string
  /** Closed ones first: their values come from a list in the program. */
  readonly labels: readonly Label[]
  /** Labels whose values administrators make by registering something; beyond the cap they all become `other`. */
  readonly openLabels?: readonly Label[]
  /** Upper bounds of a histogram, ascending. */
  readonly bounds?: readonly number[]
}

const form = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/

/** @throws Misuse `telemetry.metric` when it does not fit the conventions */
export function defineMetric<const Label extends string>(definition: MetricDefinition<Label>): MetricDefinition<Label> {
  const { name, kind, bounds } = definition
  const isSorted = bounds?.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? Infinity)) ?? true
  if (!form.test(name) || (kind === 'histogram') !== (bounds !== undefined) || !isSorted)
    throw new Misuse('telemetry.metric', `\`${name}\` is not a metric`, 'name it in lower case; bounds ascend')
  return Object.freeze(definition)
}

/** The largest number of series that one metric has before its open labels become `other`. */
export const mostSeries = 2_000

/** Of durations from milliseconds to minutes. SPEC: OpenTelemetry conventions for MCP, metrics. */
export const durationBounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] as const

const unitSuffixes: Readonly<Record<MetricDefinition['unit'], string>> = { s: '_seconds', By: '_bytes', '1': '' }

/** The metric's name as Prometheus has it: `mcp.server.operation.duration` → `mcp_server_operation_duration_seconds`. */
export function prometheusNameOf({ name, unit, kind }: MetricDefinition): string {
  return `${name.replaceAll('.', '_')}${unitSuffixes[unit]}${kind === 'counter' ? '_total' : ''}`
}

import type { HrTime } from '@opentelemetry/api'
import type * as Metrics from '@opentelemetry/sdk-metrics'
import type { LabelPairs, Meter, Reading, SeriesReading } from './meter.ts'

type Sdk = typeof Metrics

function hrTime(ms: number): HrTime {
  return [Math.trunc(ms / 1000), Math.round((ms % 1000) * 1e6)]
}

function attributesOf(labels: LabelPairs): Record<string, string> {
  return Object.fromEntries(labels)
}

interface Span {
  readonly startTime: HrTime
  readonly endTime: HrTime
}

function point({ labels, value }: SeriesReading, span: Span): Metrics.DataPoint<number> {
  return { ...span, attributes: attributesOf(labels), value }
}

function histogramPoint(
  { labels, value, counts, sum }: SeriesReading,
  bounds: readonly number[],
  span: Span,
): Metrics.DataPoint<Metrics.Histogram> {
  const buckets = { boundaries: [...bounds], counts: Array.from(counts ?? []) }
  return { ...span, attributes: attributesOf(labels), value: { buckets, sum: sum ?? 0, count: value } }
}

function metricOf(sdk: Sdk, { definition, series }: Reading, span: Span): Metrics.MetricData {
  const { name, says: description, unit, kind, bounds } = definition
  // WHY: 1 is a floating-point value; the enumeration lives in the API package, which is loaded for nothing else.
  const descriptor = { name, description, unit, valueType: 1 }
  const aggregationTemporality = sdk.AggregationTemporality.CUMULATIVE
  if (bounds !== undefined) {
    const dataPoints = series.map((one) => histogramPoint(one, bounds, span))
    return { descriptor, aggregationTemporality, dataPointType: sdk.DataPointType.HISTOGRAM, dataPoints }
  }
  const dataPoints = series.map((one) => point(one, span))
  if (kind === 'gauge')
    return { descriptor, aggregationTemporality, dataPointType: sdk.DataPointType.GAUGE, dataPoints }
  return { descriptor, aggregationTemporality, dataPointType: sdk.DataPointType.SUM, dataPoints, isMonotonic: true }
}

/** What the meter knows, in the data model of OpenTelemetry: cumulative since the meter was made. */
export function metricProducer(sdk: Sdk, meter: Meter, resource: Metrics.ResourceMetrics['resource'], scope: string) {
  const producer: Metrics.MetricProducer = {
    async collect() {
      const span = { startTime: hrTime(meter.startedAtMs), endTime: hrTime(Date.now()) }
      const metrics = meter.read().map((reading) => metricOf(sdk, reading, span))
      return { resourceMetrics: { resource, scopeMetrics: [{ scope: { name: scope }, metrics }] }, errors: [] }
    },
  }
  return producer
}

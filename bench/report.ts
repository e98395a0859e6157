/** The table that the benchmark prints: medians over the rounds, ratios to the bare proxy, and how far the rounds differ. */
import type { Sample, Series } from './measure.ts'
import { median, spread } from './statistics.ts'

export interface Row {
  readonly name: string
  readonly cpuMicrosPerCall: number
  /** Highest less lowest round, as a share of the median. */
  readonly spread: number
  /** Median over the rounds of the ratio within a round. */
  readonly toBare: number
  readonly perSecond: number
  readonly addedBusyP50Ms: number
  readonly addedBusyP99Ms: number
  readonly addedAloneP50Ms: number
  readonly addedAloneP99Ms: number
  readonly residentMegabytes: number
  readonly errors: number
}

function over(series: Series, figure: (sample: Sample) => number): number {
  return median(series.samples.map(figure))
}

/** The median of what one costs in relation to another, each round by itself. */
export function ratio(one: Series, other: Series): number {
  return median(
    one.samples.map(
      ({ cpuMicrosPerCall }, round) =>
        cpuMicrosPerCall / (other.samples[round]?.cpuMicrosPerCall ?? Number.POSITIVE_INFINITY),
    ),
  )
}

/** @param direct what latencies are compared with  @param bare what costs are compared with */
export function rowOf(series: Series, direct: Series, bare: Series): Row {
  const added = (figure: (sample: Sample) => number): number => over(series, figure) - over(direct, figure)
  return {
    name: series.course.name,
    cpuMicrosPerCall: over(series, (sample) => sample.cpuMicrosPerCall),
    spread: spread(series.samples.map((sample) => sample.cpuMicrosPerCall)),
    toBare: ratio(series, bare),
    perSecond: over(series, (sample) => sample.perSecond),
    addedBusyP50Ms: added(({ busy }) => busy.p50Ms),
    addedBusyP99Ms: added(({ busy }) => busy.p99Ms),
    addedAloneP50Ms: added(({ alone }) => alone.p50Ms),
    addedAloneP99Ms: added(({ alone }) => alone.p99Ms),
    residentMegabytes: over(series, (sample) => sample.residentMegabytes),
    errors: series.errors,
  }
}

const columns: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ['subject', ({ name }) => name],
  ['CPU µs/call', ({ cpuMicrosPerCall }) => cpuMicrosPerCall.toFixed(0)],
  ['spread', (row) => `${(row.spread * 100).toFixed(0)} %`],
  ['× bare', ({ toBare }) => toBare.toFixed(2)],
  ['calls/s', ({ perSecond }) => perSecond.toFixed(0)],
  ['+p50 busy', ({ addedBusyP50Ms }) => addedBusyP50Ms.toFixed(2)],
  ['+p99 busy', ({ addedBusyP99Ms }) => addedBusyP99Ms.toFixed(2)],
  ['+p50 alone', ({ addedAloneP50Ms }) => addedAloneP50Ms.toFixed(2)],
  ['+p99 alone', ({ addedAloneP99Ms }) => addedAloneP99Ms.toFixed(2)],
  ['RSS MB', ({ residentMegabytes }) => residentMegabytes.toFixed(0)],
  ['errors', ({ errors }) => String(errors)],
]

/** Columns as wide as their widest cell; the first to the left, figures to the right. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))]
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)))
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return cells.map((line) => line.map(pad).join('  ')).join('\n')
}

import { mostSeries, type MetricDefinition } from './metric-definition.ts'

/** Values of a metric's labels; an undefined one is left out of what is told. */
export type LabelValues<Label extends string> = Readonly<Partial<Record<Label, string | undefined>>>

/** Counts up. */
export interface Counter {
  add(amount?: number): void
}

/** Holds the last value. */
export interface Gauge {
  set(value: number): void
}

/** Counts values by size. */
export interface Histogram {
  record(value: number): void
}

/** All series of one metric. Keep what `with` returns: finding it again costs more than counting. */
export interface Family<Series, Label extends string> {
  with(labels: LabelValues<Label>): Series
}

/** A value that is asked for when somebody reads the metrics. */
export type Observation<Label extends string> = readonly [labels: LabelValues<Label>, value: number]

export type LabelPairs = readonly (readonly [name: string, value: string])[]

/** One series as it is told: `counts` and `sum` for histograms, `value` for the others. */
export interface SeriesReading {
  readonly labels: LabelPairs
  readonly value: number
  readonly counts?: ArrayLike<number>
  readonly sum?: number
}

export interface Reading {
  readonly definition: MetricDefinition
  readonly series: readonly SeriesReading[]
}

/** Counts in this process, and tells it to whoever reads. The same definition leads to the same series. */
export interface Meter {
  counter<Label extends string>(definition: MetricDefinition<Label>): Family<Counter, Label>
  gauge<Label extends string>(definition: MetricDefinition<Label>): Family<Gauge, Label>
  histogram<Label extends string>(definition: MetricDefinition<Label>): Family<Histogram, Label>
  /** @param look asked at each reading; one that throws is left out of it */
  observe<Label extends string>(definition: MetricDefinition<Label>, look: () => Iterable<Observation<Label>>): void
  /** What is known at this moment, by metric, sorted by name. */
  read(): Reading[]
  /** When counting began, in milliseconds since the epoch. */
  readonly startedAtMs: number
}

class NumberSeries implements Counter, Gauge {
  readonly labels: LabelPairs
  value = 0
  constructor(labels: LabelPairs) {
    this.labels = labels
  }
  add(amount = 1): void {
    if (amount >= 0) this.value += amount
  }
  set(value: number): void {
    this.value = value
  }
}

class HistogramSeries implements Histogram {
  readonly labels: LabelPairs
  readonly #bounds: readonly number[]
  readonly counts: Float64Array
  value = 0
  sum = 0
  constructor(labels: LabelPairs, bounds: readonly number[]) {
    this.labels = labels
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }
  record(value: number): void {
    if (!(value >= 0)) return
    const bounds = this.#bounds
    let index = 0
    while (index < bounds.length && value > (bounds[index] ?? Infinity)) index += 1
    this.counts[index] = (this.counts[index] ?? 0) + 1
    this.sum += value
    this.value += 1
  }
}

function pairsOf(definition: MetricDefinition, labels: LabelValues<string>): LabelPairs {
  return definition.labels.flatMap((name) => {
    const value = labels[name]
    return value === undefined || value === '' ? [] : [[name, value.toWellFormed()] as const]
  })
}

function withoutOpen(definition: MetricDefinition, labels: LabelValues<string>): LabelValues<string> {
  const open = (definition.openLabels ?? []).filter((name) => labels[name] !== undefined && labels[name] !== '')
  return { ...labels, ...Object.fromEntries(open.map((name) => [name, 'other'])) }
}

class SeriesFamily<Series extends SeriesReading> {
  readonly definition: MetricDefinition
  readonly #make: (labels: LabelPairs) => Series
  readonly #series = new Map<string, Series>()
  constructor(definition: MetricDefinition, make: (labels: LabelPairs) => Series) {
    this.definition = definition
    this.#make = make
  }
  get series(): readonly Series[] {
    return [...this.#series.values()]
  }
  with(labels: LabelValues<string>): Series {
    const pairs = pairsOf(this.definition, labels)
    const known = this.#series.get(JSON.stringify(pairs))
    if (known !== undefined) return known
    // INVARIANT: beyond the cap only the closed labels tell series apart, so their number stays small whatever comes.
    const kept = this.#series.size < mostSeries ? pairs : pairsOf(this.definition, withoutOpen(this.definition, labels))
    const key = JSON.stringify(kept)
    const series = this.#series.get(key) ?? this.#make(kept)
    this.#series.set(key, series)
    return series
  }
}

function observed(definition: MetricDefinition, look: () => Iterable<Observation<string>>): SeriesReading[] {
  try {
    const readings: SeriesReading[] = []
    for (const [labels, value] of look()) {
      if (readings.length >= mostSeries) break
      if (Number.isFinite(value)) readings.push({ labels: pairsOf(definition, labels), value })
    }
    return readings
  } catch {
    return []
  }
}

/** Made by hand because counting is on the path of every call; see the decision on metrics. */
export function createMeter(): Meter {
  const families = new Map<string, SeriesFamily<SeriesReading>>()
  const numbers = new Map<string, SeriesFamily<NumberSeries>>()
  const histograms = new Map<string, SeriesFamily<HistogramSeries>>()
  const looks = new Map<string, { definition: MetricDefinition; look: () => Iterable<Observation<string>> }>()
  const family = <Series extends SeriesReading>(
    definition: MetricDefinition,
    make: (labels: LabelPairs) => Series,
    made: Map<string, SeriesFamily<Series>>,
  ): SeriesFamily<Series> => {
    const known = made.get(definition.name)
    if (known !== undefined) return known
    const fresh = new SeriesFamily(definition, make)
    made.set(definition.name, fresh)
    families.set(definition.name, fresh)
    return fresh
  }
  const number = (labels: LabelPairs): NumberSeries => new NumberSeries(labels)
  return {
    counter: (definition) => family(definition, number, numbers),
    gauge: (definition) => family(definition, number, numbers),
    histogram: (definition) =>
      family(definition, (labels) => new HistogramSeries(labels, definition.bounds ?? []), histograms),
    observe(definition, look) {
      looks.set(definition.name, { definition, look })
    },
    read() {
      const counted = [...families.values()].map(({ definition, series }) => ({ definition, series }))
      const asked = [...looks.values()].map(({ definition, look }) => ({
        definition,
        series: observed(definition, look),
      }))
      const all: Reading[] = [...counted, ...asked].filter(({ series }) => series.length > 0)
      return all.sort((left, right) => (left.definition.name < right.definition.name ? -1 : 1))
    },
    startedAtMs: Date.now(),
  }
}

/** One sample of Prometheus' text format. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** All samples under one `# TYPE`. */
export interface MetricFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const labelPair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/
const suffixes: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] }

function wrong(line: string, why: string): Error {
  return new Error(`${why}: ${JSON.stringify(line)}`)
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (let rest = text; rest !== '';) {
    const [whole = '', name = '', value = ''] = labelPair.exec(rest) ?? []
    if (whole === '') throw wrong(line, 'labels that cannot be read')
    if (Object.hasOwn(labels, name)) throw wrong(line, `label ${name} twice`)
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    rest = rest.slice(whole.length)
  }
  return labels
}

function readNumber(text: string, line: string): number {
  if (text === '+Inf') return Infinity
  if (text === '-Inf') return -Infinity
  const value = Number(text)
  if (Number.isNaN(value) || text.trim() === '') throw wrong(line, 'no number')
  return value
}

function readSample(line: string, family: MetricFamily): Sample {
  const [, name = '', labels = '', value = ''] = sampleLine.exec(line) ?? []
  const names = suffixes[family.type]?.map((suffix) => family.name + suffix) ?? [family.name]
  if (!names.includes(name)) throw wrong(line, `no sample of ${family.name}`)
  return { name, labels: readLabels(labels, line), value: readNumber(value, line) }
}

function keyOf({ name, labels }: Sample): string {
  return JSON.stringify([name, ...Object.entries(labels).sort()])
}

function withoutBound({ labels }: Sample): string {
  const { le: _, ...rest } = labels
  return JSON.stringify(Object.entries(rest).sort())
}

/** Buckets ascend, add up, end at infinity, and agree with the count. */
function checkHistogram({ name, samples }: MetricFamily): void {
  for (const [series, of] of Map.groupBy(samples, withoutBound)) {
    const buckets = of.filter((sample) => sample.name === `${name}_bucket`)
    const bounds = buckets.map(({ labels }) => readNumber(labels['le'] ?? '', series))
    const isSorted = bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? Infinity))
    const adds = buckets.every(({ value }, index) => index === 0 || value >= (buckets[index - 1]?.value ?? 0))
    const count = of.find((sample) => sample.name === `${name}_count`)?.value
    if (!isSorted || !adds || bounds.at(-1) !== Infinity || buckets.at(-1)?.value !== count)
      throw wrong(series, `a broken histogram of ${name}`)
    if (!of.some((sample) => sample.name === `${name}_sum`)) throw wrong(series, `no sum of ${name}`)
  }
}

function checkFamily(family: MetricFamily): void {
  const keys = family.samples.map(keyOf)
  if (new Set(keys).size !== keys.length) throw wrong(family.name, 'a sample twice')
  if (family.samples.length === 0) throw wrong(family.name, 'a metric without samples')
  if (family.type === 'counter' && !family.name.endsWith('_total')) throw wrong(family.name, 'a counter without _total')
  if (family.type === 'histogram') checkHistogram(family)
}

/** Reads Prometheus' text format 0.0.4 and takes nothing that only almost is it. @throws on anything else */
export function readExposition(text: string): MetricFamily[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const families = new Map<string, MetricFamily & { samples: Sample[] }>()
  const lines = text.slice(0, -1).split('\n')
  let help: { name: string; text: string } | undefined
  let current: (MetricFamily & { samples: Sample[] }) | undefined
  for (const line of lines) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind === 'HELP') help = { name, text: rest }
    else if (kind === 'TYPE') {
      if (!metricName.test(name) || families.has(name)) throw wrong(line, 'a metric that cannot be, or twice')
      if (help?.name !== name) throw wrong(line, 'a type without help')
      if (!['counter', 'gauge', 'histogram'].includes(rest)) throw wrong(line, 'a type that is none')
      current = { name, type: rest, help: help.text, samples: [] }
      families.set(name, current)
    } else if (current === undefined || line.startsWith('#')) throw wrong(line, 'a line out of place')
    else current.samples.push(readSample(line, current))
  }
  for (const family of families.values()) checkFamily(family)
  return [...families.values()]
}

/** The sum of the samples with these labels. */
export function valueOf(families: readonly MetricFamily[], name: string, labels: Record<string, string> = {}): number {
  const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name)
  return samples
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0)
}

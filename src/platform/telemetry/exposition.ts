import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LabelPairs, Reading, SeriesReading } from './meter.ts'
import { prometheusNameOf } from './metric-definition.ts'

/** Content type of the text that `exposition` writes. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

/** Series that are written before other work gets its turn. */
const seriesPerTurn = 100

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(says: string): string {
  return says.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function labelText(pairs: LabelPairs): string {
  return pairs.map(([name, value]) => `${name.replaceAll('.', '_')}="${escapeValue(value)}"`).join(',')
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

function sample(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`
}

function histogramText(name: string, { labels, counts, sum, value }: SeriesReading, bounds: readonly number[]): string {
  const text = labelText(labels)
  const before = text === '' ? `${name}_bucket{le="` : `${name}_bucket{${text},le="`
  let written = ''
  let below = 0
  for (let index = 0; index < bounds.length; index += 1) {
    below += counts?.[index] ?? 0
    written += `${before}${bounds[index]}"} ${below}\n`
  }
  return `${written}${before}+Inf"} ${value}\n${sample(`${name}_sum`, text, sum ?? 0)}${sample(`${name}_count`, text, value)}`
}

/**
 * The readings in Prometheus' text format, version 0.0.4. Long readings are written in many turns of the loop, so
 * that a reader of the metrics never keeps a call waiting.
 */
export async function exposition(readings: readonly Reading[]): Promise<string> {
  let text = ''
  let inTurn = 0
  for (const { definition, series } of readings) {
    const name = prometheusNameOf(definition)
    text += `# HELP ${name} ${escapeHelp(definition.says)}\n# TYPE ${name} ${definition.kind}\n`
    for (const one of series) {
      text +=
        definition.bounds === undefined
          ? sample(name, labelText(one.labels), one.value)
          : histogramText(name, one, definition.bounds)
      inTurn += 1
      if (inTurn % seriesPerTurn === 0) await nextTurn()
    }
  }
  return text
}

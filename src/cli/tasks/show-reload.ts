import type { Reloaded } from '../remote/api.ts'
import type { Span } from '../terminal/table.ts'

/** What a reading of the configuration changed, in lines; a refused one tells its reason. */
export function reloadLines({ outcome, changed, needRestart, problem, hint }: Reloaded): Span[][] {
  if (outcome === 'refused') {
    const reason = problem ?? 'no reason was given'
    const advice: Span[][] = hint === undefined || hint === null ? [] : [[{ text: `  hint: ${hint}`, tone: 'dim' }]]
    return [[{ text: 'the configuration was refused', tone: 'bad' }, `, the one before stays: ${reason}`], ...advice]
  }
  const applied: Span[][] =
    outcome === 'applied'
      ? [[{ text: 'the configuration was applied', tone: 'good' }, `: ${changed.join(', ')}`]]
      : [['nothing changed that can be applied while running']]
  if (needRestart.length === 0) return applied
  return [...applied, [{ text: 'taken at the next start', tone: 'warn' }, `: ${needRestart.join(', ')}`]]
}

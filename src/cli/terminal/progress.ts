import type { Clock } from '#kernel'
import type { Output } from './output.ts'

export interface Progress {
  update(state: { done: number; total: number }): void
  end(): void
}

const barCells = 20
const firstShownAfterMs = 500
const updateEveryMs = 250
const etaAfterMs = 3_000

function count(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`
  return value >= 10_000 ? `${Math.round(value / 1_000)}k` : String(Math.round(value))
}

/** A text such as `Verifying  ########------------  42%  4.2M/10.0M entries  812k/s  0:07 left`. */
export function progressText(
  labels: { verb: string; unit: string },
  state: { done: number; total: number; elapsedMs: number },
): string {
  const share = state.total === 0 ? 1 : Math.min(1, state.done / state.total)
  const filled = Math.floor(share * barCells)
  const ratePerSecond = state.elapsedMs === 0 ? 0 : (state.done * 1_000) / state.elapsedMs
  const leftSeconds = ratePerSecond === 0 ? 0 : Math.ceil((state.total - state.done) / ratePerSecond)
  const left = `${Math.floor(leftSeconds / 60)}:${String(leftSeconds % 60).padStart(2, '0')} left`
  return [
    labels.verb,
    '#'.repeat(filled) + '-'.repeat(barCells - filled),
    `${Math.floor(share * 100)}%`,
    `${count(state.done)}/${count(state.total)} ${labels.unit}`,
    `${count(ratePerSecond)}/s`,
    ...(state.elapsedMs >= etaAfterMs ? [left] : []),
  ].join('  ')
}

/** Shows how far a long piece of work is: silent for short ones, and where nobody looks. */
export function createProgress(output: Output, clock: Clock, labels: { verb: string; unit: string }): Progress {
  const startedAt = clock.now()
  let shownAt = startedAt + firstShownAfterMs - updateEveryMs
  return {
    update(state) {
      const now = clock.now()
      if (now - shownAt < updateEveryMs) return
      shownAt = now
      output.live(progressText(labels, { ...state, elapsedMs: now - startedAt }))
    },
    end: () => output.live(''),
  }
}

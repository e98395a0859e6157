/**
 * When does a replay let others work?
 * Stops: a replay that slows calls: it takes a share of the processor and never long at once.
 * Trusts: the monotonic clock.
 * Fails: nothing here can fail.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonicMs } from '#platform/telemetry'
export interface Budget {
  /** Longest stretch of work, in milliseconds. */
  readonly sliceMs: number
  /** What part of the time is work, above 0 and at most 1. */
  readonly share: number
}

export const usualBudget: Budget = { sliceMs: 4, share: 0.5 }

/**
 * Makes a function to be called after each step: it waits when the slice is used up, for as long as the share asks for.
 */
export function createPace({ sliceMs, share }: Budget, signal: AbortSignal): () => Promise<void> | undefined {
  let began = monotonicMs()
  const wait = async (workedMs: number): Promise<void> => {
    await sleep((workedMs * (1 - share)) / share, undefined, { signal }).catch(() => undefined)
    began = monotonicMs()
  }
  return () => {
    const workedMs = monotonicMs() - began
    return workedMs < sliceMs ? undefined : wait(workedMs)
  }
}

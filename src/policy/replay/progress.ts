/**
 * How far has a replay come, how fast is it, and how long will it take?
 * Stops: nothing by itself.
 * Trusts: the monotonic clock.
 * Fails: nothing here can fail; what cannot be told yet is absent.
 */
import { monotonicMs } from '#platform/telemetry'

export interface Progress {
  /** Nothing at or above this place is left to look at. */
  readonly before: number
  /** Of the stretch of the ledger, 0 to 1. */
  readonly done: number
  readonly callsPerSecond: number
  readonly seconds: number
  readonly secondsLeft?: number
}

const everyMs = 1_000

interface Way {
  /** The lowest entry that is looked at. */
  readonly first: number
  readonly before: number
  readonly mostCalls?: number | undefined
}

export function createMeter({ first, before: from, mostCalls }: Way) {
  const beganMs = monotonicMs()
  let toldMs = beganMs
  let before = from

  function doneOf(calls: number): number {
    const length = from - first
    const bySeq = length <= 0 ? 1 : (from - before) / length
    return Math.min(1, mostCalls === undefined ? bySeq : Math.max(bySeq, calls / mostCalls))
  }

  return {
    /** @param seq of the entry that was looked at */
    reach(seq: number): void {
      before = Math.min(before, seq)
    },
    isDue(): boolean {
      const isDue = monotonicMs() - toldMs >= everyMs
      if (isDue) toldMs = monotonicMs()
      return isDue
    },
    read(calls: number): Progress {
      const seconds = (monotonicMs() - beganMs) / 1_000
      const done = doneOf(calls)
      return {
        before,
        done,
        callsPerSecond: seconds > 0 ? Math.round(calls / seconds) : 0,
        seconds: Math.round(seconds * 10) / 10,
        ...(done > 0 && { secondsLeft: Math.ceil((seconds * (1 - done)) / done) }),
      }
    },
  }
}

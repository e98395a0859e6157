import type { Clock } from '#kernel'

/** A clock that moves only when a test says so. */
export interface TestClock extends Clock {
  advance(milliseconds: number): void
}

/** @param startMs wall-clock milliseconds at the start; 2026-01-05T09:00:00Z unless told */
export function createTestClock(startMs = Date.UTC(2026, 0, 5, 9)): TestClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    advance(milliseconds) {
      nowMs += milliseconds
    },
  }
}

/**
 * From when to when does a budget count at this moment?
 * Stops: a day of 23 or 25 hours that is counted as two, or as none.
 * Trusts: the time zones of the runtime.
 * Fails: nothing here can fail with a time zone that the configuration took.
 */
import type { BudgetPeriod } from './budget.ts'

/** Milliseconds since the epoch; the end is no part of it. */
export interface Window {
  readonly startsAt: number
  readonly endsAt: number
}

const hourMs = 3_600_000
/** Longer than any month. */
const farMs = 33 * 24 * hourMs

/** The first moment after `from`, and not after `to`, of which the claim holds; it holds from there on. */
function firstMoment(from: number, to: number, holds: (ms: number) => boolean): number {
  let [before, there] = [from, to]
  while (there - before > 1) {
    const middle = Math.floor((before + there) / 2)
    if (holds(middle)) there = middle
    else before = middle
  }
  return there
}

function dateIn(timeZone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  return (ms) => format.format(ms)
}

/** Finds windows: days and months of the time zone, whatever its clocks do; hours of UTC. */
export function createWindows(timeZone: string): (period: BudgetPeriod, nowMs: number) => Window {
  const dateAt = dateIn(timeZone)
  const last = new Map<BudgetPeriod, Window>()

  function find(period: BudgetPeriod, nowMs: number): Window {
    if (period === 'hour') {
      const startsAt = Math.floor(nowMs / hourMs) * hourMs
      return { startsAt, endsAt: startsAt + hourMs }
    }
    const length = period === 'day' ? '2026-12-31'.length : '2026-12'.length
    const nameOf = (ms: number) => dateAt(ms).slice(0, length)
    const current = nameOf(nowMs)
    return {
      startsAt: firstMoment(nowMs - farMs, nowMs, (ms) => nameOf(ms) >= current),
      endsAt: firstMoment(nowMs, nowMs + farMs, (ms) => nameOf(ms) > current),
    }
  }

  return (period, nowMs) => {
    const known = last.get(period)
    if (known !== undefined && known.startsAt <= nowMs && nowMs < known.endsAt) return known
    const found = find(period, nowMs)
    last.set(period, found)
    return found
  }
}

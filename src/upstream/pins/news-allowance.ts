/**
 * How much news of one upstream is written down in a minute?
 *
 * Stops: an upstream that describes its tools anew for each listing from filling the database and the ledger.
 * Trusts: the clock to go forward.
 * Fails: news beyond the allowance is not written; what is not written is not approved, and stays hidden by its hash.
 */
import type { Clock } from '#kernel'

/** Definitions of tools that nobody can call anyway, for each upstream: two full lists. */
export const maxNewsPerMinute = 2_000
const minuteMs = 60_000

interface Minute {
  startedAt: number
  count: number
}

/** @returns how many of the wanted may be written for an upstream; they are taken from its allowance */
export function createNewsAllowance(clock: Clock): (upstream: string, wanted: number) => number {
  const minutes = new Map<string, Minute>()
  return (upstream, wanted) => {
    const nowMs = clock.now()
    const known = minutes.get(upstream)
    const isOver = known === undefined || nowMs - known.startedAt >= minuteMs
    const minute = isOver ? { startedAt: nowMs, count: 0 } : known
    minutes.set(upstream, minute)
    const given = Math.min(wanted, maxNewsPerMinute - minute.count)
    minute.count += given
    return given
  }
}

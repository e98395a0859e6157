/**
 * May this command be started again, or has it just crashed?
 *
 * Stops: a command that crashes being started as fast as somebody asks for it.
 * Trusts: whoever tells it how a process ended.
 * Fails: with Fault `upstream.unavailable` at once, which says when it is worth trying again; nobody waits.
 */
import { Fault, type Clock } from '#kernel'

const firstWaitMs = 1_000
const longestWaitMs = 60_000
/** A process that has run this long was a good start. */
const healthyMs = 60_000
const mostKept = 4_096

interface Crashes {
  readonly count: number
  readonly endedAt: number
}

/** Counts crashes in a row. One owner's say nothing about another's: they may come of what that owner asks. */
export class Restarts {
  readonly #clock: Clock
  readonly #crashes = new Map<string, Crashes>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws Fault `upstream.unavailable` while the pause after a crash lasts */
  check(upstream: string, ownerId: string): void {
    const crashes = this.#crashes.get(keyOf(upstream, ownerId))
    if (crashes === undefined) return
    const elapsedMs = this.#clock.now() - crashes.endedAt
    const leftMs = waitOf(crashes) - elapsedMs
    // WHY: a clock that jumped back would make the pause longer than any.
    if (leftMs <= 0 || elapsedMs < 0) return
    const retryAfterSeconds = Math.ceil(leftMs / 1_000)
    throw new Fault('upstream.unavailable', 'the server crashed and is started again in a while', { retryAfterSeconds })
  }

  /** A process ended by itself, or for what it did. @param startedAt by the same clock */
  crashed(upstream: string, ownerId: string, startedAt: number): void {
    const key = keyOf(upstream, ownerId)
    const endedAt = this.#clock.now()
    const before = this.#crashes.get(key)
    const wasHealthy = endedAt - startedAt >= healthyMs
    this.#crashes.delete(key)
    this.#crashes.set(key, { count: wasHealthy || before === undefined ? 1 : before.count + 1, endedAt })
    if (this.#crashes.size > mostKept) this.#crashes.delete(this.#crashes.keys().next().value ?? '')
  }

  forget(upstream: string): void {
    for (const key of this.#crashes.keys()) if (key.startsWith(keyOf(upstream, ''))) this.#crashes.delete(key)
  }
}

function keyOf(upstream: string, ownerId: string): string {
  return `${upstream}\n${ownerId}`
}

function waitOf({ count }: Crashes): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(count - 1, 16))
}

/**
 * How many hash computations run at once? A few; the next ones wait in a short queue, the rest are turned away.
 * Stops a flood of sign-ins from taking the memory and the thread pool of every other request.
 * Trusts its callers to hash only inside. Fails by refusing with `identity.busy` and a time to come back.
 */
import { type Refusal, refuse } from '#kernel'
import { refusals } from '../refusals.ts'

export interface Gate {
  /** Runs the work when there is a place; refuses at once when the queue is full. */
  run<T>(work: () => Promise<T>): Promise<T | Refusal>
}

export interface GateLimits {
  readonly maxActive: number
  readonly maxWaiting: number
}

// WHY: libuv has four threads; one stays free for files and names while three compute.
export const gateLimits: GateLimits = { maxActive: 3, maxWaiting: 100 }

export function createGate(limits: GateLimits = gateLimits): Gate {
  let active = 0
  const waiting: (() => void)[] = []

  function leave(): void {
    const next = waiting.shift()
    // INVARIANT: a place is handed over, not given back and taken again, so nobody can slip in between.
    if (next) next()
    else active--
  }

  return {
    async run(work) {
      if (active < limits.maxActive) active++
      else if (waiting.length < limits.maxWaiting) await new Promise<void>((resolve) => waiting.push(resolve))
      else return refuse(refusals.busy, { retryAfterSeconds: 1 })
      try {
        return await work()
      } finally {
        leave()
      }
    },
  }
}

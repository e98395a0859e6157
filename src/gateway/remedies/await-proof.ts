/**
 * Has the person proved it? Waits for a while, for clients that come back as soon as their person set out.
 * Stops: a client asking ten times in a second and giving up.
 * Trusts: the database's revision, which moves with the proof on whichever node it is made.
 * Fails: after a while it has not been proved, and the client is asked again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Arrival } from '../arrival.ts'
import type { Ending } from '../ending.ts'

/** How long one request waits: less than clients give an answer. */
const mostWaits = 100
const everyMs = 250

export interface Waiting {
  /** Whether it has been proved, at this moment. */
  isProven(): Promise<boolean>
  revision(): number
}

/** @returns whether it was proved; false as well when nobody waits any longer */
export async function awaitProof(
  { cut, onHangUp }: Pick<Arrival, 'onHangUp'> & { readonly cut: Ending },
  { isProven, revision }: Waiting,
): Promise<boolean> {
  let hasLeft = false
  onHangUp(() => (hasLeft = true))
  let seen: number | undefined
  for (let waits = 0; waits < mostWaits; waits += 1) {
    const present = revision()
    // WHY: nothing is read while nothing has changed.
    if (present !== seen && (await isProven())) return true
    seen = present
    if (cut.aborted || hasLeft) return false
    await sleep(everyMs)
  }
  return false
}

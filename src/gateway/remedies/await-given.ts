/**
 * Was it given? Waits for a while, for clients that come back as soon as their person set out.
 * Stops: a client asking ten times in a second and giving up.
 * Trusts: the database's revision, which moves with what is given on whichever node that is.
 * Fails: after a while it was not given, and the client is asked again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Arrival } from '../arrival.ts'
import type { Ending } from '../ending.ts'

/** How long one request waits: less than clients give an answer. */
const mostWaits = 100
const everyMs = 250

export interface Waiting {
  /** Whether it was given, at this moment. */
  isGiven(): Promise<boolean>
  revision(): number
}

/** @returns whether it was given; false as well when nobody waits any longer */
export async function awaitGiven(
  { cut, onHangUp }: Pick<Arrival, 'onHangUp'> & { readonly cut: Ending },
  { isGiven, revision }: Waiting,
): Promise<boolean> {
  let hasLeft = false
  onHangUp(() => (hasLeft = true))
  let seen: number | undefined
  for (let waits = 0; waits < mostWaits; waits += 1) {
    const present = revision()
    // WHY: nothing is read while nothing has changed.
    if (present !== seen && (await isGiven())) return true
    seen = present
    if (cut.aborted || hasLeft) return false
    await sleep(everyMs)
  }
  return false
}

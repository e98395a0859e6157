/**
 * Is there room for one more session, which one makes way, and which ones has nobody used for long?
 *
 * Stops: sessions without bound, of one owner or of all; sessions that outlive their use.
 * Trusts: whoever keeps the sessions to say which are in use, and how much one would be missed.
 * Fails: where all are in use nothing makes way, and the new one is refused.
 */
import type { Clock } from '#kernel'

/** What has to be known of a session. */
export interface Guest {
  readonly ownerId: string
  /** Milliseconds, by the clock of whoever keeps it. */
  lastUsedAt: number
}

export interface Bounds {
  readonly most: number
  readonly mostPerOwner: number
}

/** Whose bound leaves no room for one more session of this owner; undefined where there is room. */
export function fullFor(
  ownerId: string,
  guests: Iterable<Pick<Guest, 'ownerId'>>,
  { most, mostPerOwner }: Bounds,
): 'owner' | 'everybody' | undefined {
  let [own, all] = [0, 0]
  for (const guest of guests) {
    all += 1
    if (guest.ownerId === ownerId) own += 1
  }
  if (own >= mostPerOwner) return 'owner'
  return all >= most ? 'everybody' : undefined
}

/**
 * The longest unused one among those that are missed least.
 * @param missed how much one would be missed, 0 least; undefined for one that never makes way
 */
export function leastMissed<G extends Guest>(
  guests: Iterable<G>,
  missed: (guest: G) => number | undefined,
): G | undefined {
  let least: { guest: G; cost: number } | undefined
  for (const guest of guests) {
    const cost = missed(guest)
    if (cost === undefined) continue
    const isLess =
      least === undefined || cost < least.cost || (cost === least.cost && guest.lastUsedAt < least.guest.lastUsedAt)
    if (isLess) least = { guest, cost }
  }
  return least?.guest
}

interface IdleNeeds<G extends Guest> {
  readonly clock: Clock
  readonly idleMs: number
  readonly guests: () => Iterable<G>
  readonly isUsed: (guest: G) => boolean
  readonly end: (guest: G) => void
}

/** Ends what nobody has used for so long, for as long as the timer runs, which keeps no process alive. */
export function endIdle<G extends Guest>({ clock, idleMs, guests, isUsed, end }: IdleNeeds<G>): NodeJS.Timeout {
  const look = (): void => {
    const latest = clock.now() - idleMs
    for (const guest of guests()) {
      if (isUsed(guest)) guest.lastUsedAt = clock.now()
      else if (guest.lastUsedAt <= latest) end(guest)
    }
  }
  return setInterval(look, Math.min(30_000, Math.max(50, idleMs / 4))).unref()
}

/**
 * Which endpoint takes the next call?
 *
 * Stops: calls going to where none is answered, and far away while there is one near.
 * Trusts: what checks and calls have told of each endpoint.
 * Fails: with undefined when every endpoint refuses; with all of them unhealthy, each counts as healthy.
 */

/** What is looked at. */
export interface Choosable {
  readonly weight: number
  readonly region?: string | undefined
  /** By its health checks. */
  readonly isHealthy: boolean
  /** Its breaker lets a call pass, and it has room for one. */
  readonly isFree: boolean
  /** Calls that it has not answered. */
  readonly inFlight: number
  /** Calls it was chosen for, since the last change among the endpoints. */
  readonly chosen: number
}

/** Healthy ones before others, near ones before far ones. */
function rankOf({ isHealthy, region }: Choosable, here: string | undefined): number {
  const isNear = here === undefined || region === undefined || region === here
  return (isHealthy ? 0 : 2) + (isNear ? 0 : 1)
}

/** Whether one has less to do for its weight; with as little, whether it has had less. */
function isIdler(one: Choosable, other: Choosable): boolean {
  const [load, otherLoad] = [one.inFlight * other.weight, other.inFlight * one.weight]
  if (load !== otherLoad) return load < otherLoad
  return one.chosen * other.weight < other.chosen * one.weight
}

/**
 * Of those that are free: the best rank, and in it the one with the fewest open calls for its weight. Equal ones are
 * taken in turn by weight, the oldest first, so that the same calls lead to the same choices.
 * @param here the region of this gateway
 * @param not those that have been tried
 */
export function choose<T extends Choosable>(endpoints: readonly T[], here?: string, not?: readonly T[]): T | undefined {
  let best: T | undefined
  let bestRank = 0
  for (const endpoint of endpoints) {
    if (!endpoint.isFree || not?.includes(endpoint) === true) continue
    const rank = rankOf(endpoint, here)
    if (best !== undefined && (rank > bestRank || (rank === bestRank && !isIdler(endpoint, best)))) continue
    best = endpoint
    bestRank = rank
  }
  return best
}

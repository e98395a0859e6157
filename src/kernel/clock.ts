/** Time as the rooms see it, passed in so that tests decide what time it is. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

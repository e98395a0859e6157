/**
 * Which keys does an issuer have? Kept while they are fresh, and for a time that is configured while it cannot be asked.
 * Stops: a flood of invented key ids becoming a flood of requests to the issuer; keys that outlive their withdrawal.
 * Trusts: the clock passed in. Fails: without keys that are young enough there are none, and no token is accepted.
 */
import type { Clock } from '#kernel'
import { findKey, type IssuerKey } from './key-set.ts'
import type { IssuerSettings } from './settings.ts'

/** Between two fetches because of a key that is not there, and between two that failed. */
export const pauseMs = 10_000
const secondMs = 1_000

/** The issuer could not be asked for too long. */
export interface Unreachable {
  readonly unreachable: string
}

export interface IssuerKeys {
  /** Whether what was verified with this key still counts. Begins to fetch when the keys are not fresh. */
  holds(thumbprint: string): boolean
  /** The key of a header; with the reason when there is no set of keys to look in. Waits only when it has to fetch. */
  find(header: { algorithm: string; keyId: string | undefined }): Promise<IssuerKey | Unreachable | undefined>
}

export interface KeyRooms {
  readonly clock: Clock
  readonly fetchKeys: () => Promise<readonly IssuerKey[]>
  /** Told when a key was withdrawn. */
  readonly onWithdrawn: () => void
}

export function createIssuerKeys(
  settings: Pick<IssuerSettings, 'keysFreshSeconds' | 'keysStaleSeconds'>,
  rooms: KeyRooms,
): IssuerKeys {
  const { clock, fetchKeys, onWithdrawn } = rooms
  let keys: readonly IssuerKey[] = []
  let fetchedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let problem = 'not asked'
  let under: Promise<void> | undefined

  const age = (since: number): number => {
    const past = clock.now() - since
    // WHY: a clock that was set back would keep keys for ever.
    return past < 0 ? Number.POSITIVE_INFINITY : past
  }
  const isFresh = (): boolean => age(fetchedAt) < settings.keysFreshSeconds * secondMs
  const isUsable = (): boolean => age(fetchedAt) < (settings.keysFreshSeconds + settings.keysStaleSeconds) * secondMs

  async function fetchOnce(): Promise<void> {
    const before = keys
    const began = clock.now()
    try {
      keys = await fetchKeys()
      fetchedAt = began
      const isLost = before.some((old) => keys.every((one) => one.thumbprint !== old.thumbprint))
      if (isLost) onWithdrawn()
    } catch (thrown) {
      // WHY: what was fetched before counts for as long as `isUsable` says.
      problem = thrown instanceof Error ? thrown.message : String(thrown)
    }
  }

  /** One at a time, and not again for a while; resolves when it is over, at once when it may not begin. */
  function fetchAgain(): Promise<void> {
    if (under !== undefined) return under
    if (age(triedAt) < pauseMs) return Promise.resolve()
    triedAt = clock.now()
    under = fetchOnce().finally(() => {
      under = undefined
    })
    return under
  }

  return {
    holds(thumbprint) {
      if (!isFresh()) void fetchAgain()
      return isUsable() && keys.some((one) => one.thumbprint === thumbprint)
    },
    async find(header) {
      if (!isUsable()) await fetchAgain()
      else if (!isFresh()) void fetchAgain()
      if (!isUsable()) return { unreachable: problem }
      const found = findKey(keys, header)
      if (found !== undefined) return found
      await fetchAgain()
      return isUsable() ? findKey(keys, header) : { unreachable: problem }
    },
  }
}

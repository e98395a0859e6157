/**
 * Has this address, or this person, any request left in this minute?
 * Stops: floods, from one address and with many tokens of one person; a flood filling the ledger, since from the second
 * refusal of a minute on they are counted and recorded as one.
 * Trusts: the doorway for the address, the verified principal for the person. Counts are this process's own.
 * Fails: when so many are counted that memory ends, whoever began first begins anew; nobody is locked out by strangers.
 * @see RFC 6585, section 4; docs/decisions/0012-requests-are-counted-in-memory.md
 */
import type { EntryFields, Ledger } from '#audit'
import { type Clock, type Principal, refuse, type Refusal } from '#kernel'
import { createAllowances, type Exceeded, sourceOf } from '#platform/http'
import { callRefused } from '../events.ts'
import { gatewayRefusals } from '../refusals.ts'

const minuteMs = 60_000
const maxKeys = 65_536

/** A refusal that is recorded as one of many at the end of its minute, and not by itself. */
interface TalliedRefusal extends Refusal {
  readonly isTallied: true
}

/** Whether a refusal is counted for the ledger already, so that it is answered without an entry of its own. */
export function isTallied(refusal: Refusal): refusal is TalliedRefusal {
  return 'isTallied' in refusal
}

function asTallied(refusal: Refusal): TalliedRefusal {
  return { ...refusal, isTallied: true }
}

export interface RequestRate<Subject> {
  /** Spends one request. @returns the refusal when none was left */
  spend(subject: Subject): Refusal | undefined
  /** Spends one for a request that is refused anyway. @returns that refusal, tallied when none was left */
  charge(subject: Subject, refusal: Refusal): Refusal
  close(): void
}

interface RateOptions<Subject> {
  readonly clock: Clock
  readonly ledger: Pick<Ledger, 'append'>
  /** Requests a minute; asked each time. */
  readonly limit: () => number
  readonly keyOf: (subject: Subject) => string
  /** Who it was, for the entry that sums up a minute. */
  readonly fieldsOf: (subject: Subject) => Pick<EntryFields, 'address' | 'principal'>
}

function createRequestRate<Subject>(options: RateOptions<Subject>): RequestRate<Subject> {
  const { clock, ledger, limit, keyOf, fieldsOf } = options

  function sumUp({ key, subject, more }: Exceeded<Subject>): void {
    if (more === 0) return
    const { code } = gatewayRefusals.rateExceeded
    const details = { source: key, count: more }
    // WHY: that the minute was exceeded is on record; a ledger that cannot write costs the count only.
    ledger
      .append(callRefused, { ...fieldsOf(subject), outcome: 'refused', refusal: code, details })
      .catch(() => undefined)
  }

  const allowances = createAllowances<Subject>({ clock, windowMs: minuteMs, maxKeys, keyOf, onExceeded: sumUp })

  return {
    spend(subject) {
      const beyond = allowances.spend(subject, limit())
      if (beyond === undefined) return undefined
      const { retryAfterSeconds, isFirst } = beyond
      const refusal = refuse(gatewayRefusals.rateExceeded, { detail: { limit: limit() }, retryAfterSeconds })
      return isFirst ? refusal : asTallied(refusal)
    },
    charge(subject, refusal) {
      const beyond = allowances.spend(subject, limit())
      return beyond === undefined || beyond.isFirst ? refusal : asTallied(refusal)
    },
    close: () => allowances.close(),
  }
}

export interface RequestRates {
  /** By client address: IPv4 by the address, IPv6 by the /64. */
  readonly byAddress: RequestRate<string>
  /** By person, however many tokens they have. */
  readonly byPrincipal: RequestRate<Principal>
}

interface RateRooms {
  readonly clock: Clock
  readonly ledger: Pick<Ledger, 'append'>
  readonly settings: {
    readonly current: {
      readonly limits: {
        readonly requestsPerMinutePerAddress: number
        readonly requestsPerMinutePerPrincipal: number
      }
    }
  }
}

export function createRequestRates({ clock, ledger, settings }: RateRooms): RequestRates {
  return {
    byAddress: createRequestRate<string>({
      clock,
      ledger,
      limit: () => settings.current.limits.requestsPerMinutePerAddress,
      keyOf: sourceOf,
      fieldsOf: (address) => ({ address }),
    }),
    byPrincipal: createRequestRate<Principal>({
      clock,
      ledger,
      limit: () => settings.current.limits.requestsPerMinutePerPrincipal,
      keyOf: (principal) => principal.id,
      fieldsOf: (principal) => ({ principal }),
    }),
  }
}

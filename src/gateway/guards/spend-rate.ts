/**
 * Has this address, or this person, a request left in this minute?
 * Stops: one source, or one person with many addresses and tokens, keeping the gateway and its upstreams busy.
 * Trusts: the address that the doorway worked out, never a header of the client; the verified principal.
 * Fails: from the limit on, 429 with the seconds after which a request passes; the body is not read.
 */
import type { Guard } from '../checklist.ts'
import type { RequestRate } from '../limits/request-rate.ts'

/** @param subjectOf whose request it is */
export function spendRate<Needs extends object, Subject>(
  name: 'spend-address-rate' | 'spend-principal-rate',
  rate: Pick<RequestRate<Subject>, 'spend'>,
  subjectOf: (known: Needs) => Subject,
): Guard<Needs, {}> {
  return { name, check: (known) => rate.spend(subjectOf(known)) ?? {} }
}

/**
 * Has this address a request left in this minute?
 * Stops: one source keeping the gateway busy, whoever it claims to be and whatever path it asks for.
 * Trusts: the address that the doorway worked out; never a header of the client.
 * Fails: from the limit on, 429 with the seconds after which a request passes.
 */
import type { Knock } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { RequestRate } from '../limits/request-rate.ts'

export function spendAddressRate(rate: Pick<RequestRate<string>, 'spend'>): Guard<Knock, {}> {
  return { name: 'spend-address-rate', check: ({ address }) => rate.spend(address) ?? {} }
}

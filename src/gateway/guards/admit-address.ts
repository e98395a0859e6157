/**
 * Does this come from a network that may use the gateway?
 * Stops: clients of other networks, before they learn what is served here.
 * Trusts: the address that the doorway worked out: the peer's, or what a trusted proxy says of it.
 * Fails: an address that cannot be read lies in no network and is refused.
 */
import { refuse } from '#kernel'
import type { Networks } from '#platform/http'
import type { Knock } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { RequestRate } from '../limits/request-rate.ts'
import { gatewayRefusals } from '../refusals.ts'

export function admitAddress(
  settings: { readonly current: { readonly allowedNetworks: Networks } },
  rate: Pick<RequestRate<string>, 'charge'>,
): Guard<Knock, {}> {
  return {
    name: 'admit-address',
    check({ address }) {
      if (settings.current.allowedNetworks.has(address)) return {}
      return rate.charge(address, refuse(gatewayRefusals.addressNotAllowed, { names: { address } }))
    },
  }
}

/**
 * Does this come from a network that may use the gateway, and that nobody stopped?
 * Stops: clients of other networks and of held ones, before they learn what is served here, or that there is a hold.
 * Trusts: the address that the doorway worked out: the peer's, or what a trusted proxy says of it.
 * Fails: an address that cannot be read lies in no network and is refused; when the holds cannot be read, so is everybody.
 */
import { Fault, refuse, type Refusal } from '#kernel'
import type { Networks } from '#platform/http'
import type { Policy } from '#policy'
import type { Knock } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { RequestRate } from '../limits/request-rate.ts'
import { gatewayRefusals } from '../refusals.ts'

interface AddressRooms {
  readonly settings: { readonly current: { readonly allowedNetworks: Networks } }
  readonly policy: Pick<Policy, 'findAddressHold' | 'refresh'>
}

/** WHY: that the database is out of reach is told as such, with when to come back. */
function tellWhy(thrown: unknown): never {
  throw thrown instanceof Fault && thrown.cause instanceof Fault ? thrown.cause : thrown
}

export function admitAddress(
  { settings, policy }: AddressRooms,
  rate: Pick<RequestRate<string>, 'charge'>,
): Guard<Knock, {}> {
  const turnAway = (address: string, detail: Readonly<Record<string, unknown>>): Refusal =>
    rate.charge(address, refuse(gatewayRefusals.addressNotAllowed, { names: { address }, detail }))
  const judge = (address: string): {} | Refusal => {
    const hold = policy.findAddressHold(address)
    return hold === undefined ? {} : turnAway(address, { hold: hold.id, kind: hold.kind })
  }
  return {
    name: 'admit-address',
    check({ address }) {
      if (!settings.current.allowedNetworks.has(address)) return turnAway(address, {})
      try {
        const refreshed = policy.refresh()
        return refreshed instanceof Promise ? refreshed.then(() => judge(address)).catch(tellWhy) : judge(address)
      } catch (thrown) {
        return tellWhy(thrown)
      }
    },
  }
}

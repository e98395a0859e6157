/**
 * What has the person consented to, for the client that asks?
 * Stops: a consent that was taken back, has ended or was given to another client counting for one call more.
 * Trusts: policy for whether any rule goes by them; where none does, nothing is read.
 * Fails: what cannot be read throws, and the exchange is refused.
 */
import type { ConsentsInForce, Policy, Remedies } from '#policy'
import type { Guard } from '../checklist.ts'
import type { Authenticated } from '../guards/authenticate-caller.ts'

export interface Consented {
  readonly consented: ConsentsInForce
}

interface ConsentRooms {
  /** Asked after this exchange has refreshed it. */
  readonly policy: Pick<Policy, 'readsConsents'>
  readonly remedies: Pick<Remedies, 'consents'>
}

const none: Consented = { consented: { purposes: new Set(), until: Infinity } }

export function readConsents({ policy, remedies }: ConsentRooms): Guard<Authenticated, Consented> {
  return {
    name: 'read-consents',
    check({ principal }) {
      if (!policy.readsConsents()) return none
      return remedies.consents.inForce(principal).then((consented) => ({ consented }))
    },
  }
}

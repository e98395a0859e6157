/**
 * At which addresses does an upstream answer, and how is each of them?
 *
 * Stops: what is on record and what is asked drifting apart.
 * Trusts: the caller to have decided who may see and change it.
 * Fails: with a Refusal, or a Fault of the database or ledger; then nothing has changed.
 */
import type { Balance, EndpointState } from './balance.ts'
import { createEndpointStore, type EndpointStore, type StoreNeeds } from './endpoint-store.ts'

export interface Endpoints extends EndpointStore {
  /** How this process sees the endpoints of an upstream. @param isAsked whether each is checked before */
  states(upstream: string, isAsked?: boolean): Promise<EndpointState[]>
}

export function createEndpoints(needs: StoreNeeds & { readonly balance: Balance }): Endpoints {
  const { registry, balance } = needs
  return {
    ...createEndpointStore(needs),
    async states(upstream, isAsked = false) {
      await registry.refresh()
      if (isAsked) await balance.check(upstream)
      return balance.states(upstream)
    },
  }
}

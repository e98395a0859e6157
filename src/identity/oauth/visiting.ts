/**
 * Whose request is being answered, deep inside of the authorization server? The address travels beside the call.
 * Stops: a header that a client wrote from being taken for its address.
 * Trusts: the gateway, which found the address. Fails: outside of a request there is nobody.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Visit } from '../front/front.ts'

const visits = new AsyncLocalStorage<{ readonly visit: Visit; readonly arrivedAt: number }>()

/** Runs something on behalf of a visit. @param arrivedAt in wall-clock milliseconds */
export function duringVisit<T>(visit: Visit, arrivedAt: number, work: () => T): T {
  return visits.run({ visit, arrivedAt }, work)
}

/** The visit that is being answered. */
export function presentVisit(): Visit | undefined {
  return visits.getStore()?.visit
}

/** When it arrived; never, outside of one. */
export function presentArrival(): number {
  return visits.getStore()?.arrivedAt ?? Number.POSITIVE_INFINITY
}

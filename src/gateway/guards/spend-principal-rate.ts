/**
 * Has this person a request left in this minute?
 * Stops: one person keeping upstreams busy, from many addresses and with many tokens at once.
 * Trusts: the verified principal.
 * Fails: from the limit on, 429 with the seconds after which a request passes; the body is not read.
 */
import type { Principal } from '#kernel'
import type { Guard } from '../checklist.ts'
import type { RequestRate } from '../limits/request-rate.ts'
import type { Authenticated } from './authenticate-caller.ts'

export function spendPrincipalRate(rate: Pick<RequestRate<Principal>, 'spend'>): Guard<Authenticated, {}> {
  return { name: 'spend-principal-rate', check: ({ principal }) => rate.spend(principal) ?? {} }
}

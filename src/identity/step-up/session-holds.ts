/**
 * Does the session of this principal, or their terminal, hold at this moment, inside a transaction that changes something for it?
 * Stops a change by a session that ended while its person typed. Trusts the caller's transaction. Fails closed.
 */
import type { Principal } from '#kernel'
import type { Query } from '../parts.ts'
import { signInBehind } from '../terminals/sign-in-behind.ts'

export async function sessionHolds(transaction: Query, principal: Principal): Promise<boolean> {
  return (await signInBehind(transaction, principal))?.status === 'active'
}

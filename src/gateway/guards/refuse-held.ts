/**
 * Has someone stopped this person, this tool, this server, or everything?
 * Stops: traffic under a hold, from the next request on.
 * Trusts: policy's holds, read afresh whenever the database changed.
 * Fails: when the holds cannot be read, the guard throws and the exchange is refused.
 */
import { refuse, type Refusal } from '#kernel'
import type { Policy } from '#policy'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Aim } from './resolve-target.ts'

/** The refusal for a hold on this person or target, if there is one. Reads what the last refresh saw. */
export function heldRefusal(
  policy: Pick<Policy, 'findHold'>,
  { principal, target }: Authenticated & Pick<Aim, 'target'>,
): Refusal | undefined {
  const hold = policy.findHold({ personId: principal.id, target })
  if (hold === undefined) return undefined
  return refuse(gatewayRefusals.held, { names: { reason: hold.reason }, detail: { hold: hold.id, kind: hold.kind } })
}

export function refuseHeld(policy: Pick<Policy, 'findHold' | 'refresh'>): Guard<Authenticated & Aim, {}> {
  return {
    name: 'refuse-held',
    check(known) {
      const refreshed = policy.refresh()
      if (refreshed instanceof Promise) return refreshed.then(() => heldRefusal(policy, known) ?? {})
      return heldRefusal(policy, known) ?? {}
    },
  }
}

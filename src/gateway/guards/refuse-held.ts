/**
 * Has someone stopped this person, this tool, this server, or everything?
 * Stops: traffic under a hold, from the next request on; a stranger learning what is held, and why.
 * Trusts: policy's holds, read afresh whenever the database changed.
 * Fails: when the holds cannot be read, the guard throws and the exchange is refused.
 */
import { isRefusal, refuse, type Refusal } from '#kernel'
import type { Policy } from '#policy'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import { decideAim } from './authorize-call.ts'
import { serverRefusal } from './authorize-server.ts'
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

/** WHY: why a server or a tool is stopped, and that there is one, is told to nobody who may not use it. */
function toldOf(policy: Pick<Policy, 'decide'>, held: Refusal, known: Authenticated & Aim): Refusal {
  if (held.detail['kind'] !== 'upstream' && held.detail['kind'] !== 'tool') return held
  const decided = serverRefusal(policy, known) ?? decideAim(policy, known.principal, { ...known, isSteppedUp: true })
  return isRefusal(decided) ? decided : held
}

export function refuseHeld(policy: Pick<Policy, 'decide' | 'findHold' | 'refresh'>): Guard<Authenticated & Aim, {}> {
  const judge = (known: Authenticated & Aim): {} | Refusal => {
    const held = heldRefusal(policy, known)
    return held === undefined ? {} : toldOf(policy, held, known)
  }
  return {
    name: 'refuse-held',
    check(known) {
      const refreshed = policy.refresh()
      return refreshed instanceof Promise ? refreshed.then(() => judge(known)) : judge(known)
    },
  }
}

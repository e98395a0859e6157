/**
 * Has someone stopped this person, their client, their address, this tool, this server, or everything?
 * Stops: traffic under a hold, from the next request on; a stranger learning what is held, and why.
 * Trusts: policy's holds, read afresh whenever the database changed.
 * Fails: when the holds cannot be read, the guard throws and the exchange is refused.
 */
import { isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import type { Policy } from '#policy'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import { decideAim } from './authorize-call.ts'
import { type ServerRooms, serverRefusal } from './authorize-server.ts'
import type { Aim } from './resolve-target.ts'

/** Ids of what acts for the principal, in every chain of delegation. */
function clientsOf({ client, actors = [] }: Principal): readonly string[] {
  const acting = actors.flatMap((one) => [one.id, one.client])
  return client === undefined ? acting : [client.id, ...acting]
}

/** The refusal for a hold on this person or target, if there is one. Reads what the last refresh saw. */
export function heldRefusal(
  policy: Pick<Policy, 'findHold'>,
  { principal, target, circumstances }: Authenticated & Pick<Aim, 'target' | 'circumstances'>,
): Refusal | undefined {
  const { address } = circumstances
  const hold = policy.findHold({ personId: principal.id, clients: clientsOf(principal), address, target })
  if (hold === undefined) return undefined
  const detail = { hold: hold.id, kind: hold.kind }
  // WHY: a held address gets the one answer that foreign networks get, signed in or not.
  if (hold.kind === 'address')
    return refuse(gatewayRefusals.addressNotAllowed, { names: { address: address ?? '' }, detail })
  return refuse(gatewayRefusals.held, { names: { reason: hold.reason }, detail })
}

/** WHY: why a server or a tool is stopped, and that there is one, is told to nobody who may not use it. */
function toldOf(rooms: ServerRooms, held: Refusal, known: Authenticated & Aim): Refusal {
  if (held.detail['kind'] !== 'upstream' && held.detail['kind'] !== 'tool') return held
  const decided = serverRefusal(rooms, known) ?? decideAim(rooms.policy, known.principal, known, 'all')
  return isRefusal(decided) ? decided : held
}

interface HoldRooms extends ServerRooms {
  readonly policy: Pick<Policy, 'decide' | 'findHold' | 'refresh'>
}

export function refuseHeld(rooms: HoldRooms): Guard<Authenticated & Aim, {}> {
  const { policy } = rooms
  const judge = (known: Authenticated & Aim): {} | Refusal => {
    const held = heldRefusal(policy, known)
    return held === undefined ? {} : toldOf(rooms, held, known)
  }
  return {
    name: 'refuse-held',
    check(known) {
      const refreshed = policy.refresh()
      return refreshed instanceof Promise ? refreshed.then(() => judge(known)) : judge(known)
    },
  }
}

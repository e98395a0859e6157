/**
 * Is the tool still the one an administrator approved?
 * Stops: tools nobody approved, new ones, withdrawn ones, and changed definitions (rug pull), before anything is called.
 * Trusts: the pin in the database and the hash of what the upstream claims in this very session.
 * Fails: any doubt is a refusal, worded like a tool that does not exist.
 */
import { Fault, isRefusal, refuse, type Refusal, type RefusalDefinition } from '#kernel'
import type { Pin } from '#upstream'
import type { Guard } from '../checklist.ts'
import type { Caller, Definitions } from '../definitions.ts'
import { upstreamRefusal } from '../upstream-refusal.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Aim } from './resolve-target.ts'

export interface Pins {
  find(upstream: string, tool: string): Pin | undefined
}

function refused({ target }: Pick<Aim, 'target'>, definition: RefusalDefinition, reason: string): Refusal {
  const names = { kind: 'tool', name: target.name ?? '', server: target.upstream }
  return refuse(definition, { names, detail: { reason } })
}

/** The hash that was approved, or why the tool may not be used by what was last seen of it. */
function approvedHashOf(pins: Pins, aim: Pick<Aim, 'target'>): string | Refusal {
  const pin = pins.find(aim.target.upstream, aim.target.name ?? '')
  if (pin?.approvedHash === undefined) return refused(aim, gatewayRefusals.toolNotApproved, 'not-approved')
  if (pin.status === 'quarantined') return refused(aim, gatewayRefusals.toolNotApproved, 'withdrawn')
  return pin.status === 'approved' ? pin.approvedHash : refused(aim, gatewayRefusals.toolChanged, 'seen-otherwise')
}

/** The refusal for a tool that is not approved as it was last seen; undefined for anything else. */
export function pinRefusal(pins: Pins, aim: Pick<Aim, 'target'>): Refusal | undefined {
  if (aim.target.kind !== 'tool') return undefined
  const approved = approvedHashOf(pins, aim)
  return isRefusal(approved) ? approved : undefined
}

export function matchPinnedTool(pins: Pins, definitions: Definitions): Guard<Caller, {}> {
  const judge = (caller: Caller, approvedHash: string, currentHash: string | undefined): {} | Refusal => {
    if (currentHash === approvedHash) return {}
    if (currentHash === undefined) return refused(caller, gatewayRefusals.toolNotApproved, 'no-longer-offered')
    return refused(caller, gatewayRefusals.toolChanged, 'definition-changed')
  }
  return {
    name: 'match-pinned-tool',
    check(caller) {
      if (caller.target.kind !== 'tool') return {}
      const approvedHash = approvedHashOf(pins, caller)
      if (isRefusal(approvedHash)) return approvedHash
      const current = definitions.currentHash(caller, caller.target.name ?? '', approvedHash)
      if (!(current instanceof Promise)) return judge(caller, approvedHash, current)
      return current.then(
        (hash) => judge(caller, approvedHash, hash),
        (thrown: unknown) => {
          if (thrown instanceof Fault) return upstreamRefusal(thrown, caller.upstream.name)
          throw thrown
        },
      )
    },
  }
}

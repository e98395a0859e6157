/**
 * Is the tool still the one an administrator approved?
 * Stops: tools nobody approved, new ones, and changed definitions (rug pull), before anything is called.
 * Trusts: the pin in the database and the hash of what the upstream claims in this very session.
 * Fails: any doubt is a refusal, worded like a tool that does not exist.
 */
import { Fault, refuse, type Refusal, type RefusalDefinition } from '#kernel'
import type { Pin } from '#upstream'
import type { Guard } from '../checklist.ts'
import type { Caller, Definitions } from '../definitions.ts'
import { upstreamRefusal } from '../upstream-refusal.ts'
import { gatewayRefusals } from '../refusals.ts'

export interface Pins {
  find(upstream: string, tool: string): Pin | undefined
}

export function matchPinnedTool(pins: Pins, definitions: Definitions): Guard<Caller, {}> {
  const refused = (caller: Caller, definition: RefusalDefinition, reason: string): Refusal => {
    const name = caller.target.name ?? ''
    const names = { kind: 'tool', name, server: caller.upstream.name }
    return refuse(definition, { names, detail: { reason } })
  }
  const judge = (caller: Caller, approvedHash: string, currentHash: string | undefined): {} | Refusal => {
    if (currentHash === approvedHash) return {}
    if (currentHash === undefined) return refused(caller, gatewayRefusals.toolNotApproved, 'no-longer-offered')
    return refused(caller, gatewayRefusals.toolChanged, 'definition-changed')
  }
  return {
    name: 'match-pinned-tool',
    check(caller) {
      if (caller.target.kind !== 'tool') return {}
      const pin = pins.find(caller.upstream.name, caller.target.name ?? '')
      const approvedHash = pin?.approvedHash
      if (approvedHash === undefined) return refused(caller, gatewayRefusals.toolNotApproved, 'not-approved')
      if (pin?.status !== 'approved') return refused(caller, gatewayRefusals.toolChanged, 'seen-otherwise')
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

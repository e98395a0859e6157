/**
 * What will this client have met once it is answered? Kept before anything is forwarded.
 * Stops: an answer, a list or a stream that is read by a client of which nobody knows that it has read it; a kill in the middle.
 * Trusts: what an administrator said of the thing; policy, asked at this moment, for what is kept already.
 * Fails: labels that cannot be kept throw, and nothing is forwarded.
 * @see docs/decisions/0044-information-flow-by-labels.md
 */
import { unclassified } from '#kernel'
import { labelsOf, type Policy } from '#policy'
import type { Arrival } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import type { Labelled } from '../flow/read-labels.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Inbound } from './read-message.ts'
import type { Aim } from './resolve-target.ts'

type Known = Arrival & Authenticated & Inbound & Labelled & Aim

/** What is answered to these is approved word by word, or is no word of the server's own. */
const bringNothing = new Set<string | undefined>([
  'tools/list',
  'ping',
  'logging/setLevel',
  // WHY: it tells what its maker says of the server, not what the server holds.
  'initialize',
  'server/discover',
])

/** Whether what comes back holds anything of the server's. What is not known to bring nothing does. */
function bringsContent({ httpMethod, message, target }: Known): boolean {
  if (target.kind !== 'server') return true
  if (message === undefined) return httpMethod !== 'DELETE'
  return message.kind === 'request' && !bringNothing.has(message.method)
}

export function gatherLabels(policy: Pick<Policy, 'readsFlow' | 'flow'>): Guard<Known, {}> {
  return {
    name: 'gather-labels',
    check(known) {
      if (!policy.readsFlow() || !bringsContent(known)) return {}
      const { principal, target, circumstances, brought } = known
      const labels = labelsOf(circumstances.classification ?? unclassified)
      if (labels.length === 0) return {}
      // INVARIANT: what was kept when the message came may have been set back since, while the call waited.
      return policy.flow.add({ principal, labels, target }).then(() => {
        for (const label of labels) brought?.add(label)
        return {}
      })
    },
  }
}

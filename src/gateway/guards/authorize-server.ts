/**
 * May this person use this server at all?
 * Stops: any exchange with an upstream that no role of the person grants, notifications and streams included.
 * Trusts: policy's decision.
 * Fails: closed, with the answer of a server that does not exist.
 */
import { refuse, type Refusal } from '#kernel'
import type { Policy } from '#policy'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Aim } from './resolve-target.ts'

/** The refusal for a server that no role of the person grants; undefined where one does. */
export function serverRefusal(
  policy: Pick<Policy, 'decide'>,
  { principal, upstream }: Authenticated & Pick<Aim, 'upstream'>,
): Refusal | undefined {
  const decision = policy.decide(principal, 'servers:use', { upstream: upstream.name, kind: 'server' })
  if (decision.isAllowed) return undefined
  const detail = { isKnown: true, reasons: decision.reasons, snapshot: decision.snapshotVersion }
  return refuse(gatewayRefusals.serverUnknown, { names: { server: upstream.name }, detail })
}

export function authorizeServer(policy: Pick<Policy, 'decide'>): Guard<Authenticated & Aim, {}> {
  return { name: 'authorize-server', check: (known) => serverRefusal(policy, known) ?? {} }
}

/**
 * May this person do this, here? Learns the decision with its reasons and snapshot.
 * Stops: what no role grants; every URI of a subscription is judged like a read of it.
 * Trusts: policy's decision, the same function that lists are filtered with.
 * Fails: closed; the caller hears the same for not granted, not approved and not there.
 */
import { isRefusal, type Principal, refuse, type Refusal, type Target } from '#kernel'
import type { Decision, Policy } from '#policy'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Aim } from './resolve-target.ts'

export interface Authorized {
  readonly decision: Decision
}

function denied(target: Target, decision: Decision): Refusal {
  const detail = { reason: 'not-granted', reasons: decision.reasons, snapshot: decision.snapshotVersion }
  const names = { kind: target.kind, name: target.name ?? '', server: target.upstream }
  return refuse(gatewayRefusals.notGranted, { names, detail })
}

/** The decision on the target, or the first denial among the resources that a subscription names. */
export function decideAim(
  policy: Pick<Policy, 'decide'>,
  principal: Principal,
  { target, permission, subscriptions }: Pick<Aim, 'target' | 'permission' | 'subscriptions'>,
): Decision | Refusal {
  const decision = policy.decide(principal, permission, target)
  if (!decision.isAllowed) return denied(target, decision)
  for (const resource of subscriptions) {
    const read = policy.decide(principal, 'resources:read', resource)
    if (!read.isAllowed) return denied(resource, read)
  }
  return decision
}

export function authorizeCall(policy: Pick<Policy, 'decide'>): Guard<Authenticated & Aim, Authorized> {
  return {
    name: 'authorize-call',
    check(known) {
      const decision = decideAim(policy, known.principal, known)
      return isRefusal(decision) ? decision : { decision }
    },
  }
}

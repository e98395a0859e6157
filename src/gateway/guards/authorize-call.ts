/**
 * May this person do this, here? Learns the decision with its reasons and snapshot.
 * Stops: what no role grants; every URI of a subscription is judged like a read of it.
 * Trusts: policy's decision, the same function that lists are filtered with.
 * Fails: closed; the caller hears the same for not granted, not approved and not there.
 */
import { isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import type { Decision, Policy } from '#policy'
import type { Guard } from '../checklist.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Aim, Needed } from './resolve-target.ts'

export interface Authorized {
  readonly decision: Decision
}

function denied({ target, permission }: Needed, decision: Decision): Refusal {
  const detail = { reason: 'not-granted', reasons: decision.reasons, snapshot: decision.snapshotVersion }
  const names = { kind: target.kind, name: target.name ?? '', server: target.upstream }
  if (permission === 'roots:share') return refuse(gatewayRefusals.rootsNotShared, { names, detail })
  return refuse(gatewayRefusals.notGranted, { names, detail })
}

/** The decision on the target, or the first denial among what is needed besides. */
export function decideAim(
  policy: Pick<Policy, 'decide'>,
  principal: Principal,
  aim: Needed & Pick<Aim, 'alsoNeeded'>,
): Decision | Refusal {
  const decision = policy.decide(principal, aim.permission, aim.target)
  if (!decision.isAllowed) return denied(aim, decision)
  for (const needed of aim.alsoNeeded) {
    const also = policy.decide(principal, needed.permission, needed.target)
    if (!also.isAllowed) return denied(needed, also)
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

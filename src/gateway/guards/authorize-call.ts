/**
 * May this person do this, here? Learns the decision with its reasons and snapshot.
 * Stops: what no role grants; what a role grants only with a fresh factor, for want of one proved for exactly this call;
 * every URI of a subscription is judged like a read of it.
 * Trusts: policy's decision, the same function that lists are filtered with; `remedies/step-up.ts` for proofs.
 * Fails: closed; the caller hears the same for not granted, not approved and not there.
 */
import { isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import type { Decision, Policy } from '#policy'
import type { SpentStepUp } from '#identity'
import type { Guard } from '../checklist.ts'
import type { StepUp, Stepping } from '../remedies/step-up.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Aim, Needed } from './resolve-target.ts'

export interface Authorized {
  readonly decision: Decision & {
    /** The proof that the call passed with, used up. */
    readonly stepUp?: SpentStepUp
  }
}

function denied({ target, permission }: Needed, decision: Decision): Refusal {
  const detail = { reason: 'not-granted', reasons: decision.reasons, snapshot: decision.snapshotVersion }
  const names = { kind: target.kind, name: target.name ?? '', server: target.upstream }
  if (permission === 'roots:share') return refuse(gatewayRefusals.rootsNotShared, { names, detail })
  if (decision.remedy !== undefined) {
    return refuse(gatewayRefusals.stepUpNeeded, { names, detail: { ...detail, reason: decision.remedy } })
  }
  return refuse(gatewayRefusals.notGranted, { names, detail })
}

/** Whether a person can use it, be it with a fresh factor. */
export function isUsable(
  policy: Pick<Policy, 'decide'>,
  principal: Principal,
  { permission, target }: Needed,
): boolean {
  const { isAllowed, remedy } = policy.decide(principal, permission, target)
  return isAllowed || (remedy !== undefined && principal.isService !== true)
}

/** The decision on the target, or the first denial among what is needed besides. */
export function decideAim(
  policy: Pick<Policy, 'decide'>,
  principal: Principal,
  aim: Needed & Pick<Aim, 'alsoNeeded'> & { readonly isSteppedUp?: boolean },
): Decision | Refusal {
  const isSteppedUp = aim.isSteppedUp === true || aim.wasCalled === true
  const decision = policy.decide(principal, aim.permission, aim.target, { isSteppedUp })
  if (!decision.isAllowed) return denied(aim, decision)
  for (const needed of aim.alsoNeeded) {
    const { wasCalled = false } = needed
    const also = policy.decide(principal, needed.permission, needed.target, { isSteppedUp: wasCalled })
    if (!also.isAllowed) return denied(needed, also)
  }
  return decision
}

/** Whether the denial is one that a proof would turn into an allowance, whatever else the call needs. */
function isMendable(policy: Pick<Policy, 'decide'>, known: Stepping, denied: Refusal): boolean {
  if (denied.code !== gatewayRefusals.stepUpNeeded.code) return false
  return !isRefusal(decideAim(policy, known.principal, { ...known, isSteppedUp: true }))
}

export function authorizeCall(policy: Pick<Policy, 'decide'>, stepUp: StepUp): Guard<Stepping, Authorized> {
  const mend = async (known: Stepping, denied: Refusal): Promise<Authorized | Refusal> => {
    const spent = await stepUp(known, denied)
    if (isRefusal(spent)) return spent
    // INVARIANT: judged after the proof was used up, by the roles of this moment.
    const decision = decideAim(policy, known.principal, { ...known, isSteppedUp: true })
    return isRefusal(decision) ? decision : { decision: { ...decision, stepUp: spent } }
  }
  return {
    name: 'authorize-call',
    check(known) {
      const decision = decideAim(policy, known.principal, known)
      if (!isRefusal(decision)) return { decision }
      return isMendable(policy, known, decision) ? mend(known, decision) : decision
    },
  }
}

/**
 * May this person do this, here? Learns the decision with its reasons and snapshot.
 * Stops: what no role grants; what a role grants only with a fresh factor, or an approval, for want of one given for exactly this call;
 * every URI of a subscription is judged like a read of it.
 * Trusts: policy's decision, the same function that lists are filtered with; `remedies/meet.ts` for what was given.
 * Fails: closed; the caller hears the same for not granted, not approved and not there, and of a rule what it lets tell.
 */
import { asKept, isRefusal, type Principal, refuse, type Refusal, type RefusalDefinition } from '#kernel'
import type { Circumstances, Decision, Policy, Reason, Remedy } from '#policy'
import type { Guard } from '../checklist.ts'
import { type Circumstanced, circumstancesAfter } from '../flow/circumstances.ts'
import type { Given, Meet, Met, Stepping } from '../remedies/meet.ts'
import { withoutForeignMeta } from '../remedies/meta.ts'
import { gatewayRefusals } from '../refusals.ts'
import type { Tasked } from './bind-handles.ts'
import type { Needed } from '../flow/needed.ts'
import type { Aim } from './resolve-target.ts'

export interface Authorized {
  readonly decision: Decision &
    Given &
    Pick<Met, 'redact'> & {
      /** Rules that would have denied the call, and whose remedy was met. */
      readonly met?: ReadonlySet<string>
    }
  /** What the call has taken out of its budgets; undefined where nobody was asked. */
  readonly budget?: Met['budget']
  /** The call as people saw it that let it pass; undefined where nothing differs. */
  readonly agreed?: Tasked['tasks']['sent'] | undefined
}

/** A denial of policy, and what would mend it. */
export interface Denial extends Refusal {
  readonly remedies: readonly Remedy[]
}

/** INVARIANT: it is asked only of servers that the caller may use; and a quiet rule is told to nobody. */
function definitionFor({ reasons, remedies }: Decision): { definition: RefusalDefinition; reason?: Reason } {
  const needs = remedies.find(({ kind }) => kind !== 'step-up')
  if (remedies.length > 0) {
    return { definition: needs === undefined ? gatewayRefusals.stepUpNeeded : gatewayRefusals.remedyNeeded }
  }
  const reason = reasons.find(({ told }) => told !== undefined)
  if (reason === undefined) return { definition: gatewayRefusals.notGranted }
  return { definition: reason.isConfused === true ? gatewayRefusals.unjudged : gatewayRefusals.ruledOut, reason }
}

function denied({ target, permission }: Needed, decision: Decision): Denial {
  const { remedies, reasons } = decision
  const kinds = [...new Set(remedies.map(({ kind }) => kind))].join(', ')
  const reason = kinds === '' ? 'not-granted' : kinds
  const detail = { reason, reasons, snapshot: decision.snapshotVersion }
  const needs = kinds.replaceAll('redact', 'redaction')
  const names = { kind: target.kind, name: target.name ?? '', server: target.upstream, needs }
  if (permission === 'roots:share') {
    return { ...refuse(gatewayRefusals.rootsNotShared, { names, detail }), remedies: [] }
  }
  const { definition, reason: deciding } = definitionFor(decision)
  const refusal = refuse(definition, { names: { ...names, rule: deciding?.rule ?? '' }, detail })
  const told = deciding?.told ?? ''
  return { ...refusal, says: told === '' ? refusal.says : `${refusal.says}: ${told}`, remedies }
}

/** WHY: approvers decide by themselves, and what is taken out of an answer asks nobody; the others need the person. */
const withoutPerson: ReadonlySet<Remedy['kind']> = new Set(['approval', 'redact'])

function canMeet(principal: Principal, remedies: readonly Remedy[]): boolean {
  if (remedies.length === 0) return false
  return principal.isService !== true || remedies.every(({ kind }) => withoutPerson.has(kind))
}

/** Whether a person can use it: at once, with arguments that nobody has given yet, or when a remedy is met. */
export function isUsable(
  policy: Pick<Policy, 'decide'>,
  principal: Principal,
  { permission, target, circumstances }: Needed & Circumstanced,
): boolean {
  const { isAllowed, mayDepend, remedies } = policy.decide(principal, permission, target, circumstances)
  return isAllowed || mayDepend || canMeet(principal, remedies)
}

/** INVARIANT: what was judged when it was called is denied only by what holds whatever it was called with. */
function decideOne(policy: Pick<Policy, 'decide'>, principal: Principal, needed: Needed & Circumstanced) {
  const { permission, target, circumstances, wasCalled } = needed
  if (wasCalled !== true) return policy.decide(principal, permission, target, circumstances)
  const after = circumstancesAfter(circumstances)
  const decision = policy.decide(principal, permission, target, after)
  const bare = policy.decide(principal, permission, target, { ...after, met: undefined })
  // INVARIANT: what has to be redacted leaves on no way that does not redact.
  if (bare.remedies.some(({ kind }) => kind === 'redact')) return { ...bare, remedies: [] }
  return decision.mayDepend ? { ...decision, isAllowed: true } : decision
}

/**
 * The decision on the target, or the first denial among what is needed besides.
 * @param met the rules whose remedy was met for the target; what is needed besides is judged without
 */
export function decideAim(
  policy: Pick<Policy, 'decide'>,
  principal: Principal,
  aim: Needed & Pick<Aim, 'alsoNeeded' | 'circumstances'>,
  met: Circumstances['met'] = aim.circumstances.met,
): Decision | Denial {
  const circumstances = met === aim.circumstances.met ? aim.circumstances : { ...aim.circumstances, met }
  const decision = decideOne(policy, principal, { ...aim, circumstances })
  if (!decision.isAllowed) return denied(aim, decision)
  for (const needed of aim.alsoNeeded) {
    const also = decideOne(policy, principal, needed)
    if (!also.isAllowed) return denied(needed, also)
  }
  return decision
}

/** Asks again, for one exchange, what may have changed while somebody was waited for. */
type Asked = Pick<Policy, 'decide' | 'refresh' | 'shadows'> & {
  readonly roles: Pick<Policy['roles'], 'keptOf'>
}

export function authorizeCall(policy: Asked, meet: Meet): Guard<Stepping & Partial<Tasked>, Authorized> {
  const judgeAgain = async (known: Stepping & Partial<Tasked>, met: Met): Promise<Authorized | Refusal> => {
    await policy.refresh()
    // INVARIANT: judged after what was given is used up, by the roles and the policy of that moment.
    const principal = asKept(known.principal, await policy.roles.keptOf(known.principal.id))
    const { rules, budget, ...given } = met
    const decision = decideAim(policy, principal, known, rules)
    if (isRefusal(decision)) return decision
    const isAgreed = given.spent !== undefined || given.stepUp !== undefined
    const agreed = isAgreed ? withoutForeignMeta(known) : undefined
    return { decision: { ...decision, ...given, met: rules }, budget, agreed }
  }
  const mend = async (known: Stepping & Partial<Tasked>, denial: Denial): Promise<Authorized | Refusal> => {
    const met = await meet(known, denial)
    if (isRefusal(met)) return met
    const judged = await judgeAgain(known, met)
    if (isRefusal(judged)) met.budget?.spending?.giveBack()
    return judged
  }
  return {
    name: 'authorize-call',
    check(known) {
      policy.shadows.note(known)
      const decision = decideAim(policy, known.principal, known)
      if (!isRefusal(decision)) return { decision }
      const rules = new Set(decision.remedies.map(({ rule }) => rule))
      // WHY: people are asked only where nothing else that the call needs is denied.
      if (rules.size === 0 || isRefusal(decideAim(policy, known.principal, known, rules))) return decision
      return mend(known, decision)
    },
  }
}

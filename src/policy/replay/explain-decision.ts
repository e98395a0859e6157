/**
 * Why does a policy decide as it does: which rules, where are they written, and what did they read?
 * Stops: an allowance that nobody can explain; an explanation that says something else than the decision.
 * Trusts: `decide`, asked the same.
 * Fails: as `decide` does.
 */
import type { Principal } from '#kernel'
import type { Circumstances, Remedy } from '../circumstances.ts'
import { createDecide, type Decision, type Deciding } from '../decide.ts'
import { type Asked, placeOf } from '../explain.ts'
import type { Permission } from '../permissions.ts'
import { readQuestion } from '../question.ts'
import { requestOf } from '../request.ts'
import { showInputs } from '../inputs.ts'

/** One rule that decided, or why none did. */
export interface ExplainedRule {
  /** As in `Reason`. */
  readonly rule: string
  readonly says: string
  readonly effect?: 'permit' | 'forbid'
  /** `payments.cedar:12`, `role payer#1`. */
  readonly place?: string
  /** As it is written. */
  readonly text?: string
  /** What it read of the question. For who may read the ledger: it may hold arguments. */
  readonly inputs?: Readonly<Record<string, unknown>>
}

export interface Explanation {
  readonly isAllowed: boolean
  /** It rests on what was not told, such as arguments. */
  readonly mayDepend: boolean
  readonly rules: readonly ExplainedRule[]
  readonly remedies: readonly Remedy[]
  readonly snapshotVersion: number
}

export interface Question {
  readonly principal: Principal
  readonly permission: Permission
  readonly target: Asked
  readonly circumstances: Circumstances
}

function explainRule(
  deciding: Deciding,
  asked: Question,
  { rule: id, says }: Decision['reasons'][number],
): ExplainedRule {
  const loaded = deciding.current()
  const rule = loaded?.rules.get(id)
  const { principal, permission, target, circumstances } = asked
  const question = readQuestion(principal, { permission, target, circumstances, now: deciding.now() })
  if (loaded === undefined || rule === undefined || question.unreadable !== undefined) return { rule: id, says }
  const request = requestOf(question, { surroundings: deciding.surroundings(), remedied: loaded.remedied })
  const { effect, text } = rule
  const inputs = showInputs(loaded.judged.inputsOf(id, request))
  return { rule: id, says, effect, place: placeOf(rule), text, inputs }
}

/** The decision on a question, with its reasons in full. */
export function explainDecision(deciding: Deciding, asked: Question): Explanation {
  const { principal, permission, target, circumstances } = asked
  const decision = createDecide(deciding)(principal, permission, target, circumstances)
  const { isAllowed, mayDepend, remedies, snapshotVersion, reasons } = decision
  const rules = reasons.map((reason) => explainRule(deciding, asked, reason))
  return { isAllowed, mayDepend, remedies, snapshotVersion, rules }
}

/**
 * Why does a policy decide as it does: which rules, where are they written, and what did they read?
 * Stops: an allowance that nobody can explain; an explanation that says something else than the decision.
 * Trusts: `decide`, asked the same.
 * Fails: as `decide` does.
 */
import type { Principal } from '#kernel'
import type { Circumstances, Remedy } from '../circumstances.ts'
import type { CompiledRule } from '../cedar/source.ts'
import { createDecide, type Deciding, type Reason } from '../decide.ts'
import type { CedarRequest } from '../evaluate/values.ts'
import { type Asked, placeOf } from '../explain.ts'
import type { Permission } from '../permissions.ts'
import { readQuestion } from '../question.ts'
import { showInputs } from '../inputs.ts'
import { judgeQuestion } from '../judge-question.ts'
import type { LoadedSnapshot } from '../snapshot/load.ts'

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
  /** Permits for exactly this that do not hold; only where nothing is missing but a permit. */
  readonly unmet: readonly ExplainedRule[]
  readonly remedies: readonly Remedy[]
  readonly snapshotVersion: number
}

export interface Question {
  readonly principal: Principal
  readonly permission: Permission
  readonly target: Asked
  readonly circumstances: Circumstances
}

const mostUnmet = 20

/** A question to the snapshot in force, as it is judged. */
interface Posed {
  readonly loaded: LoadedSnapshot
  readonly request: CedarRequest
  readonly unmet: readonly CompiledRule[]
}

/** @returns undefined where no rule is asked */
function pose({ current, surroundings, now }: Deciding, { principal, ...asked }: Question): Posed | undefined {
  const loaded = current()
  const question = readQuestion(principal, { ...asked, now: now() })
  if (loaded === undefined || question.unreadable !== undefined) return undefined
  const { request, unmet } = judgeQuestion(loaded, question, surroundings())
  return { loaded, request, unmet: unmet().slice(0, mostUnmet) }
}

function explainRule(posed: Posed | undefined, { rule: id, says }: Pick<Reason, 'rule' | 'says'>): ExplainedRule {
  const rule = posed?.loaded.rules.get(id)
  if (posed === undefined || rule === undefined) return { rule: id, says }
  const { effect, text } = rule
  const inputs = showInputs(posed.loaded.judged.inputsOf(id, posed.request))
  return { rule: id, says, effect, place: placeOf(rule), text, inputs }
}

/** The decision on a question, with its reasons in full. */
export function explainDecision(deciding: Deciding, asked: Question): Explanation {
  const { principal, permission, target, circumstances } = asked
  const decision = createDecide(deciding)(principal, permission, target, circumstances)
  const { isAllowed, mayDepend, remedies, snapshotVersion, reasons } = decision
  const posed = pose(deciding, asked)
  const rules = reasons.map((reason) => explainRule(posed, reason))
  const isUngranted = reasons.some(({ rule }) => rule === 'not-granted')
  const unmet = isUngranted ? (posed?.unmet ?? []).map((rule) => explainRule(posed, { rule: rule.id, says: '' })) : []
  return { isAllowed, mayDepend, remedies, snapshotVersion, rules, unmet }
}

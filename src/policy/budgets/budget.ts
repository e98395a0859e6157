/**
 * What is a budget, and is a proposed one well formed?
 * Stops: a budget on nothing, which would look like a limit and be none.
 * Trusts: nothing; every field is checked.
 * Fails: the first thing wrong is refused by name.
 */
import { refuse, type Refusal } from '#kernel'
import { isOneLine, isUpstreamName } from '../roles/role.ts'
import { budgetRefusals } from './refusals.ts'

export const budgetKinds = ['principal', 'role', 'tool', 'upstream', 'bundle'] as const
export const budgetMeters = ['calls', 'bytes', 'units'] as const
export const budgetPeriods = ['hour', 'day', 'month'] as const

export type BudgetPeriod = (typeof budgetPeriods)[number]

/** How much of what may be used in each window. */
export interface ProposedBudget {
  readonly kind: (typeof budgetKinds)[number]
  /** Person id, or `*` for every principal by itself; role, whose holders have each their own; `<upstream>/<tool>`; upstream; bundle. */
  readonly subject: string
  /** Calls; bytes of arguments and answers; units of what a call of the tool costs. */
  readonly meter: (typeof budgetMeters)[number]
  readonly period: BudgetPeriod
  readonly amount: number
}

export interface Budget extends ProposedBudget {
  readonly id: string
  readonly setAt: number
  /** Person id. */
  readonly setBy: string
}

export const maxBudgetAmount = 1_000_000_000_000_000
const maxSubjectLength = 2_048

/** Whether this names a tool, as `<upstream>/<tool>`. */
export function isToolName(subject: string): boolean {
  const slash = subject.indexOf('/')
  return slash > 0 && isUpstreamName(subject.slice(0, slash)) && slash + 1 < subject.length
}

function isSubject(kind: ProposedBudget['kind'], subject: string): boolean {
  if (subject === '' || !isOneLine(subject, maxSubjectLength)) return false
  if (kind === 'tool') return isToolName(subject)
  return kind === 'upstream' || kind === 'bundle' ? isUpstreamName(subject) : true
}

/** What is wrong with a proposed budget, or undefined. Whether the subject exists is not asked here. */
export function checkBudget({ kind, subject, amount }: ProposedBudget): Refusal | undefined {
  if (!isSubject(kind, subject)) return refuse(budgetRefusals.subjectInvalid, { names: { subject, kind } })
  const isAmount = Number.isSafeInteger(amount) && amount >= 0 && amount <= maxBudgetAmount
  return isAmount ? undefined : refuse(budgetRefusals.amountInvalid, { names: { limit: String(maxBudgetAmount) } })
}

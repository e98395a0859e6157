/**
 * How would a policy decide a call of the past?
 * Stops: an answer where the ledger does not hold what it rests on.
 * Trusts: `decide`; what the ledger holds of the call.
 * Fails: where the answer rests on what the ledger does not hold, it is `untold`.
 */
import type { Remedy } from '../circumstances.ts'
import type { Decision, Reason } from '../decide.ts'
import type { Policy } from '../policy.ts'
import { answerTo, questionsOf } from './questions-then.ts'
import type { RecordedCall } from './recorded-call.ts'

export type Judged = 'allowed' | 'denied' | 'untold'

export interface Judgement {
  readonly judged: Judged
  /** Why: of the first thing that was denied or cannot be told; of an allowance, of what the call was about. */
  readonly reasons: readonly Reason[]
  /** What would turn the denial into an allowance. */
  readonly remedies: readonly Remedy[]
}

export function judgeCall(decide: Policy['decide'], call: RecordedCall): Judgement {
  let undecided: Decision | undefined
  let about: Decision | undefined
  for (const [place, question] of questionsOf(call).entries()) {
    const decision = answerTo(decide, question)
    const { isAllowed, mayDepend, reasons, remedies } = decision
    if (!isAllowed && !mayDepend) return { judged: 'denied', reasons, remedies }
    if (!isAllowed) undecided ??= decision
    if (place === 1) about = decision
  }
  if (undecided !== undefined) return { judged: 'untold', reasons: undecided.reasons, remedies: [] }
  return { judged: 'allowed', reasons: about?.reasons ?? [], remedies: [] }
}

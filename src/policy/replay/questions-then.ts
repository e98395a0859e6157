/**
 * Which questions did the gateway ask of a call, and in which order?
 * Stops: a replay that asks other questions than were asked.
 * Trusts: what the ledger holds of the call.
 * Fails: nothing here can fail.
 */
import type { Principal } from '#kernel'
import type { Circumstances } from '../circumstances.ts'
import type { Decision } from '../decide.ts'
import type { Asked } from '../explain.ts'
import type { Permission } from '../permissions.ts'
import type { Policy } from '../policy.ts'
import type { NeededThen, RecordedCall } from './recorded-call.ts'

/** One question, as `decide` takes it. */
export interface QuestionThen {
  readonly principal: Principal
  readonly permission: Permission
  readonly target: Asked
  readonly circumstances: Circumstances
  /** It was about what went on with a call that was judged when it was made. */
  readonly wasCalled: boolean
}

/** The server first, then what the call was about, then what it needed besides. */
export function questionsOf(call: RecordedCall): readonly QuestionThen[] {
  const { principal, needed, circumstances, met, serverClassification } = call
  const [about] = needed
  const upstream = { upstream: about.target.upstream, kind: 'server' } as const
  const bare = { ...circumstances, callArguments: undefined }
  const server = { ...bare, classification: serverClassification }
  const ask = (thing: NeededThen): QuestionThen => {
    const { permission, target, classification, wasCalled } = thing
    const own = thing === about ? { ...circumstances, ...(met.size > 0 && { met }) } : bare
    const around = wasCalled ? { ...bare, met: 'all' as const } : own
    return { principal, permission, target, wasCalled, circumstances: { ...around, classification } }
  }
  return [
    { principal, permission: 'servers:use', target: upstream, circumstances: server, wasCalled: false },
    ...needed.map(ask),
  ]
}

/** The answer as the gateway takes it. */
export function answerTo(decide: Policy['decide'], question: QuestionThen): Decision {
  const { principal, permission, target, circumstances, wasCalled } = question
  const decision = decide(principal, permission, target, circumstances)
  if (!wasCalled) return decision
  const bare = decide(principal, permission, target, { ...circumstances, met: undefined })
  // INVARIANT: as in the gateway, what has to be redacted leaves on no way that does not redact.
  if (bare.remedies.some(({ kind }) => kind === 'redact')) return { ...bare, remedies: [] }
  // INVARIANT: what was judged when it was called is denied only by what holds whatever it was called with.
  return decision.mayDepend ? { ...decision, isAllowed: true, mayDepend: false } : decision
}

/**
 * What do the rules of a snapshot say to a question, and what would mend a denial?
 * Stops: a remedy that is told where it would not help; an answer that is remembered for another question.
 * Trusts: the compiled rules, for what they read; `readQuestion`.
 * Fails: what throws here is a denial of whoever asked; an answer with an error is not remembered.
 */
import type { CompiledRule } from './cedar/source.ts'
import type { Remedy } from './circumstances.ts'
import type { Judgement, Slice } from './evaluate/compile-rules.ts'
import type { CedarRequest } from './evaluate/values.ts'
import type { Question } from './question.ts'
import { requestOf } from './request.ts'
import type { Surroundings } from './settings.ts'
import type { LoadedSnapshot } from './snapshot/load.ts'

export interface Outcome {
  readonly judgement: Judgement
  /** Those that decided it, or that it depends on; in the order of their ids. */
  readonly rules: readonly CompiledRule[]
  /** What would, all of it together, turn the denial into an allowance. */
  readonly remedies: readonly Remedy[]
}

/** An answer, and what it was the answer to. */
export interface Answered {
  readonly outcome: Outcome
  readonly request: CedarRequest
  /** What the rules read that could apply. */
  readonly reads: () => readonly string[]
  /** The permits about who asks, what and which thing; not where all that they ask for is so. */
  readonly unmet: () => readonly CompiledRule[]
}

const none: readonly never[] = Object.freeze([])
const noneMet: ReadonlySet<string> = new Set()

/** INVARIANT: a remedy is told only where it helps: the same question, with all of them met, could be allowed. */
function remediesFor(
  { outcome, deciding, errors }: Judgement,
  { rules }: LoadedSnapshot,
  askWith: (met: readonly string[]) => Judgement,
): readonly Remedy[] {
  if (outcome !== 'deny' || deciding.length === 0 || errors.length > 0) return none
  const remedies = deciding.flatMap((id) => rules.get(id)?.remedy ?? [])
  if (remedies.length < deciding.length) return none
  return askWith(deciding).outcome === 'deny' ? none : Object.freeze(remedies)
}

/** @throws Error for a rule that is none of the snapshot */
function rulesIn({ rules }: LoadedSnapshot, ids: readonly string[]): readonly CompiledRule[] {
  return ids.map((id) => {
    const rule = rules.get(id)
    if (rule === undefined) throw new Error('an unknown rule')
    return rule
  })
}

function decidingIn(loaded: LoadedSnapshot, { outcome, deciding, undecided }: Judgement): readonly CompiledRule[] {
  return rulesIn(loaded, outcome === 'depends' ? undecided : deciding)
}

/** INVARIANT: a denial for want of a permit, and nothing else, is mended by a permit. */
function unmetOf(loaded: LoadedSnapshot, slice: Slice, { judgement }: Outcome): readonly CompiledRule[] {
  const { outcome, deciding, errors } = judgement
  return outcome === 'deny' && deciding.length === 0 && errors.length === 0 ? rulesIn(loaded, slice.permits()) : none
}

export function judgeQuestion(loaded: LoadedSnapshot, question: Question, surroundings: Surroundings): Answered {
  const ground = { surroundings, remedied: loaded.remedied }
  const request = requestOf(question, ground)
  const slice = loaded.judged.sliceOf(request)
  const key = slice.key()
  const known = loaded.cache.get(key)
  const answered = (outcome: Outcome): Answered => ({
    outcome,
    request,
    reads: slice.reads,
    unmet: () => unmetOf(loaded, slice, outcome),
  })
  if (known !== undefined) return answered(known)
  const judgement = slice.judge()
  const { circumstances } = question
  const askWith = (met: readonly string[]): Judgement => {
    const before = circumstances.met === 'all' ? loaded.remedied : (circumstances.met ?? noneMet)
    const mended = { ...question, circumstances: { ...circumstances, met: new Set([...before, ...met]) } }
    return loaded.judged.judge(requestOf(mended, ground))
  }
  const remedies = remediesFor(judgement, loaded, askWith)
  const outcome = { judgement, rules: decidingIn(loaded, judgement), remedies }
  if (judgement.errors.length === 0) loaded.cache.set(key, outcome)
  return answered(outcome)
}

/**
 * Does the official engine agree with what was decided?
 * Stops: a snapshot whose rules are judged otherwise than Cedar judges them: it denies from then on.
 * Trusts: the official engine, which judges again a share of the decisions after they were answered.
 * Fails: what the engine cannot judge says nothing; one disagreement denies on every node, until other rules are in force.
 * @see docs/decisions/0042-decisions-are-compiled.md
 */
import {
  type Ask,
  createJudge,
  officialCall,
  type OfficialCall,
  officialRule,
  type OfficialRule,
  type Verdict,
} from '../cedar/judge.ts'
import type { Judgement } from '../evaluate/compile-rules.ts'
import type { Question } from '../question.ts'
import type { Surroundings } from '../settings.ts'
import type { LoadedSnapshot } from '../snapshot/load.ts'
import type { RejudgeOutcome } from './metrics.ts'
import { createOfficialThread, type OfficialThread } from './official-thread.ts'

/** Two answers to one question. */
export interface Disagreement {
  readonly snapshotVersion: number
  readonly rulesHash: string
  readonly action: string
  readonly outcome: Judgement['outcome']
  readonly deciding: readonly string[]
  readonly isAllowedOfficially: boolean
  readonly decidingOfficially: readonly string[]
}

/** A decision that was made. */
export interface Decided {
  readonly loaded: LoadedSnapshot
  readonly question: Question
  readonly surroundings: Surroundings
  readonly judgement: Judgement
}

export interface Rejudging {
  /** Whether the engine disagreed with a decision by these rules, here or on another node. */
  isDistrusted(loaded: LoadedSnapshot): boolean
  /** To be told of every decision; a share of them is judged again, later and elsewhere. Never throws. */
  consider(decided: Decided): void
  /** Whether the engine, asked at once, says the same. Slow: for what has to go on under a distrusted snapshot. */
  confirms(decided: Decided): boolean
}

interface Waiting {
  readonly rules: readonly OfficialRule[]
  readonly call: OfficialCall
  readonly decided: Pick<Decided, 'judgement' | 'loaded'> & { readonly action: string }
}

const mostWaiting = 32
/** How long it rests after each judgement, in times of what that took. */
const restingTimes = 20

/** INVARIANT: the engine is never told what is unknown, and knows no confusion; there its answer is to something else. */
function isComparable({ undecided, errors, outcome }: Judgement): boolean {
  return outcome !== 'depends' && undecided.length === 0 && errors.every(({ because }) => because !== 'confused')
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index])
}

/** Whether both say the same; undefined where the engine refused the question as a whole. */
function agree({ outcome, deciding, errors }: Judgement, verdict: Verdict): boolean | undefined {
  if (verdict.problem !== undefined && verdict.erring.length === 0) return undefined
  const erring = errors.map(({ id }) => id)
  if (!isSameList(erring, verdict.erring)) return false
  if (erring.length > 0) return outcome === 'deny'
  return (outcome === 'allow') === verdict.isAllowed && isSameList(deciding, verdict.rules)
}

export interface RejudgeNeeds {
  /** Between 0 and 1. */
  readonly share: () => number
  readonly onDisagreement: (disagreement: Disagreement) => void
  /** Whether another node, or this one before its start, found a disagreement. */
  readonly isDistrustedElsewhere?: (loaded: LoadedSnapshot) => boolean
  /** Told how every judgement ended. */
  readonly onJudged?: (outcome: RejudgeOutcome) => void
  readonly thread?: OfficialThread
  readonly random?: () => number
}

function callOf({ loaded, question, surroundings }: Decided): OfficialCall {
  const { met = [] } = question.circumstances
  return officialCall(question, surroundings, met === 'all' ? loaded.remedied : new Set(met))
}

/** The rules that decide; the same list for the same snapshot. */
function createRulesOf(): (loaded: LoadedSnapshot) => readonly OfficialRule[] {
  const judgedRules = new WeakMap<LoadedSnapshot, readonly OfficialRule[]>()
  return (loaded) => {
    const judged = () => [...loaded.rules.values()].filter(({ isShadow }) => !isShadow)
    const known = judgedRules.get(loaded) ?? judged().map(officialRule)
    judgedRules.set(loaded, known)
    return known
  }
}

/** Asks the engine in this thread. */
function createConfirm(rulesOf: (loaded: LoadedSnapshot) => readonly OfficialRule[]): Rejudging['confirms'] {
  let ready: { readonly rules: readonly OfficialRule[]; readonly ask: Ask } | undefined
  return (decided) => {
    if (!isComparable(decided.judgement)) return false
    const rules = rulesOf(decided.loaded)
    if (ready?.rules !== rules) ready = { rules, ask: createJudge()(rules) }
    return agree(decided.judgement, ready.ask(callOf(decided))) === true
  }
}

const outcomeOf = (isSame: boolean | undefined): RejudgeOutcome =>
  isSame === undefined ? 'unanswered' : isSame ? 'agreed' : 'disagreed'

/** Makes what judges again; nothing is started before the first decision is picked. */
export function createRejudging(needs: RejudgeNeeds): Rejudging {
  const { share, onDisagreement, onJudged, thread = createOfficialThread(), random = Math.random } = needs
  const queue: Waiting[] = []
  const isElsewhere = needs.isDistrustedElsewhere ?? (() => false)
  const distrusted = new Set<string>()
  const rulesOf = createRulesOf()
  let isBusy = false

  function compare({ judgement, loaded, action }: Waiting['decided'], verdict: Verdict): void {
    const isSame = agree(judgement, verdict)
    onJudged?.(outcomeOf(isSame))
    if (isSame !== false || distrusted.has(loaded.rulesHash)) return
    distrusted.add(loaded.rulesHash)
    onDisagreement({
      snapshotVersion: loaded.version,
      rulesHash: loaded.rulesHash,
      action,
      outcome: judgement.outcome,
      deciding: judgement.deciding,
      isAllowedOfficially: verdict.isAllowed,
      decidingOfficially: verdict.rules,
    })
  }

  async function work(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { verdict, ms } = await thread.ask(next.rules, next.call)
      if (verdict === undefined) onJudged?.('unanswered')
      else compare(next.decided, verdict)
      await new Promise((done) => setTimeout(done, ms * restingTimes).unref())
    }
    isBusy = false
  }

  function pick(decided: Decided): void {
    const { loaded, question, judgement } = decided
    // WHY: what is in the question may change once it was answered.
    const call = callOf(decided)
    queue.push({ rules: rulesOf(loaded), call, decided: { judgement, loaded, action: question.action } })
    if (isBusy) return
    isBusy = true
    void work()
  }

  return {
    isDistrusted: (loaded) => distrusted.has(loaded.rulesHash) || isElsewhere(loaded),
    confirms: createConfirm(rulesOf),
    consider(decided) {
      if (random() >= share() || queue.length >= mostWaiting || !isComparable(decided.judgement)) return
      try {
        pick(decided)
      } catch {
        // INVARIANT: a decision stands on its own; what cannot be put to the engine is not judged again.
        onJudged?.('unanswered')
      }
    },
  }
}

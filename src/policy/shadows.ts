/**
 * What would the rules that are judged aside have done?
 * Stops: a rule that is only tried out changing an answer; one that would have failed going unseen.
 * Trusts: the same question as the one that was decided.
 * Fails: what cannot be told is told as `fail`.
 */
import type { CompiledRule } from './cedar/source.ts'
import { compileRules, type Judgement, type Rules } from './evaluate/compile-rules.ts'
import type { CedarRequest } from './evaluate/values.ts'

/** A rule that is judged aside, and how the answer would differ if it counted. */
export interface Shadow {
  readonly rule: string
  /** `fail`: the rule could not be judged, and everything it is asked about would be denied. */
  readonly would: 'allow' | 'deny' | 'fail'
}

const none: readonly Shadow[] = Object.freeze([])

/** Asks which rules hold, whatever they would do. */
function createHolding(rules: readonly CompiledRule[]): Rules {
  // WHY: of permits all that hold are told, one beside the other.
  return compileRules(rules.map(({ id, json }) => ({ id, json: { ...json, effect: 'permit' } })))
}

/**
 * Makes what judges the rules aside; undefined where there are none.
 * @throws Fault `policy.unreadable` for rules that cannot be judged
 */
export function createShadows(rules: readonly CompiledRule[]) {
  const aside = rules.filter(({ isShadow }) => isShadow)
  if (aside.length === 0) return undefined
  const effects = new Map(aside.map(({ id, effect }) => [id, effect]))
  let each: readonly Rules[] | undefined
  const together = createHolding(aside)

  function holding(request: CedarRequest): Judgement[] {
    const judgement = together.judge(request)
    // WHY: beside one that fails, nothing is told of the others.
    if (judgement.errors.length === 0) return [judgement]
    each ??= aside.map((rule) => createHolding([rule]))
    return each.map((rule) => rule.judge(request))
  }

  /** @param decided what was answered without them */
  return function judgeShadows(request: CedarRequest, decided: Judgement): readonly Shadow[] {
    const isAllowed = decided.outcome === 'allow'
    const lacksPermit = decided.outcome === 'deny' && decided.deciding.length === 0 && decided.errors.length === 0
    const found = holding(request).flatMap(({ deciding, errors }): Shadow[] => [
      ...errors.map(({ id }) => ({ rule: id, would: 'fail' as const })),
      ...deciding.map((id) => ({
        rule: id,
        would: effects.get(id) === 'permit' ? ('allow' as const) : ('deny' as const),
      })),
    ])
    const changing = found.filter(({ would }) => (would === 'allow' ? lacksPermit : isAllowed))
    return changing.length === 0 ? none : changing
  }
}

/**
 * What do the rules say?
 * Stops: a rule that is read otherwise than Cedar reads it; an error that counts as a yes; an unknown that allows.
 * Trusts: rules that the official engine parsed and validated.
 * Fails: a rule with an operator that is not known here is a Fault, and none of the rules is used.
 * @see https://docs.cedarpolicy.com/auth/authorization.html
 */
import { Fault } from '#kernel'
import { type CompiledRule, compileRule, type RuleSource } from './compile-rule.ts'
import { createFinder } from './find-rules.ts'
import { count, emptyTally, type RuleError, type RuleGroup, type Tally } from './rule-group.ts'
import { createShareTests } from './share-tests.ts'
import type { CedarRequest, Result } from './values.ts'

/** What the rules say to one request. */
export interface Judgement {
  /**
   * `allow`: a permit holds, no forbid does, and nothing was wrong. `depends`: what is unknown could make it an allowance.
   * Everything else is `deny`: so it is where any rule could not be reckoned.
   */
  readonly outcome: 'allow' | 'deny' | 'depends'
  /** Sorted ids. Allowed: the permits that hold. Denied: the forbids that hold, none where only a permit is missing. */
  readonly deciding: readonly string[]
  /** Sorted ids of the rules that rest on something unknown. */
  readonly undecided: readonly string[]
  /** Sorted by id; `deny` where there is any. */
  readonly errors: readonly RuleError[]
}

/** The rules that can apply to a request: all others neither hold nor err. */
export interface Slice {
  /**
   * Holds everything that these rules read of the request, and nothing else: equal keys of one set of rules have equal
   * judgements.
   */
  key(): string
  judge(): Judgement
  /**
   * What these rules read, e.g. `context.address` or `context.texts["to"]`; sorted. Not counted are their heads, and the
   * names of upstream and thing by which they were found.
   */
  reads(): readonly string[]
  /** Sorted ids of the permits among them: they are about who asks, what and which thing, whatever their conditions say. */
  permits(): readonly string[]
}

/** Something that a rule reads, and what it is in a request. */
export interface Input {
  /** E.g. `context.texts["to"]` or `principal in Castellan::Role::"x"`. */
  readonly place: string
  readonly value: Result
}

/** One set of rules, compiled. */
export interface Rules {
  /** What can apply to this request. */
  sliceOf(request: CedarRequest): Slice
  /** As `sliceOf(request).judge()`. */
  judge(request: CedarRequest): Judgement
  /** What one rule reads, its head included; empty for an id that is not there. */
  inputsOf(id: string, request: CedarRequest): readonly Input[]
  /** As `inputsOf`, without a request; sorted. */
  readsOf(id: string): readonly string[]
}

const none: readonly never[] = Object.freeze([])

function sorted(ids: readonly string[]): readonly string[] {
  return ids.length === 0 ? none : ids.toSorted()
}

function concluded({ permits, forbids, undecided, mayPermit, errors }: Tally): Judgement {
  const told = {
    undecided: sorted(undecided),
    errors: errors.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
  }
  if (errors.length > 0 || forbids.length > 0) return { outcome: 'deny', deciding: sorted(forbids), ...told }
  // INVARIANT: nothing is allowed without a permit that holds, or while a rule could still err or forbid.
  if (undecided.length > 0) {
    const outcome = permits.length > 0 || mayPermit ? 'depends' : 'deny'
    return { outcome, deciding: none, ...told }
  }
  return { outcome: permits.length > 0 ? 'allow' : 'deny', deciding: sorted(permits), ...told }
}

function judgeGroup({ rules }: RuleGroup, request: CedarRequest): Judgement {
  const tally = emptyTally()
  count(tally, rules, request)
  return concluded(tally)
}

const rulesInSlice = 50

/**
 * As `compileRules`, with pauses that leave the thread to others.
 * @throws Fault `policy.unreadable` as that
 */
export async function compileInSlices(sources: readonly RuleSource[], pause: () => Promise<unknown>): Promise<Rules> {
  const share = createShareTests()
  const rules: CompiledRule[] = []
  for (let from = 0; from < sources.length; from += rulesInSlice) {
    rules.push(...sources.slice(from, from + rulesInSlice).map((source) => compileRule(source, share)))
    await pause()
  }
  return rulesOf(rules)
}

/**
 * Compiles rules in Cedar's JSON form.
 * @throws Fault `policy.unreadable` where one of them is of no known form or two have one id
 */
export function compileRules(sources: readonly RuleSource[]): Rules {
  const share = createShareTests()
  return rulesOf(sources.map((source) => compileRule(source, share)))
}

function rulesOf(rules: readonly CompiledRule[]): Rules {
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  if (byId.size !== rules.length) throw new Fault('policy.unreadable', 'two rules have one id')
  const find = createFinder(rules)

  function groupFor(request: CedarRequest): RuleGroup {
    const resource = request.entity(request.resource)
    const [upstream, name] = [resource?.attribute('upstream'), resource?.attribute('name')]
    const known = { upstream: typeof upstream === 'string', name: typeof name === 'string' }
    const found = find(request, known)
    return found(typeof upstream === 'string' ? upstream : undefined, typeof name === 'string' ? name : undefined)
  }

  const readsInAll = (id: string) => byId.get(id)?.readsInAll() ?? []
  return {
    sliceOf(request) {
      const group = groupFor(request)
      const { reads, permits } = group
      return { key: () => group.key(request), judge: () => judgeGroup(group, request), reads, permits }
    },
    judge: (request) => judgeGroup(groupFor(request), request),
    inputsOf: (id, request) =>
      readsInAll(id).map(({ says, value, whole }) => ({
        place: whole?.says ?? says,
        value: (whole?.value ?? value)(request),
      })),
    readsOf: (id) => [...new Set(readsInAll(id).map(({ says }) => says))].toSorted(),
  }
}

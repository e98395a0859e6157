/**
 * What do the rules say?
 * Stops: a rule that is read otherwise than Cedar reads it; an error that counts as a yes; an unknown that allows.
 * Trusts: rules that the official engine parsed and validated.
 * Fails: a rule with an operator that is not known here is a Fault, and none of the rules is used.
 * @see https://docs.cedarpolicy.com/auth/authorization.html
 */
import { Fault } from '#kernel'
import { compileRule, type RuleSource } from './compile-rule.ts'
import { createFinder, type Found } from './find-rules.ts'
import { count, emptyTally, type RuleError, type RuleGroup, type Tally } from './rule-group.ts'
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
  /** What these rules read, e.g. `context.address` or `context.texts["to"]`; sorted. Their heads are not counted. */
  reads(): readonly string[]
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

function judgeGroups(groups: readonly RuleGroup[], request: CedarRequest): Judgement {
  const tally = emptyTally()
  for (const { rules } of groups) count(tally, rules, request)
  return concluded(tally)
}

function addGroups(groups: RuleGroup[], found: Found | undefined, name: string | undefined): void {
  if (found === undefined) return
  if (found.always.rules.length > 0) groups.push(found.always)
  const ofName = name === undefined ? undefined : found.byName.get(name)
  if (ofName !== undefined) groups.push(ofName)
}

/**
 * Compiles rules in Cedar's JSON form.
 * @throws Fault `policy.unreadable` where one of them is of no known form or two have one id
 */
export function compileRules(sources: readonly RuleSource[]): Rules {
  const rules = sources.map(compileRule)
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  if (byId.size !== rules.length) throw new Fault('policy.unreadable', 'two rules have one id')
  const find = createFinder(rules)

  function groupsFor(request: CedarRequest): RuleGroup[] {
    const resource = request.entity(request.resource)
    const [upstream, name] = [resource?.attribute('upstream'), resource?.attribute('name')]
    const known = { upstream: typeof upstream === 'string', name: typeof name === 'string' }
    const found = find(request, known)
    const groups: RuleGroup[] = []
    const asked = typeof name === 'string' ? name : undefined
    addGroups(groups, found.anywhere, asked)
    if (typeof upstream === 'string') addGroups(groups, found.at(upstream), asked)
    return groups
  }

  const readsInAll = (id: string) => byId.get(id)?.readsInAll() ?? []
  return {
    sliceOf(request) {
      const groups = groupsFor(request)
      return {
        key: () => groups.map((group) => group.key(request)).join('/'),
        judge: () => judgeGroups(groups, request),
        reads: () => [...new Set(groups.flatMap((group) => group.reads().map(({ says }) => says)))].toSorted(),
      }
    },
    judge: (request) => judgeGroups(groupsFor(request), request),
    inputsOf: (id, request) =>
      readsInAll(id).map(({ says, value, whole }) => ({
        place: whole?.says ?? says,
        value: (whole?.value ?? value)(request),
      })),
    readsOf: (id) => [...new Set(readsInAll(id).map(({ says }) => says))].toSorted(),
  }
}

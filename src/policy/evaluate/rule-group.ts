/**
 * What do some rules say together, and what of a request do they read?
 * Stops: an error, or an unknown, that is lost among rules that were settled.
 * Trusts: whoever picked the rules: each fits the principal, the action and the type of the resource.
 * Fails: a rule that cannot be reckoned is told as an error.
 */
import { keyPart } from './canonical.ts'
import { mayBeFalse, mayBeTrue, mayOf } from './certainty.ts'
import type { AskedRule } from './compile-rule.ts'
import { missingAttribute, missingTag } from './members.ts'
import type { Read } from './reads.ts'
import { neverFalse, neverTrue, unknown, wrong, type CedarRequest, type Result, type Wrong } from './values.ts'

export interface RuleError {
  readonly id: string
  readonly because: Wrong['because']
  /** One line for investigators. */
  readonly message: string
}

/** What came of each rule that did not simply fail to hold. */
export interface Tally {
  readonly permits: string[]
  /** Also those that hold or err, whatever the unknown is: either denies. */
  readonly forbids: string[]
  /** All that rest on something unknown. */
  readonly undecided: string[]
  /** Whether a permit among them could hold. */
  mayPermit: boolean
  readonly errors: RuleError[]
}

/** Some of the rules. */
export interface RuleGroup {
  readonly rules: readonly AskedRule[]
  /** What they read besides what is the same wherever this group is asked, as a person would write it. */
  reads(): readonly string[]
  /** Sorted ids. */
  permits(): readonly string[]
  /** Differs from that of any other group, and wherever anything differs that the rules read. */
  key(request: CedarRequest): string
}

const mostReadsOfOnePlace = 6

/** WHY: where many rules ask about one place, what is there is shorter than all their answers. */
function gather(rules: readonly AskedRule[]): Read[] {
  const byPlace = new Map<string, Map<string, Read>>()
  for (const read of rules.flatMap((rule) => rule.reads())) {
    const place = read.whole?.id ?? read.id
    const reads = byPlace.get(place) ?? new Map<string, Read>()
    byPlace.set(place, reads.set(read.id, read))
  }
  return [...byPlace.values()].flatMap((reads) => {
    const all = [...reads.values()]
    const whole = all.find((read) => read.whole !== undefined)?.whole
    return all.length > mostReadsOfOnePlace && whole !== undefined ? [whole] : all
  })
}

const other = 7
const codes = new Map<Result, number>([
  [unknown, 2],
  [neverTrue, 3],
  [neverFalse, 4],
  [missingTag, 5],
  [missingAttribute, 6],
])

/** INVARIANT: below `other`, one number for each result that has no parts. */
function codeOf(result: Result): number {
  if (result === true) return 1
  if (result === false) return 0
  return codes.get(result) ?? other
}

/** WHY: so many answers are one small number. */
const mostInOneNumber = 9

/** INVARIANT: can be read in one way only: a number for so many answers, and behind them what does not fit into one. */
function keyOf(name: string, reads: readonly Read[], request: CedarRequest): string {
  let [key, texts] = [name, '']
  let [packed, count] = [0, 0]
  for (const { value } of reads) {
    const result = value(request)
    const code = codeOf(result)
    if (code === other) texts += keyPart(result)
    packed = packed * 8 + code
    count += 1
    if (count < mostInOneNumber) continue
    key += `${packed}.`
    packed = 0
    count = 0
  }
  return texts === '' ? key + packed : `${key}${packed}|${texts}`
}

/** @param name of this group alone */
export function groupOf(rules: readonly AskedRule[], name: string): RuleGroup {
  let reads: readonly Read[] | undefined
  let says: readonly string[] | undefined
  const readAll = () => (reads ??= gather(rules))
  return {
    rules,
    reads: () => (says ??= [...new Set(readAll().map((read) => read.says))].toSorted()),
    permits: () => rules.flatMap(({ id, isPermit }) => (isPermit ? [id] : [])).toSorted(),
    key: (request) => keyOf(name, readAll(), request),
  }
}

export function emptyTally(): Tally {
  return { permits: [], forbids: [], undecided: [], mayPermit: false, errors: [] }
}

const notYesOrNo = wrong('type', 'expected true or false')

function countUnsure(tally: Tally, { id, isPermit }: AskedRule, result: Result): void {
  if (typeof result !== 'object' || result.kind !== 'unknown') {
    const { because, says } = typeof result === 'object' && result.kind === 'wrong' ? result : notYesOrNo
    tally.errors.push({ id, because, message: says })
    return
  }
  tally.undecided.push(id)
  const may = mayOf(result)
  if (isPermit && (may & mayBeTrue) !== 0) tally.mayPermit = true
  if (!isPermit && (may & mayBeFalse) === 0) tally.forbids.push(id)
}

/** Asks every rule of a group, and adds to the tally what came of it. */
export function count(tally: Tally, rules: readonly AskedRule[], request: CedarRequest): void {
  for (const rule of rules) {
    const result = rule.test(request)
    if (result === false) continue
    if (result !== true) countUnsure(tally, rule, result)
    else if (rule.isPermit) tally.permits.push(rule.id)
    else tally.forbids.push(rule.id)
  }
}

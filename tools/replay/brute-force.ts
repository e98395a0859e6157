/**
 * What a policy says of a call, reckoned from the rules as they were made and the call as it was sent: no Cedar, no code of
 * castellan. What the ledger masks is tried with everything that it could have been.
 */
import type { FileRule, RandomPolicy, RoleGrant, Truth } from './rules.ts'
import { type Call, colours, type Given, modes, recipients } from './words.ts'

export interface Expected {
  readonly judged: 'allowed' | 'denied' | 'untold'
  /** Ids of the rules that decide, sorted; empty where it cannot be told. */
  readonly rules: readonly string[]
  /** Ids of the rules whose remedies would help, sorted. */
  readonly remedies: readonly string[]
}

function grants({ upstream, tools, effect }: RoleGrant, call: Call): boolean {
  if (upstream !== call.upstream) return false
  if (effect !== undefined && call.classification.effect !== effect) return false
  return tools.includes('*') || tools.includes(call.tool)
}

function truthOf({ role, conditions }: FileRule, call: Call): Truth {
  if (role !== undefined && !call.caller.roles.includes(role)) return false
  for (const { holds } of conditions) {
    const truth = holds(call)
    if (truth !== true) return truth
  }
  return true
}

const idOf = (rule: FileRule): string => `rules.cedar#${rule.id}`
const denied = (rules: readonly string[]): Expected => ({ judged: 'denied', rules, remedies: [] })

function decideKnown({ grants: all, rules }: RandomPolicy, call: Call, met: ReadonlySet<string>): Expected {
  const own = all.filter(({ role }) => call.caller.roles.includes(role))
  if (!own.some(({ upstream }) => upstream === call.upstream)) return denied(['not-granted'])
  const truths = rules.map((rule) => [rule, truthOf(rule, call)] as const)
  // WHY: the clause that lifts a rule stands behind what the rule says, so that what breaks there breaks all the same.
  const broken = truths.filter(([, truth]) => truth === 'error').map(([rule]) => idOf(rule))
  const [firstBroken] = broken.toSorted()
  if (firstBroken !== undefined) return denied([firstBroken])
  const holding = truths.filter(([, truth]) => truth === true).map(([rule]) => rule)
  const forbids = holding.filter((rule) => rule.effect === 'forbid' && !isLifted(rule, met)).map(idOf)
  const permits = [
    ...own.filter((grant) => grants(grant, call)).map(({ role, number }) => `role:${role}#${number}`),
    ...holding.filter(({ effect }) => effect === 'permit').map(idOf),
  ]
  if (forbids.length > 0) return denied(forbids.toSorted())
  return permits.length === 0 ? denied(['not-granted']) : { judged: 'allowed', rules: permits.toSorted(), remedies: [] }
}

function isLifted(rule: FileRule, met: ReadonlySet<string>): boolean {
  return rule.remedy !== undefined && met.has(idOf(rule))
}

function withRemedies(policy: RandomPolicy, call: Call): Expected {
  const expected = decideKnown(policy, call, call.met)
  if (expected.judged === 'allowed') return expected
  const remedied = new Set(policy.rules.filter(({ remedy }) => remedy !== undefined).map(idOf))
  if (!expected.rules.every((rule) => remedied.has(rule))) return expected
  const after = decideKnown(policy, call, new Set([...call.met, ...expected.rules]))
  return after.judged === 'allowed' ? { ...expected, remedies: expected.rules } : expected
}

/** Everything that a masked argument could have been, as far as rules can tell it apart. */
const worlds: Readonly<Record<keyof Given, readonly unknown[]>> = {
  to: [undefined, 1, 'unlike any', ...recipients],
  mode: [undefined, 1, 'unlike any', ...modes],
  tags: [undefined, 'no list', [], ...colours.map((colour) => [colour]), [...colours]],
  amount: [],
  dry: [],
}

function everyGiven(call: Call): readonly Given[] {
  let all: Given[] = [call.given]
  for (const key of call.masked) all = all.flatMap((given) => worlds[key].map((value) => ({ ...given, [key]: value })))
  return all
}

/** What can be said of a call by what the ledger keeps of it. */
export function decideByHand(policy: RandomPolicy, call: Call): Expected {
  const answers = everyGiven(call).map((given) => withRemedies(policy, { ...call, given }))
  const [first] = answers
  if (first === undefined) throw new Error('a call in no world')
  if (answers.some(({ judged }) => judged !== first.judged)) return { judged: 'untold', rules: [], remedies: [] }
  const isSame = (one: readonly string[], other: readonly string[]) => one.join() === other.join()
  const isCertain = answers.every(
    ({ rules, remedies }) => isSame(rules, first.rules) && isSame(remedies, first.remedies),
  )
  return isCertain ? first : { ...first, rules: [], remedies: [] }
}

/** What was decided when the call was made, everything known. */
export function decideThen(policy: RandomPolicy, call: Call): Expected {
  return withRemedies(policy, call)
}

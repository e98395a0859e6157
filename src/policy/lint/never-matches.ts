/**
 * Is there anything at all that a rule applies to?
 * Stops: a rule that looks like protection and never applies.
 * Trusts: the engine's strict validation, which says of itself what types alone make impossible.
 * Fails: only what is certain is found: constants, and one value that would have to be two.
 */
import type { CompiledRule } from '../cedar/source.ts'
import { conditionsOf, conjunctsOf, literalText, pathOf, type Expression } from './expressions.ts'
import { placeOf, type Finding, type LintMatter } from './finding.ts'

type Constant = boolean | string | number | undefined

function isObject(value: unknown): value is Expression {
  return typeof value === 'object' && value !== null
}

interface Binary {
  readonly left: unknown
  readonly right: unknown
}

function both(node: Expression, operator: string): readonly [Constant, Constant] | undefined {
  const parts = node[operator] as Binary | undefined
  return parts === undefined ? undefined : [constantOf(parts.left), constantOf(parts.right)]
}

/** What an expression always is; undefined where it depends. */
function constantOf(node: unknown): Constant {
  if (!isObject(node)) return undefined
  const value = node['Value']
  if (typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number') return value
  const and = both(node, '&&')
  if (and !== undefined) return and.includes(false) ? false : and[0] === true ? and[1] : undefined
  const or = both(node, '||')
  if (or !== undefined) return or.includes(true) ? true : or[0] === false ? or[1] : undefined
  const not = node['!'] as { arg: unknown } | undefined
  const arg = not === undefined ? undefined : constantOf(not.arg)
  if (typeof arg === 'boolean') return !arg
  const equal = both(node, '==')
  if (equal !== undefined && !equal.includes(undefined)) return equal[0] === equal[1]
  const unequal = both(node, '!=')
  return unequal !== undefined && !unequal.includes(undefined) ? unequal[0] !== unequal[1] : undefined
}

function neverByConstant(rule: CompiledRule): boolean {
  return conditionsOf(rule).some(({ kind, body }) => constantOf(body) === (kind !== 'when'))
}

/** A path that would have to be two texts at once. */
function tornPath(rule: CompiledRule): string | undefined {
  const told = new Map<string, string>()
  for (const text of conjunctsOf(rule)) {
    if (text.startsWith('unless ')) continue
    const equal = (JSON.parse(text) as Expression)['=='] as Binary | undefined
    const path = equal === undefined ? undefined : (pathOf(equal.left) ?? pathOf(equal.right))
    const value = equal === undefined ? undefined : (literalText(equal.right) ?? literalText(equal.left))
    if (path === undefined || value === undefined) continue
    if ((told.get(path) ?? value) !== value) return path
    told.set(path, value)
  }
  return undefined
}

/** Rules that never apply. */
export function neverMatches({ rules }: LintMatter): Finding[] {
  return rules.flatMap((rule): Finding[] => {
    const torn = tornPath(rule)
    if (torn === undefined && !neverByConstant(rule)) return []
    const why = torn === undefined ? 'its condition is never true' : `\`${torn}\` would have to be two values at once`
    return [
      {
        ...placeOf(rule),
        code: 'lint.never-matches',
        severity: 'error',
        says: `the rule never applies: ${why}`,
        hint: 'correct the condition, or take the rule out',
      },
    ]
  })
}

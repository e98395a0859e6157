/**
 * Which permits are for everybody, or for everything?
 * Stops: a permit that was meant for some and is for all, published unseen.
 * Trusts: the engine's JSON form.
 * Fails: nothing here can fail.
 */
import type { CompiledRule } from '../cedar/source.ts'
import { conditionsOf, speaksOf } from './expressions.ts'
import { placeOf, type Finding, type LintMatter } from './finding.ts'

function isOpen(rule: CompiledRule, of: 'principal' | 'resource'): boolean {
  return rule.json[of].op === 'All' && !speaksOf(rule, of)
}

function review(rule: CompiledRule): Finding[] {
  const found: Finding[] = []
  const hint = 'name whom or what it is for, or accept it'
  if (isOpen(rule, 'principal')) {
    const says = 'the permit is for every person and every service account'
    found.push({ ...placeOf(rule), code: 'lint.wildcard-principal', severity: 'warning', says, hint })
  }
  if (isOpen(rule, 'resource')) {
    const whatever = conditionsOf(rule).length === 0 ? '' : ', wherever its condition holds'
    const says = `the permit is for everything that its actions apply to${whatever}`
    found.push({ ...placeOf(rule), code: 'lint.wildcard-resource', severity: 'warning', says, hint })
  }
  return found
}

/** Permits without principal or resource; those of shipped roles are as they are. */
export function wildcards({ rules, source }: LintMatter): Finding[] {
  const shipped = new Set(
    source.roles.filter((role) => 'isShipped' in role && role.isShipped === true).map(({ name }) => name),
  )
  const isReviewed = ({ effect, origin }: CompiledRule) =>
    effect === 'permit' && !(origin.kind === 'role' && shipped.has(origin.role))
  return rules.filter(isReviewed).flatMap(review)
}

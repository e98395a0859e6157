/**
 * Is there a rule that changes nothing, because another one decides wherever it applies?
 * Stops: a permit that somebody believes to be the only one; a permit that never permits.
 * Trusts: `covers`, which claims only what is certain.
 * Fails: nothing here can fail.
 */
import { comparable, findCovers } from './covers.ts'
import { placeOf, type Finding, type LintMatter } from './finding.ts'

/** Permits that a broader permit covers, and permits that a forbid always beats. */
export function shadowedRules({ rules }: LintMatter): Finding[] {
  const deciding = rules.filter(({ isShadow }) => !isShadow).map(comparable)
  const permits = deciding.filter(({ rule }) => rule.effect === 'permit')
  const final = deciding.filter(({ rule }) => rule.effect === 'forbid' && rule.remedy === undefined)
  const beaten = findCovers(permits, final)
  const isBeaten = new Set(beaten.map(({ rule }) => rule))
  const repeated = findCovers(permits, permits).filter(({ rule }) => !isBeaten.has(rule))
  return [
    ...beaten.map(({ rule, by }) => ({
      ...placeOf(rule),
      code: 'lint.beaten-permit',
      severity: 'warning' as const,
      says: `it never permits anything: \`${by.id}\` forbids wherever it applies`,
      hint: 'take one of the two out, or narrow the forbid',
    })),
    ...repeated.map(({ rule, by }) => ({
      ...placeOf(rule),
      code: 'lint.shadowed-permit',
      severity: 'warning' as const,
      says: `it changes nothing: \`${by.id}\` permits the same and more`,
      hint: 'take it out, or narrow the other one',
    })),
  ]
}

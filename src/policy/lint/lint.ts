/**
 * What is wrong with a policy that compiles?
 * Stops: rules that do not do what their author thinks, before they are in force.
 * Trusts: the compiled rules.
 * Fails: a finding too many is a warning; what cannot be judged is not found.
 */
import { argumentTypes } from './argument-types.ts'
import type { Finding, Linter, LintMatter } from './finding.ts'
import { lockOut } from './lock-out.ts'
import { neverMatches } from './never-matches.ts'
import { shadowedRules } from './shadowed-rules.ts'
import { unknownNames } from './unknown-names.ts'
import { unmeetableRemedies } from './unmeetable-remedies.ts'
import { wildcards } from './wildcards.ts'

/** Each looks for one thing. */
const linters: readonly Linter[] = [
  unknownNames,
  neverMatches,
  shadowedRules,
  lockOut,
  wildcards,
  unmeetableRemedies,
  argumentTypes,
]

const maxFindings = 500

/** Errors first, then by file, line and rule; at most 500. */
export function lint(matter: LintMatter): Finding[] {
  const found = linters.flatMap((look) => look(matter))
  const key = ({ severity, file = '', line = 0, rule }: Finding) =>
    `${severity}|${file}|${String(line).padStart(9, '0')}|${rule}`
  return found.toSorted((one, other) => (key(one) < key(other) ? -1 : 1)).slice(0, maxFindings)
}

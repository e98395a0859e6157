/**
 * Which rules does a policy have, and are they valid?
 * Stops: a text that does not fit the schema (strict validation); two rules of one name; a rule of a file that passes for
 * one of a role.
 * Trusts: the official engine to validate; `read-file.ts` and `compile-role.ts` for what is written.
 * Fails: what is wrong with it is told with file and line, and nothing is compiled.
 */
import type { ValidationError } from '@cedar-policy/cedar-wasm/nodejs'
import { createDecisionCache } from '../decision-cache.ts'
import type { Role } from '../roles/role.ts'
import { compileRole } from './compile-role.ts'
import { askOfficial, gaveUp } from './official.ts'
import { isRule, type ReadRules, readFileRules } from './read-file.ts'
import { conditionProblem, isProblem, problemOf, readRule, withRemedy } from './read-rule.ts'
import { cedarSchema } from './schema.ts'
import { type Compilation, type CompiledRule, type PolicyProblem, type PolicySource, sourceLimits } from './source.ts'

function readRoleRules(role: Pick<Role, 'name' | 'grants'>): ReadRules {
  const problems = role.grants.flatMap(({ when }, index): PolicyProblem[] => {
    const problem = when === undefined ? undefined : conditionProblem(when)
    return problem === undefined ? [] : [{ ...problem, rule: `role:${role.name}#${index + 1}` }]
  })
  if (problems.length > 0) return { rules: [], problems }
  const rules = compileRole(role).map(({ id, grantNumber, text, isStepUp }): CompiledRule | PolicyProblem => {
    const json = readRule(text)
    if (isProblem(json)) return { ...json, rule: id }
    const rule = {
      id,
      text,
      effect: json.effect,
      origin: { kind: 'role', role: role.name, grantNumber },
      isShadow: false,
      isQuiet: false,
    } as const
    if (!isStepUp) return { ...rule, json }
    return { ...rule, json: withRemedy(json, id), remedy: { rule: id, kind: 'step-up' } }
  })
  return {
    rules: rules.filter(isRule),
    problems: rules.filter((rule): rule is PolicyProblem => !isRule(rule)),
  }
}

/** A finding of the validator, with its place. */
function placed({ policyId, error }: ValidationError, rules: ReadonlyMap<string, CompiledRule>): PolicyProblem {
  const rule = rules.get(policyId)
  if (rule === undefined) return { says: error.message }
  const { line = 1, ...found } = problemOf(error, rule.text)
  const { origin } = rule
  if (origin.kind === 'role') return { says: found.says, rule: rule.id }
  return { ...found, rule: rule.id, file: origin.file, line: origin.line + line - 1 }
}

/** WHY: the validator tells one mistake once for each action that it matters for, and begins with another one each time. */
function withoutDoubles(problems: readonly PolicyProblem[]): PolicyProblem[] {
  const first = new Map<string, PolicyProblem>()
  for (const problem of problems) {
    const { rule, line, column, says } = problem
    const key = column === undefined ? JSON.stringify([rule, says]) : JSON.stringify([rule, line, column])
    const known = first.get(key)
    if (known === undefined || says < known.says) first.set(key, problem)
  }
  return [...first.values()]
}

/** WHY: the validator tells of rules in another order each time; who reads it twice finds the same. */
function inOrder(problems: readonly PolicyProblem[], rules: readonly CompiledRule[]): PolicyProblem[] {
  const places = new Map(rules.map(({ id }, at) => [id, at]))
  const placeOf = ({ rule = '', line = 0, column = 0 }: PolicyProblem) => [places.get(rule) ?? 0, line, column] as const
  return problems.toSorted((one, other) => {
    const [at, line, column] = placeOf(one)
    const [otherAt, otherLine, otherColumn] = placeOf(other)
    return at - otherAt || line - otherLine || column - otherColumn || (one.says < other.says ? -1 : 1)
  })
}

const mostRemembered = 40_000
const longestRemembered = 4_096
/** Texts of rules in which the validator found nothing. WHY: it judges each rule for itself, by the schema alone. */
const faultless = createDecisionCache<true>(mostRemembered)

function remember(rules: readonly CompiledRule[], found: readonly ValidationError[]): void {
  const told = new Set(found.map(({ policyId }) => policyId))
  for (const { id, text } of rules) if (!told.has(id) && text.length <= longestRemembered) faultless.set(text, true)
}

function validated(all: readonly CompiledRule[]): Record<'problems' | 'warnings', PolicyProblem[]> {
  const rules = all.filter(({ text }) => faultless.get(text) === undefined)
  if (rules.length === 0) return { problems: [], warnings: [] }
  // WHY: one text per id: a text that held a second policy would not parse.
  const policies = { staticPolicies: Object.fromEntries(rules.map(({ id, text }) => [id, text])) }
  const answer = askOfficial(({ validate }) =>
    validate({ validationSettings: { mode: 'strict' }, schema: cedarSchema, policies }),
  )
  if (answer === undefined) return { problems: [{ says: gaveUp }], warnings: [] }
  if (answer.type === 'failure')
    return { problems: answer.errors.map(({ message }) => ({ says: message })), warnings: [] }
  remember(rules, [...answer.validationErrors, ...answer.validationWarnings])
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  const told = (errors: readonly ValidationError[]) =>
    inOrder(withoutDoubles(errors.map((error) => placed(error, byId))), rules)
  return { problems: told(answer.validationErrors), warnings: told(answer.validationWarnings) }
}

function twiceNamed(rules: readonly CompiledRule[]): PolicyProblem[] {
  const seen = new Set<string>()
  return rules.flatMap(({ id, origin }) => {
    if (!seen.has(id)) {
      seen.add(id)
      return []
    }
    const place = origin.kind === 'file' ? { file: origin.file, line: origin.line } : {}
    return [{ says: 'another rule has this name', rule: id, ...place }]
  })
}

function byName<Named extends { readonly name: string }>(all: readonly Named[]): Named[] {
  return all.toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** The text of a snapshot: the same source and version give the same text, and no two versions do. */
function cedarOf(rules: readonly CompiledRule[], { files }: PolicySource, version: number): string {
  const ofRoles = rules.flatMap(({ origin, text }) => (origin.kind === 'role' ? [text] : []))
  const ofFiles = byName(files).map(({ name, text }) => `// file ${name}\n${text.trimEnd()}`)
  return `${[`// castellan roles, snapshot ${version}`, ...ofRoles, ...ofFiles].join('\n\n')}\n`
}

/**
 * Compiles and validates. What a person wrote never makes it throw.
 * @throws Fault `policy.uncompilable` when a role was not checked by `checkRole`
 */
export function compilePolicy(source: PolicySource, version: number): Compilation {
  if (source.files.length > sourceLimits.maxFiles) {
    return { isValid: false, problems: [{ says: `there are more than ${sourceLimits.maxFiles} files` }] }
  }
  const names = source.files.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) return { isValid: false, problems: [{ says: 'another file has this name', file: twice }] }
  const read = [...byName(source.roles).map(readRoleRules), ...byName(source.files).map(readFileRules)]
  const rules = read.flatMap((one) => one.rules)
  const problems = [...read.flatMap((one) => one.problems), ...twiceNamed(rules)]
  if (problems.length > 0) return { isValid: false, problems }
  const found = validated(rules)
  if (found.problems.length > 0) return { isValid: false, problems: found.problems }
  return { isValid: true, policy: { rules, cedar: cedarOf(rules, source, version) }, warnings: found.warnings }
}

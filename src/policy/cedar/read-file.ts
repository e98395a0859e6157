/**
 * Which rules does a policy file have, and where?
 * Stops: templates, which nobody fills; a file that this program and the engine split differently.
 * Trusts: the official engine to parse.
 * Fails: each thing wrong with it is told with its line.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { readAnnotations } from './annotations.ts'
import { askOfficial, gaveUp } from './official.ts'
import { depthProblem } from './nesting.ts'
import { isProblem, problemOf, readRule, withRemedy } from './read-rule.ts'
import { type CompiledRule, type PolicyFile, policyFileName, type PolicyProblem, sourceLimits } from './source.ts'
import { type PolicyPart, splitPolicies } from './split-policies.ts'

/** Rules before the whole was validated, and what is wrong with the others. */
export interface ReadRules {
  readonly rules: readonly CompiledRule[]
  readonly problems: readonly PolicyProblem[]
}

/** Tells a rule from what is wrong with one. */
export function isRule(read: CompiledRule | PolicyProblem): read is CompiledRule {
  return 'json' in read
}

function annotationsOf(json: PolicyJson): Record<string, string> {
  // SPEC: an annotation without a value is null in the engine's form.
  const entries = Object.entries((json.annotations ?? {}) as Record<string, string | null>)
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? '']))
}

function readPart(file: string, { text, line }: PolicyPart, number: number): CompiledRule | PolicyProblem {
  const json = readRule(text)
  if (isProblem(json)) return { ...json, file, rule: `${file}#${number}`, line: line + (json.line ?? 1) - 1 }
  const said = readAnnotations(annotationsOf(json), json.effect)
  if (typeof said === 'string') return { says: said, file, rule: `${file}#${number}`, line }
  const { name = String(number), remedy, ...told } = said
  const id = `${file}#${name}`
  const rule = { id, text, effect: json.effect, origin: { kind: 'file', file, line }, ...told } as const
  return remedy === undefined
    ? { ...rule, json }
    : { ...rule, json: withRemedy(json, id), remedy: { ...remedy, rule: id } }
}

/** What is wrong with a file as a whole. */
function findProblems({ name, text }: PolicyFile, parts: readonly PolicyPart[]): PolicyProblem[] {
  if (!policyFileName.test(name)) return [{ says: `\`${name}\` cannot be the name of a policy file` }]
  if (Buffer.byteLength(text) > sourceLimits.maxFileBytes) {
    return [{ says: `it is longer than ${sourceLimits.maxFileBytes} bytes`, file: name }]
  }
  const deep = parts.flatMap(({ text: part, line }) => {
    const says = depthProblem(part)
    return says === undefined ? [] : [{ says, file: name, line }]
  })
  if (deep.length > 0) return deep
  const answer = askOfficial((engine) => engine.policySetTextToParts(text))
  if (answer === undefined) return [{ says: gaveUp, file: name }]
  if (answer.type === 'failure') return answer.errors.map((error) => ({ ...problemOf(error, text), file: name }))
  if (answer.policy_templates.length > 0) {
    return [{ says: 'a rule with ?principal or ?resource is a template; write out whom it is about', file: name }]
  }
  // INVARIANT: each part is one policy of the engine's, so that a rule is told by the line it stands on.
  const theirs = answer.policies.toSorted().join('\n')
  const ours = parts.map((part) => part.text).toSorted()
  return ours.join('\n') === theirs ? [] : [{ says: 'it cannot be split into policies', file: name }]
}

export function readFileRules(file: PolicyFile): ReadRules {
  const parts = splitPolicies(file.text)
  const problems = findProblems(file, parts)
  if (problems.length > 0) return { rules: [], problems }
  const read = parts.map((part, index) => readPart(file.name, part, index + 1))
  return { rules: read.filter(isRule), problems: read.filter((rule): rule is PolicyProblem => !isRule(rule)) }
}

/**
 * What does one Cedar policy say, in the form that is judged?
 * Stops: a number that this program would read as another; a rule that reads what was met, or lifts itself; two policies
 * where one was written.
 * Trusts: the official engine to parse.
 * Fails: what it does not read, or what is not judged exactly, is a problem with its place.
 * @see https://www.npmjs.com/package/@cedar-policy/cedar-wasm
 */
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { isObject } from '#protocol'
import { createDecisionCache } from '../decision-cache.ts'
import { askOfficial, gaveUp } from './official.ts'
import { depthProblem } from './nesting.ts'
import { placeOfByte } from './split-policies.ts'

/** What is wrong with a text, from its first character on. */
export interface TextProblem {
  readonly says: string
  readonly line?: number
  readonly column?: number
}

/** An error of the engine, with its place in the text it was given. */
export function problemOf(error: DetailedError, text: string): TextProblem {
  const [place] = error.sourceLocations ?? []
  const label = place?.label === null || place?.label === undefined ? '' : `: ${place.label}`
  const says = `${error.message}${label}`
  return place === undefined ? { says } : { says, ...placeOfByte(text, place.start) }
}

function isOfContext(node: Readonly<Record<string, unknown>>): boolean {
  return isObject(node['left']) && node['left']['Var'] === 'context'
}

/** WHY: what was met says that a remedy was met for one rule; a rule that reads it would judge by that of others. */
function readsMet(node: Readonly<Record<string, unknown>>): boolean {
  const [read, has] = [node['.'], node['has']]
  if (isObject(read) && isOfContext(read) && read['attr'] === 'met') return true
  if (!isObject(has) || !isOfContext(has)) return false
  return Array.isArray(has['attr']) ? has['attr'][0] === 'met' : has['attr'] === 'met'
}

function nodeProblem(node: Readonly<Record<string, unknown>>): string | undefined {
  if (readsMet(node)) return 'context.met belongs to remedies: name one with @remedy'
  const value = node['Value']
  // INVARIANT: numbers are judged as double precision holds them, exactly up to here.
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return 'a number is beyond ±9007199254740991'
  return undefined
}

function findProblem(node: unknown): string | undefined {
  if (Array.isArray(node)) return node.map(findProblem).find((problem) => problem !== undefined)
  if (!isObject(node)) return undefined
  const problem = nodeProblem(node)
  return problem ?? findProblem(Object.values(node))
}

const mostRemembered = 40_000
const longestRemembered = 4_096
/** WHY: of thousands of rules a change leaves almost all as they were. */
const remembered = createDecisionCache<PolicyJson>(mostRemembered)

/** Reads one policy that stands alone in its text. What it returns is one and the same for one text. */
export function readRule(text: string): PolicyJson | TextProblem {
  const known = remembered.get(text)
  if (known !== undefined) return known
  const read = parseRule(text)
  if (!isProblem(read) && text.length <= longestRemembered) remembered.set(text, read)
  return read
}

function parseRule(text: string): PolicyJson | TextProblem {
  const depth = depthProblem(text)
  if (depth !== undefined) return { says: depth }
  const answer = askOfficial((engine) => engine.policyToJson(text))
  if (answer === undefined) return { says: gaveUp }
  if (answer.type === 'failure') {
    const [error] = answer.errors
    return error === undefined ? { says: 'it cannot be read' } : problemOf(error, text)
  }
  const says = findProblem(answer.json.conditions)
  return says === undefined ? answer.json : { says }
}

export function isProblem(read: PolicyJson | TextProblem): read is TextProblem {
  return 'says' in read
}

/** What is wrong with the condition of a grant; undefined for exactly one expression. */
export function conditionProblem(expression: string): TextProblem | undefined {
  const opening = 'permit (principal, action, resource) when {\n'
  const read = readRule(`${opening}${expression}\n};`)
  if (isProblem(read)) {
    return read.line === undefined ? read : { ...read, line: Math.max(1, read.line - 1) }
  }
  // INVARIANT: a text that closes its own brace and goes on would be more than a condition.
  return read.conditions.length === 1 ? undefined : { says: 'a condition is one expression' }
}

/** The rule, lifted where its remedy was met. */
export function withRemedy(json: PolicyJson, id: string): PolicyJson {
  const met = { '.': { left: { Var: 'context' }, attr: 'met' } } as const
  const lifted = { kind: 'unless', body: { contains: { left: met, right: { Value: id } } } } as const
  return { ...json, conditions: [...json.conditions, lifted] }
}

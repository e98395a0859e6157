/**
 * What do the annotations of a rule say of it: its name, its remedy, what is told of it, whether it decides at all?
 * Stops: a misspelt annotation that says nothing; a remedy that nobody could meet.
 * Trusts: nothing; every value is checked.
 * Fails: the first thing wrong is told, and the rule is not taken.
 * @see docs/policy-language.md
 */
import type { Remedy } from '../circumstances.ts'
import { isOneLine } from '../roles/role.ts'

/** What a rule says of itself. */
export interface Annotated {
  readonly name?: string
  readonly remedy?: Omit<Remedy, 'rule'>
  readonly isShadow: boolean
  readonly says?: string
  readonly isQuiet: boolean
}

type Texts = Readonly<Record<string, string>>

const known = [
  'id',
  'description',
  'shadow',
  'says',
  'quiet',
  'remedy',
  'approvers',
  'count',
  'within',
  'purpose',
  'question',
  'fields',
]
/** Which annotations belong to which remedy; with `!`, it is needed. */
const ofRemedy: Readonly<Record<Remedy['kind'], readonly string[]>> = {
  approval: ['approvers!', 'count', 'within'],
  'step-up': [],
  consent: ['purpose!', 'within'],
  justification: ['question!'],
  redact: ['fields!'],
}
const onlyWithRemedy = new Set(
  Object.values(ofRemedy)
    .flat()
    .map((name) => name.replace('!', '')),
)

const ruleName = /^[A-Za-z][A-Za-z0-9._-]{0,62}$/
const listed = /^[A-Za-z0-9._-]{1,63}( *, *[A-Za-z0-9._-]{1,63}){0,31}$/
const duration = /^([1-9]\d{0,4})(s|m|h|d)$/
const msOf: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const longestMs = 30 * 86_400_000
const mostApprovers = 10
const longestText = 500

function isRemedy(text: string): text is Remedy['kind'] {
  return Object.hasOwn(ofRemedy, text)
}

function wordsOf(text: string): string[] {
  return [...new Set(text.split(',').map((word) => word.trim()))]
}

function durationOf(text: string): number | undefined {
  const [, count = '', unit = ''] = duration.exec(text) ?? []
  const ms = Number(count) * (msOf[unit] ?? 0)
  return ms > 0 && ms <= longestMs ? ms : undefined
}

const checks: Readonly<Record<string, (value: string) => string | undefined>> = {
  id: (value) => (ruleName.test(value) ? undefined : 'a letter, then up to 62 letters, digits, `.`, `_` and `-`'),
  shadow: (value) => (value === '' ? undefined : 'nothing: write @shadow'),
  quiet: (value) => (value === '' ? undefined : 'nothing: write @quiet'),
  remedy: (value) => (isRemedy(value) ? undefined : `one of ${Object.keys(ofRemedy).join(', ')}`),
  approvers: (value) => (listed.test(value) ? undefined : 'names of roles with commas between them'),
  fields: (value) => (listed.test(value) ? undefined : 'names of members with commas between them'),
  count: (value) =>
    /^([1-9]|10)$/.test(value) && Number(value) <= mostApprovers ? undefined : `a number from 1 to ${mostApprovers}`,
  within: (value) => (durationOf(value) === undefined ? 'a time such as 90s, 15m, 8h or 7d, at most 30d' : undefined),
}

function oneLineProblem(value: string): string | undefined {
  return value !== '' && isOneLine(value, longestText) ? undefined : `one line of 1 to ${longestText} characters`
}

function valueProblem(name: string, value: string): string | undefined {
  if (!known.includes(name))
    return `there is no annotation @${name}; there are ${known.map((one) => `@${one}`).join(', ')}`
  const expected = (checks[name] ?? oneLineProblem)(value)
  return expected === undefined ? undefined : `@${name} takes ${expected}`
}

function remedyProblem(texts: Texts, effect: 'permit' | 'forbid'): string | undefined {
  const { remedy } = texts
  const names = Object.keys(texts)
  if (remedy === undefined) {
    const idle = names.find((name) => onlyWithRemedy.has(name))
    return idle === undefined ? undefined : `@${idle} belongs to a remedy, which this rule does not name`
  }
  if (effect === 'permit') return 'only a forbid has a remedy'
  if (texts['id'] === undefined) return 'a rule with a remedy needs an @id'
  const own = isRemedy(remedy) ? ofRemedy[remedy] : []
  const missing = own.find((name) => name.endsWith('!') && texts[name.slice(0, -1)] === undefined)
  if (missing !== undefined) return `@remedy("${remedy}") needs @${missing.slice(0, -1)}`
  const foreign = names.find((name) => onlyWithRemedy.has(name) && !own.some((one) => one.replace('!', '') === name))
  return foreign === undefined ? undefined : `@${foreign} does not belong to @remedy("${remedy}")`
}

function remedyOf(texts: Texts): Omit<Remedy, 'rule'> | undefined {
  const { remedy, approvers, count = '1', within = '', purpose, question, fields } = texts
  if (remedy === undefined || !isRemedy(remedy)) return undefined
  const withinMs = durationOf(within)
  const text = purpose ?? question
  return {
    kind: remedy,
    ...(approvers === undefined ? {} : { approvers: { roles: wordsOf(approvers), count: Number(count) } }),
    ...(withinMs === undefined ? {} : { withinMs }),
    ...(text === undefined ? {} : { text }),
    ...(fields === undefined ? {} : { fields: wordsOf(fields) }),
  }
}

/** Reads the annotations of a rule. A string says what is wrong with them. */
export function readAnnotations(texts: Texts, effect: 'permit' | 'forbid'): Annotated | string {
  for (const [name, value] of Object.entries(texts)) {
    const problem = valueProblem(name, value)
    if (problem !== undefined) return problem
  }
  const problem = remedyProblem(texts, effect)
  if (problem !== undefined) return problem
  const { id, says } = texts
  const remedy = remedyOf(texts)
  return {
    isShadow: texts['shadow'] !== undefined,
    isQuiet: texts['quiet'] !== undefined,
    ...(id === undefined ? {} : { name: id }),
    ...(says === undefined ? {} : { says }),
    ...(remedy === undefined ? {} : { remedy }),
  }
}

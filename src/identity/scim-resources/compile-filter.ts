/**
 * Which rows does a filter mean? An expression for the database, of known columns and bound values alone.
 * Stops: text of a filter from becoming text of a query; a filter on what nobody described; answers that differ between
 * databases, by missing values or wildcards.
 * Trusts: Kysely to bind every value. Fails: an attribute, operator or type that does not fit is refused.
 * @see RFC 7644, section 3.4.2.2
 */
import { type Refusal, isRefusal } from '#kernel'
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Filter } from 'scim2-parse-filter'
import { foldText } from './attributes.ts'
import { badFilter } from './filter.ts'
import { isText, readBoolean } from './read-values.ts'

type Condition = Expression<SqlBool>

/** What an attribute is compared by. Every column is text, a number of milliseconds, or a truth. */
export type Compared =
  | { readonly kind: 'text'; readonly column: RawBuilder<string | null>; readonly isCaseExact?: true }
  | { readonly kind: 'moment'; readonly column: RawBuilder<number> }
  | { readonly kind: 'truth'; readonly column: RawBuilder<SqlBool> }
  /** Values with parts: a row of another table is looked for. */
  | { readonly kind: 'rows'; readonly parts: Attributes; exists(condition: Condition | undefined): Condition }

/** By the folded name, without the address of the schema. */
export type Attributes = Readonly<Record<string, Compared | undefined>>

const always = sql<SqlBool>`1 = 1`
const orders = { gt: sql`>`, ge: sql`>=`, lt: sql`<`, le: sql`<=` } as const

// INVARIANT: no condition is ever neither true nor false, so that `not` means the rest.
function compareText(column: RawBuilder<string | null>, op: string, value: string): Condition | Refusal {
  const text = sql`cast(${value} as text)`
  const there = (condition: RawBuilder<unknown>) => sql<SqlBool>`(${column} is not null and ${condition})`
  if (op === 'eq') return there(sql`${column} = ${text}`)
  if (op === 'ne') return sql<SqlBool>`(${column} is null or ${column} <> ${text})`
  if (op === 'co') return value === '' ? there(always) : there(sql`replace(${column}, ${text}, '') <> ${column}`)
  if (op === 'sw') return there(sql`substr(${column}, 1, length(${text})) = ${text}`)
  if (op === 'ew') {
    return there(
      sql`length(${column}) >= length(${text}) and substr(${column}, length(${column}) - length(${text}) + 1) = ${text}`,
    )
  }
  return there(sql`${column} ${orders[op as keyof typeof orders]} ${text}`)
}

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/i

function compareMoment(column: RawBuilder<number>, op: string, value: unknown): Condition | Refusal {
  const ms = typeof value === 'string' && moment.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(ms)) return badFilter('dateTime')
  if (op === 'eq') return sql<SqlBool>`${column} = ${ms}`
  if (op === 'ne') return sql<SqlBool>`${column} <> ${ms}`
  const order = orders[op as keyof typeof orders]
  return order === undefined ? badFilter(op) : sql<SqlBool>`${column} ${order} ${ms}`
}

function compareTruth(column: RawBuilder<SqlBool>, op: string, value: unknown): Condition | Refusal {
  const truth = readBoolean(value)
  if (truth === undefined || (op !== 'eq' && op !== 'ne')) return badFilter(op)
  return truth === (op === 'eq') ? column : sql<SqlBool>`not ${column}`
}

function compare(attributes: Attributes, compared: Compared, op: string, value: unknown): Condition | Refusal {
  if (compared.kind === 'rows') {
    const whole = compared.parts['value']
    if (whole === undefined) return badFilter(op)
    const condition = compare(attributes, whole, op === 'ne' ? 'eq' : op, value)
    if (isRefusal(condition)) return condition
    const found = compared.exists(condition)
    return op === 'ne' ? sql<SqlBool>`not ${found}` : found
  }
  if (compared.kind === 'truth') return compareTruth(compared.column, op, value)
  if (compared.kind === 'moment') return compareMoment(compared.column, op, value)
  if (!isText(value)) return badFilter('value')
  return compareText(compared.column, op, compared.isCaseExact === true ? value : foldText(value))
}

function present(compared: Compared): Condition {
  if (compared.kind === 'rows') return compared.exists(undefined)
  return compared.kind === 'text' ? sql<SqlBool>`(${compared.column} is not null)` : always
}

interface Found {
  readonly compared: Compared
  /** Of a path into another table. */
  readonly within: Extract<Compared, { kind: 'rows' }> | undefined
}

function find(attributes: Attributes, schema: string, path: string): Found | undefined {
  const folded = path.toLowerCase()
  const prefix = `${schema.toLowerCase()}:`
  const name = folded.startsWith(prefix) ? folded.slice(prefix.length) : folded
  const known = Object.hasOwn(attributes, name) ? attributes[name] : undefined
  if (known !== undefined) return { compared: known, within: undefined }
  const at = name.indexOf('.')
  const outer = at > 0 && Object.hasOwn(attributes, name.slice(0, at)) ? attributes[name.slice(0, at)] : undefined
  if (outer?.kind !== 'rows') return undefined
  const inner = name.slice(at + 1)
  const compared = Object.hasOwn(outer.parts, inner) ? outer.parts[inner] : undefined
  return compared === undefined ? undefined : { compared, within: outer }
}

interface Known {
  readonly schema: string
  readonly attributes: Attributes
}

function all(known: Known, filters: readonly Filter[], word: RawBuilder<unknown>): Condition | Refusal {
  const conditions: Condition[] = []
  for (const one of filters) {
    const condition = compile(known, one)
    if (isRefusal(condition)) return condition
    conditions.push(condition)
  }
  return sql<SqlBool>`(${sql.join(conditions, sql` ${word} `)})`
}

/**
 * The parser reads `emails[type eq "work"].value eq "x"` as `emails[type eq "work"] and emails.value eq "x"`.
 * INVARIANT: both are about one value; an address at home is no address at work.
 */
function withinOne(filters: readonly Filter[]): Filter | undefined {
  const [values, compared, ...more] = filters
  if (values?.op !== '[]' || compared === undefined || more.length > 0 || !('attrPath' in compared)) return undefined
  const prefix = `${values.attrPath}.`
  if (compared.op === '[]' || !compared.attrPath.startsWith(prefix)) return undefined
  const part: Filter = { ...compared, attrPath: compared.attrPath.slice(prefix.length) }
  return { ...values, valFilter: { op: 'and', filters: [values.valFilter, part] } }
}

/** The condition of a filter that was read. */
export function compile(known: Known, filter: Filter): Condition | Refusal {
  if ('filters' in filter) {
    const one = filter.op === 'and' ? withinOne(filter.filters) : undefined
    if (one !== undefined) return compile(known, one)
    return all(known, filter.filters, filter.op === 'and' ? sql`and` : sql`or`)
  }
  if (filter.op === 'not') {
    const condition = compile(known, filter.filter)
    return isRefusal(condition) ? condition : sql<SqlBool>`(not ${condition})`
  }
  const { attrPath } = filter
  const found = find(known.attributes, known.schema, attrPath)
  if (found === undefined) return badFilter(attrPath)
  const { compared, within } = found
  if (filter.op === '[]') {
    if (compared.kind !== 'rows') return badFilter(attrPath)
    const condition = compile({ schema: known.schema, attributes: compared.parts }, filter.valFilter)
    return isRefusal(condition) ? condition : compared.exists(condition)
  }
  if (filter.op === 'pr') return within === undefined ? present(compared) : within.exists(present(compared))
  const { op, compValue } = filter
  const condition = compare(known.attributes, compared, within !== undefined && op === 'ne' ? 'eq' : op, compValue)
  if (isRefusal(condition) || within === undefined) return condition
  return op === 'ne' ? sql<SqlBool>`(not ${within.exists(condition)})` : within.exists(condition)
}

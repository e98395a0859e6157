/**
 * Is this what the attribute is meant for? Values as directories write them, in the one form in which they are kept.
 * Stops: members that no schema names, texts and lists without end, odd types.
 * Trusts: nothing. Fails: with the first value that cannot be read.
 * @see RFC 7643, section 2.3
 */
import { type Refusal, isRefusal, refuse } from '#kernel'
import { scimLimits } from '../scim/limits.ts'
import { scimRefusals } from '../scim/refusals.ts'
import { type Attribute, attributeNamed } from './attributes.ts'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
export type Members = Readonly<Record<string, unknown>>

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The refusal that names an attribute whose value is wrong. */
export function wrongValue(problem: string): Refusal {
  return refuse(scimRefusals.valueInvalid, { names: { problem } })
}

/** SPEC: directories write booleans as texts, in any case. */
export function readBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' ? value.toLowerCase() : undefined
  return word === 'true' ? true : word === 'false' ? false : undefined
}

/** Whether a value is a text that both databases can keep. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= scimLimits.textChars && !value.includes('\u0000')
}

function readOne(attribute: Attribute, value: unknown): unknown {
  if (attribute.type === 'complex') return readComplex(attribute, value)
  if (attribute.type === 'boolean') return readBoolean(value) ?? wrongValue(attribute.name)
  return isText(value) ? value : wrongValue(attribute.name)
}

function readComplex(attribute: Attribute, value: unknown): Members | Refusal {
  const { parts = [], name } = attribute
  // WHY: some write the value alone where the value has parts.
  const hasValue = attributeNamed(parts, 'value') !== undefined
  const members = typeof value === 'string' && hasValue ? { value } : value
  if (!isMembers(members)) return wrongValue(name)
  const kept: Record<string, unknown> = {}
  for (const [key, each] of Object.entries(members)) {
    const part = attributeNamed(parts, key)
    if (part === undefined || each === null || each === '') continue
    const read = readOne(part, each)
    if (isRefusal(read)) return wrongValue(`${name}.${part.name}`)
    kept[part.name] = read
  }
  return kept
}

/** At most one value is the primary one: the last that says so. */
function withOnePrimary(values: readonly unknown[]): unknown[] {
  const last = values.findLastIndex((one) => isMembers(one) && one['primary'] === true)
  return values.map((one, at) => {
    const isSecond = at !== last && isMembers(one) && one['primary'] === true
    return isSecond ? { ...one, primary: false } : one
  })
}

/**
 * A value in the form in which it is kept.
 * @returns undefined for what means no value: null, an empty text, an empty list
 */
export function readValue(attribute: Attribute, value: unknown): unknown {
  if (value === null || value === undefined || value === '') return undefined
  if (attribute.isMultiValued !== true) return readOne(attribute, value)
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  const isMembersList = attribute.name === 'members'
  if (list.length > (isMembersList ? scimLimits.membersPerRequest : scimLimits.values)) {
    return refuse(scimRefusals.bodyTooLarge, { names: { what: attribute.name } })
  }
  const values: unknown[] = []
  for (const one of list) {
    const read = readOne(attribute, one)
    if (isRefusal(read)) return read
    if (isMembers(read) && Object.keys(read).length > 0) values.push(read)
  }
  return values.length === 0 ? undefined : withOnePrimary(values)
}

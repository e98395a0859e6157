/**
 * When are two values the same?
 * Stops: two different values under one text; a set whose order or doubles count; a long text as a key.
 * Trusts: nothing.
 * Fails: a record that holds something unknown or wrong is itself unknown or wrong where it is compared as a whole.
 */
import { createHash } from 'node:crypto'
import { isValue, textSet, unknown, type CedarSet, type Result, type Value } from './values.ts'

function counted(text: string): string {
  return `${text.length}:${text}`
}

function canonicalObject(value: Exclude<Result, string | boolean | number | bigint>): string {
  switch (value.kind) {
    case 'entity':
      return `e${counted(value.type)}${counted(value.id)}`
    case 'set':
      return `[${Array.from(value.values(), canonical).toSorted().map(counted).join('')}]`
    case 'record': {
      const names = [...value.names()].toSorted()
      return `{${names.map((name) => `${counted(name)}${counted(canonical(value.get(name) ?? unknown))}`).join('')}}`
    }
    case 'ip':
      return `p${value.version}.${value.bits}.${value.prefix};`
    case 'decimal':
      return `c${value.units};`
    case 'datetime':
      return `d${value.ms};`
    case 'duration':
      return `u${value.ms};`
    case 'unknown':
      return `?${value.may};`
    case 'wrong':
      return `!${value.because}${counted(value.says)}`
  }
}

/** One text for equal values, and for those only; it can be told where it ends. */
export function canonical(value: Result): string {
  if (typeof value === 'string') return counted(value)
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (typeof value === 'object') return canonicalObject(value)
  return `i${value};`
}

const longestPlain = 256
const mostWritten = 1_000
const named = new WeakMap<CedarSet, string>()
let names = 0

/** WHY: a set of many is not written out for each decision; one that is not the same object counts as another one. */
function nameOf(set: CedarSet): string {
  const known = named.get(set)
  if (known !== undefined) return known
  names += 1
  const name = `@${names};`
  named.set(set, name)
  return name
}

/** Differs for different values; short: a long one counts as its SHA-256, a set of many as itself. */
export function keyPart(value: Result | undefined): string {
  if (value === undefined) return '-'
  if (typeof value === 'object' && value.kind === 'set' && value.size > mostWritten) return nameOf(value)
  const text = canonical(value)
  return text.length <= longestPlain ? text : `#${createHash('sha256').update(text, 'utf8').digest('base64')}`
}

/** The value itself where all of it can be reckoned with; otherwise what it has that is wrong, or unknown. */
export function settle(value: Value): Result {
  if (typeof value !== 'object' || value.kind !== 'record') return value
  let found: Result = value
  for (const name of value.names()) {
    const member = value.get(name) ?? unknown
    const settled = isValue(member) ? settle(member) : member
    if (isValue(settled)) continue
    if (settled.kind === 'wrong') return settled
    found = unknown
  }
  return found
}

/** Whether two values are the same; values of different types are not. Records are to be settled before. */
export function isSame(one: Value, other: Value): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one.kind !== other.kind) return false
  if (one.kind === 'entity' && other.kind === 'entity') return one.id === other.id && one.type === other.type
  if (one.kind === 'set' && other.kind === 'set') {
    return one.size === other.size && Array.from(one.values()).every((value) => other.has(value))
  }
  return canonicalObject(one) === canonicalObject(other)
}

/** A set of any values, none of which holds anything unknown. */
export function setOf(values: readonly Value[]): CedarSet {
  if (values.every((value) => typeof value === 'string')) return textSet(new Set(values))
  const byText = new Map(values.map((value) => [canonical(value), value]))
  return {
    kind: 'set',
    size: byText.size,
    has: (value) => byText.has(canonical(value)),
    values: () => byText.values(),
  }
}

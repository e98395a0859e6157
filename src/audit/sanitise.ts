/**
 * What may be recorded of a value: the same value without secrets and personal data, as plain JSON of bounded size.
 * Stops: credentials and personal data in the record, in values and in member names, at every depth.
 * Trusts: nothing about the value: getters throw, proxies lie, structures repeat and never end.
 * Fails: never: what cannot be read becomes a mark.
 */
import { Secret } from '#kernel'

import { longestTextChars, maskText } from './mask-text.ts'
import { isCardNumber } from './numbers.ts'
import { isSecretMember } from './secret-keys.ts'

/** Nesting that is kept. */
export const deepest = 16
/** Members that are kept of one object, array, map or set. */
export const mostMembers = 256
/** Values that are kept in all. */
export const mostValues = 4000
/** Text that is kept in all. */
export const mostChars = 65_536
const longestKeyChars = 256

const secretMask = '[secret]'
const unreadable = '[unreadable]'

interface Walk {
  valuesLeft: number
  charsLeft: number
  readonly path: object[]
}

/** @returns plain JSON: objects, arrays, strings, finite numbers, booleans and null; a copy, never the value itself */
export function sanitise(value: unknown): unknown {
  return visit(value, { valuesLeft: mostValues, charsLeft: mostChars, path: [] }) ?? null
}

function cutMark(count: number): string {
  return `[cut: ${count} members]`
}

function takeText(text: string, walk: Walk): string {
  const allowed = Math.min(longestTextChars, walk.charsLeft)
  walk.charsLeft -= Math.min(text.length, allowed)
  return maskText(text, allowed)
}

/** @returns undefined for what JSON leaves out */
function visit(value: unknown, walk: Walk): unknown {
  walk.valuesLeft -= 1
  switch (typeof value) {
    case 'string':
      return takeText(value, walk)
    case 'number':
      return visitNumber(value)
    case 'boolean':
    case 'undefined':
      return value
    case 'bigint':
      return isCardNumber(String(value)) ? '[card]' : takeText(String(value), walk)
    case 'object':
      return value === null ? null : visitObject(value, walk)
    default:
      return `[${typeof value}]`
  }
}

function visitNumber(value: number): unknown {
  if (!Number.isFinite(value)) return String(value)
  return value > 1e12 && Number.isInteger(value) && isCardNumber(String(value)) ? '[card]' : value
}

function visitObject(value: object, walk: Walk): unknown {
  if (walk.path.includes(value)) return '[cycle]'
  walk.path.push(value)
  try {
    return expand(value, walk)
  } catch {
    return unreadable
  } finally {
    walk.path.pop()
  }
}

function expand(value: object, walk: Walk): unknown {
  if (Array.isArray(value)) return visitList(value, value.length, walk)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return visitMembers(value, walk)
  if (value instanceof Secret) return secretMask
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString()
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[bytes: ${value.byteLength}]`
  if (value instanceof Map) return visitMap(value, walk)
  if (value instanceof Set) return visitList(value, value.size, walk)
  if (value instanceof Error) return visitError(value, walk)
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return visit((value as { toJSON(): unknown }).toJSON(), walk)
  if (value instanceof String || value instanceof Number || value instanceof Boolean)
    return visit(value.valueOf(), walk)
  return visitMembers(value, walk)
}

function visitList(list: Iterable<unknown>, count: number, walk: Walk): unknown {
  if (walk.path.length > deepest && count > 0) return cutMark(count)
  const copy: unknown[] = []
  for (const member of list) {
    if (copy.length >= mostMembers || walk.valuesLeft <= 0) {
      copy.push(cutMark(count - copy.length))
      break
    }
    copy.push(visit(member, walk) ?? null)
  }
  return copy
}

function isNamed(map: ReadonlyMap<unknown, unknown>): map is ReadonlyMap<string, unknown> {
  for (const key of map.keys()) if (typeof key !== 'string') return false
  return true
}

function visitMap(map: ReadonlyMap<unknown, unknown>, walk: Walk): unknown {
  return isNamed(map) ? copyMembers(map.keys(), (key) => map.get(key), map.size, walk) : visitList(map, map.size, walk)
}

function visitError(error: Error, walk: Walk): unknown {
  const { name, message, cause } = error
  const code = 'code' in error ? error.code : undefined
  return visitMembers(
    { name, message, ...(code === undefined ? {} : { code }), ...(cause === undefined ? {} : { cause }) },
    walk,
  )
}

function visitMembers(value: object, walk: Walk): unknown {
  const keys = Object.keys(value)
  return copyMembers(keys, (key) => (value as Record<string, unknown>)[key], keys.length, walk)
}

type Read = (key: string) => unknown

function copyMembers(keys: Iterable<string>, read: Read, count: number, walk: Walk): unknown {
  if (walk.path.length > deepest && count > 0) return cutMark(count)
  const copy: Record<string, unknown> = {}
  let copied = 0
  for (const key of keys) {
    if (copied >= mostMembers || walk.valuesLeft <= 0) {
      put(copy, '[cut]', cutMark(count - copied))
      break
    }
    copied += 1
    const kept = visitMember(key, read, walk)
    if (kept !== undefined) put(copy, maskName(key), kept)
  }
  return copy
}

const mostOpenNames = 2000
const openNames = new Set<string>()

function maskName(name: string): string {
  if (openNames.has(name)) return name
  const masked = maskText(name, longestKeyChars)
  if (masked === name && openNames.size < mostOpenNames) openNames.add(name)
  return masked
}

function visitMember(key: string, read: Read, walk: Walk): unknown {
  let value: unknown
  try {
    value = read(key)
  } catch {
    return unreadable
  }
  walk.charsLeft -= Math.min(walk.charsLeft, key.length)
  return isSecretMember(key, value) ? secretMask : visit(value, walk)
}

/** Two names that are masked alike both stay, and `__proto__` is a name like any other. */
function put(copy: Record<string, unknown>, name: string, value: unknown): void {
  let free = name
  for (let twin = 2; Object.hasOwn(copy, free); twin++) free = `${name} (${twin})`
  if (free === '__proto__')
    Object.defineProperty(copy, free, { value, enumerable: true, configurable: true, writable: true })
  else copy[free] = value
}

/**
 * What may be recorded of a value: its canonical JSON without secrets and personal data, of bounded size.
 * Stops: credentials and personal data in the record, in values and in member names, at every depth.
 * Trusts: nothing about the value: getters throw, proxies lie, structures repeat and never end.
 * Fails: never: what cannot be read becomes a mark.
 */
import { Secret } from '#kernel'

import { longestTextChars, maskText, writeMasked } from './mask-text.ts'
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

const secretMask = '"[secret]"'
const unreadable = '"[unreadable]"'

const marks =
  /\[(?:secret|unreadable|cycle|private-key|jwt|email|card|iban|ssn|phone|invalid date|function|symbol|cut|cut: \d+ (?:members|characters)|bytes: \d+)\]|\uFFFD|^(?:NaN|-?Infinity)$/

/** Whether a text as it was recorded may be another than the one that was given: masked, cut, or replaced in part. */
export function mayDiffer(recorded: string): boolean {
  return marks.test(recorded)
}

interface Walk {
  valuesLeft: number
  charsLeft: number
  readonly path: object[]
}

/**
 * @returns the JSON of a copy made of objects, arrays, strings, finite numbers, booleans and null, in the one byte form
 * of RFC 8785: made in one walk, because this is done for every call
 */
export function writeSanitised(value: unknown): string {
  return visit(value, { valuesLeft: mostValues, charsLeft: mostChars, path: [] }) ?? 'null'
}

/** @returns the same as a value: plain JSON, never the value itself */
export function sanitise(value: unknown): unknown {
  return JSON.parse(writeSanitised(value))
}

function cutMark(count: number): string {
  return `"[cut: ${count} members]"`
}

function takeText(text: string, walk: Walk): string {
  const allowed = Math.min(longestTextChars, walk.charsLeft)
  walk.charsLeft -= Math.min(text.length, allowed)
  return writeMasked(text, allowed)
}

/** @returns undefined for what JSON leaves out */
function visit(value: unknown, walk: Walk): string | undefined {
  walk.valuesLeft -= 1
  switch (typeof value) {
    case 'string':
      return takeText(value, walk)
    case 'number':
      return visitNumber(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'undefined':
      return undefined
    case 'bigint':
      return isCardNumber(String(value)) ? '"[card]"' : takeText(String(value), walk)
    case 'object':
      return value === null ? 'null' : visitObject(value, walk)
    default:
      return `"[${typeof value}]"`
  }
}

function visitNumber(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  // SPEC: RFC 8785, section 3.2.2.3: numbers as ECMAScript writes them, which knows no negative zero.
  return value > 1e12 && Number.isInteger(value) && isCardNumber(String(value)) ? '"[card]"' : String(value)
}

function visitObject(value: object, walk: Walk): string | undefined {
  if (walk.path.includes(value)) return '"[cycle]"'
  walk.path.push(value)
  try {
    return expand(value, walk)
  } catch {
    return unreadable
  } finally {
    walk.path.pop()
  }
}

function expand(value: object, walk: Walk): string | undefined {
  if (Array.isArray(value)) return visitList(value, value.length, walk)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return visitMembers(value, walk)
  if (value instanceof Secret) return secretMask
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '"[invalid date]"' : `"${value.toISOString()}"`
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `"[bytes: ${value.byteLength}]"`
  if (value instanceof Map) return visitMap(value, walk)
  if (value instanceof Set) return visitList(value, value.size, walk)
  if (value instanceof Error) return visitError(value, walk)
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return visit((value as { toJSON(): unknown }).toJSON(), walk)
  if (value instanceof String || value instanceof Number || value instanceof Boolean)
    return visit(value.valueOf(), walk)
  return visitMembers(value, walk)
}

function visitList(list: Iterable<unknown>, count: number, walk: Walk): string {
  if (walk.path.length > deepest && count > 0) return cutMark(count)
  let copied = 0
  let text = ''
  for (const member of list) {
    if (copied > 0) text += ','
    if (copied >= mostMembers || walk.valuesLeft <= 0) {
      text += cutMark(count - copied)
      break
    }
    text += visit(member, walk) ?? 'null'
    copied += 1
  }
  return `[${text}]`
}

function isNamed(map: ReadonlyMap<unknown, unknown>): map is ReadonlyMap<string, unknown> {
  for (const key of map.keys()) if (typeof key !== 'string') return false
  return true
}

function visitMap(map: ReadonlyMap<unknown, unknown>, walk: Walk): string {
  return isNamed(map) ? copyMembers(map, [...map.keys()], walk) : visitList(map, map.size, walk)
}

function visitError(error: Error, walk: Walk): string {
  const { name, message, cause } = error
  const code = 'code' in error ? error.code : undefined
  return visitMembers(
    { name, message, ...(code === undefined ? {} : { code }), ...(cause === undefined ? {} : { cause }) },
    walk,
  )
}

function visitMembers(value: object, walk: Walk): string {
  return copyMembers(value as Record<string, unknown>, Object.keys(value), walk)
}

/** What has members that are named. */
type Holder = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>

/** Two lists side by side: names as they are sorted, and what is written for each. */
function copyMembers(holder: Holder, keys: readonly string[], walk: Walk): string {
  const count = keys.length
  if (walk.path.length > deepest && count > 0) return cutMark(count)
  const names: string[] = []
  const texts: string[] = []
  let copied = 0
  let isChanged = false
  for (const key of keys) {
    if (copied >= mostMembers || walk.valuesLeft <= 0) {
      const name = freeName('[cut]', names)
      names.push(name)
      texts.push(`"${name}":${cutMark(count - copied)}`)
      break
    }
    copied += 1
    const kept = visitMember(holder, key, walk)
    if (kept === undefined) continue
    const open = openNames.get(key) ?? learnName(key)
    // INVARIANT: the names given are all different, so two can only be alike once one of them was changed.
    isChanged ||= open === undefined
    const name = isChanged ? freeName(maskText(key, longestKeyChars), names) : key
    names.push(name)
    texts.push((isChanged ? `${JSON.stringify(name)}:` : open) + kept)
  }
  return writeMembers(names, texts)
}

/** Two names that are masked alike both stay. */
function freeName(name: string, taken: readonly string[]): string {
  let free = name
  for (let twin = 2; taken.includes(free); twin++) free = `${name} (${twin})`
  return free
}

/** SPEC: RFC 8785, section 3.2.3: members in the order of their names' UTF-16 code units. */
function writeMembers(names: string[], texts: string[]): string {
  if (names.length <= fewMembers) sortFew(names, texts)
  const order = names.length <= fewMembers ? undefined : sortedPlaces(names)
  let text = ''
  for (let at = 0; at < names.length; at++) {
    if (at > 0) text += ','
    text += texts[order?.[at] ?? at] ?? ''
  }
  return `{${text}}`
}

/** Below this, sorting by insertion in place is the fastest. */
const fewMembers = 16

function sortFew(names: string[], texts: string[]): void {
  for (let at = 1; at < names.length; at++) {
    const name = names[at] ?? ''
    if ((names[at - 1] ?? '') < name) continue
    const text = texts[at] ?? ''
    let to = at
    for (; to > 0 && (names[to - 1] ?? '') > name; to--) {
      names[to] = names[to - 1] ?? ''
      texts[to] = texts[to - 1] ?? ''
    }
    names[to] = name
    texts[to] = text
  }
}

function sortedPlaces(names: readonly string[]): number[] {
  const places = names.map((_, place) => place)
  return places.sort((left, right) => ((names[left] ?? '') < (names[right] ?? '') ? -1 : 1))
}

const mostOpenNames = 2000
/** Names in which nothing is masked, as JSON writes them before a value. */
const openNames = new Map<string, string>()

/** @returns undefined for a name in which something is masked */
function learnName(name: string): string | undefined {
  if (maskText(name, longestKeyChars) !== name) return undefined
  const open = `${JSON.stringify(name)}:`
  if (openNames.size < mostOpenNames) openNames.set(name, open)
  return open
}

function visitMember(holder: Holder, key: string, walk: Walk): string | undefined {
  let value: unknown
  try {
    value = holder instanceof Map ? holder.get(key) : (holder as Record<string, unknown>)[key]
  } catch {
    return unreadable
  }
  walk.charsLeft -= Math.min(walk.charsLeft, key.length)
  return isSecretMember(key, value) ? secretMask : visit(value, walk)
}

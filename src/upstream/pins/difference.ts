/**
 * In what does the definition that is offered differ from the approved one?
 *
 * Stops: a change that hides in a long text or a large schema.
 * Trusts: nothing; both sides are text of somebody else.
 * Fails: beyond the bounds the difference says that it is not complete; the hashes always are.
 * @see RFC 6901, JSON pointer; docs/decisions/0027
 */
import canonicalize from 'canonicalize'
import { isObject } from '#protocol'
import { pointerStep } from './examine.ts'
import { compareWords, type WordRun } from './word-difference.ts'

export const maxChanges = 500

/** One value that was added, removed or replaced. */
export interface Change {
  /** Where, as a JSON pointer into the definition. */
  readonly pointer: string
  readonly kind: 'added' | 'removed' | 'changed'
  readonly from?: unknown
  readonly to?: unknown
  /** Of two texts: runs of words, in order. */
  readonly words?: readonly WordRun[]
}

export interface Difference {
  readonly changes: readonly Change[]
  readonly isComplete: boolean
}

function isEqual(one: unknown, other: unknown): boolean {
  return one === other || canonicalize(one) === canonicalize(other)
}

function isProse(text: string): boolean {
  return /\s/.test(text)
}

function compareValues(from: unknown, to: unknown, pointer: string, changes: Change[]): void {
  if (changes.length > maxChanges) return
  if (isObject(from) && isObject(to)) return compareMembers(from, to, pointer, changes)
  if (Array.isArray(from) && Array.isArray(to)) return compareItems(from, to, pointer, changes)
  if (isEqual(from, to)) return
  const isText = typeof from === 'string' && typeof to === 'string' && (isProse(from) || isProse(to))
  changes.push({ pointer, kind: 'changed', from, to, ...(isText ? { words: compareWords(from, to) } : {}) })
}

function compareMembers(
  from: Record<string, unknown>,
  to: Record<string, unknown>,
  pointer: string,
  changes: Change[],
): void {
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (changes.length > maxChanges) return
    const place = pointer + pointerStep(key)
    if (!Object.hasOwn(to, key)) changes.push({ pointer: place, kind: 'removed', from: from[key] })
    else if (!Object.hasOwn(from, key)) changes.push({ pointer: place, kind: 'added', to: to[key] })
    else compareValues(from[key], to[key], place, changes)
  }
}

/** Lists that begin and end alike differ in the middle; there, item by item. */
function compareItems(from: readonly unknown[], to: readonly unknown[], pointer: string, changes: Change[]): void {
  const shorter = Math.min(from.length, to.length)
  let start = 0
  while (start < shorter && isEqual(from[start], to[start])) start += 1
  let end = 0
  while (end < shorter - start && isEqual(from[from.length - 1 - end], to[to.length - 1 - end])) end += 1
  const [fromEnd, toEnd] = [from.length - end, to.length - end]
  for (let at = start; at < Math.max(fromEnd, toEnd); at += 1) {
    if (changes.length > maxChanges) return
    const place = pointer + pointerStep(at)
    if (at >= toEnd) changes.push({ pointer: place, kind: 'removed', from: from[at] })
    else if (at >= fromEnd) changes.push({ pointer: place, kind: 'added', to: to[at] })
    else compareValues(from[at], to[at], place, changes)
  }
}

/**
 * Field by field, in the order of the approved definition, what is new at the end of each object.
 * @returns no changes for definitions with one hash
 */
export function differenceOf(from: Record<string, unknown>, to: Record<string, unknown>): Difference {
  const changes: Change[] = []
  compareValues(from, to, '', changes)
  return { changes: changes.slice(0, maxChanges), isComplete: changes.length <= maxChanges }
}

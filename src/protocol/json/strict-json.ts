import { isExactNumber } from './exact-number.ts'

/** Deepest nesting of arrays and objects that is read. */
export const maxJsonDepth = 64

/** A stretch of a text: its first character and one past its last, in UTF-16 units. */
export type Span = readonly [start: number, end: number]

/** What one pass over a JSON text finds. It means nothing for a text that `JSON.parse` then refuses. */
export interface Scan {
  readonly isTooDeep: boolean
  /** Members of all objects together, a key that appears twice counted twice. */
  readonly memberCount: number
  /** Where the value of the outermost `id` lies; undefined when there is none, or its key is written with escapes. */
  readonly idSpan: Span | undefined
  /** A number that a double cannot hold as it was written; looked for only when asked. */
  readonly inexact: string | undefined
}

/** UTF-16 units with a meaning in JSON. */
export const jsonCode = {
  quote: 0x22,
  minus: 0x2d,
  backslash: 0x5c,
  comma: 0x2c,
  colon: 0x3a,
  open: 0x7b,
  close: 0x7d,
  openList: 0x5b,
  closeList: 0x5d,
}

/** The first position from here on that is not white space. */
export function skipSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return at
    at += 1
  }
}

/** One past the quote that closes the string; the text's end when none does. @param from the opening quote */
export function endOfString(text: string, from: number): number {
  let at = from + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return text.length
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === jsonCode.backslash) slashes += 1
    if (slashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

/** One past a number or a literal. */
export function endOfScalar(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === jsonCode.comma || unit === jsonCode.close || unit === jsonCode.closeList || unit <= 0x20) return at
    at += 1
  }
  return at
}

/** Where the value of `"id"` lies, when the string at `quote` is that key. */
function idSpanAt(text: string, quote: number): Span | undefined {
  if (!text.startsWith('"id"', quote)) return undefined
  const colon = skipSpace(text, quote + 4)
  if (text.charCodeAt(colon) !== jsonCode.colon) return undefined
  const start = skipSpace(text, colon + 1)
  return [start, text.charCodeAt(start) === jsonCode.quote ? endOfString(text, start) : endOfScalar(text, start)]
}

/**
 * Looks at every token of a JSON text once, without building anything. Linear in the text, also in one that is no JSON.
 * @param isExact whether numbers are looked at
 */
export function scanJson(text: string, isExact: boolean): Scan {
  let [depth, memberCount, at] = [0, 0, 0]
  let idSpan: Span | undefined
  let inexact: string | undefined
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === jsonCode.quote) {
      const end = endOfString(text, at)
      if (depth === 1 && end - at === 4) idSpan ??= idSpanAt(text, at)
      at = end
      continue
    }
    if (unit === jsonCode.minus || (unit >= 0x30 && unit <= 0x39)) {
      const end = endOfScalar(text, at)
      if (isExact && !isExactNumber(text, at, end)) inexact ??= text.slice(at, end)
      at = end
      continue
    }
    if (unit === jsonCode.colon) memberCount += 1
    else if (unit === jsonCode.open || unit === jsonCode.openList) {
      depth += 1
      if (depth > maxJsonDepth) return { isTooDeep: true, memberCount, idSpan, inexact }
    } else if (unit === jsonCode.close || unit === jsonCode.closeList) depth -= 1
    at += 1
  }
  return { isTooDeep: false, memberCount, idSpan, inexact }
}

/** How many members all objects of a parsed value have together. @param value at most `maxJsonDepth` deep */
export function countMembers(value: object): number {
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (typeof item === 'object' && item !== null) count += countMembers(item)
    return count
  }
  for (const key in value) {
    count += 1
    const member: unknown = (value as Record<string, unknown>)[key]
    if (typeof member === 'object' && member !== null) count += countMembers(member)
  }
  return count
}

/** Whether any key or text of a parsed value, at any depth, satisfies `test`. */
export function hasText(value: unknown, test: (text: string, isKey: boolean) => boolean): boolean {
  if (typeof value === 'string') return test(value, false)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((item) => hasText(item, test))
  return Object.entries(value).some(([key, member]) => test(key, true) || hasText(member, test))
}

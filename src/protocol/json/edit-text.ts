import { endOfScalar, endOfString, jsonCode, skipSpace, type Span } from './strict-json.ts'

/** A stretch of a text and what takes its place. */
export interface Edit {
  readonly span: Span
  readonly text: string
}

function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === jsonCode.quote) return endOfString(text, from)
  if (first !== jsonCode.open && first !== jsonCode.openList) return endOfScalar(text, from)
  let depth = 0
  let at = from
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit === jsonCode.quote) {
      at = endOfString(text, at)
      continue
    }
    at += 1
    if (unit === jsonCode.open || unit === jsonCode.openList) depth += 1
    else if (unit === jsonCode.close || unit === jsonCode.closeList) depth -= 1
    if (depth === 0) return at
  }
}

function memberOf(text: string, [start]: Span, name: string): Span | undefined {
  if (text.charCodeAt(start) !== jsonCode.open) return undefined
  let at = skipSpace(text, start + 1)
  while (text.charCodeAt(at) === jsonCode.quote) {
    const endOfKey = endOfString(text, at)
    const from = skipSpace(text, skipSpace(text, endOfKey) + 1)
    const to = endOfValue(text, from)
    if (JSON.parse(text.slice(at, endOfKey)) === name) return [from, to]
    at = skipSpace(text, to)
    if (text.charCodeAt(at) !== jsonCode.comma) return undefined
    at = skipSpace(text, at + 1)
  }
  return undefined
}

/**
 * Where the value lies that a path of member names leads to; undefined when it is not there.
 * @param text JSON that was parsed before and has no key twice in one object
 */
export function spanOf(text: string, path: readonly string[]): Span | undefined {
  let span: Span | undefined = [skipSpace(text, 0), text.length]
  for (const name of path) {
    span = memberOf(text, span, name)
    if (span === undefined) return undefined
  }
  return span
}

/** Where the elements of an array lie. @param span of the array */
export function elementSpans(text: string, [start]: Span): Span[] {
  const spans: Span[] = []
  let at = skipSpace(text, start + 1)
  while (text.charCodeAt(at) !== jsonCode.closeList) {
    const to = endOfValue(text, at)
    spans.push([at, to])
    at = skipSpace(text, to)
    if (text.charCodeAt(at) === jsonCode.comma) at = skipSpace(text, at + 1)
  }
  return spans
}

/** A member of an object: its name, and where its key and its value lie. */
export interface MemberSpan {
  readonly name: string
  readonly key: Span
  readonly value: Span
}

/** Where the members of an object lie, in their order. @param span of the object */
export function memberSpans(text: string, [start]: Span): MemberSpan[] {
  const members: MemberSpan[] = []
  let at = skipSpace(text, start + 1)
  while (text.charCodeAt(at) === jsonCode.quote) {
    const endOfKey = endOfString(text, at)
    const from = skipSpace(text, skipSpace(text, endOfKey) + 1)
    const to = endOfValue(text, from)
    members.push({ name: JSON.parse(text.slice(at, endOfKey)) as string, key: [at, endOfKey], value: [from, to] })
    at = skipSpace(text, to)
    if (text.charCodeAt(at) !== jsonCode.comma) break
    at = skipSpace(text, at + 1)
  }
  return members
}

/** The text with the edits made, and every other character as it was. @param edits do not overlap */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let edited = ''
  let at = 0
  for (const { span, text: instead } of edits.toSorted((one, other) => one.span[0] - other.span[0])) {
    edited += text.slice(at, span[0]) + instead
    at = span[1]
  }
  return edited + text.slice(at)
}

/** The edit that gives a member of the object at `path` this value, whether it has the member or not. */
export function memberEdit(text: string, path: readonly string[], name: string, value: string): Edit | undefined {
  const object = spanOf(text, path)
  if (object === undefined || text.charCodeAt(object[0]) !== jsonCode.open) return undefined
  const span = memberOf(text, object, name)
  if (span !== undefined) return { span, text: value }
  const inside = object[0] + 1
  const isEmpty = text.charCodeAt(skipSpace(text, inside)) === jsonCode.close
  return { span: [inside, inside], text: `${JSON.stringify(name)}:${value}${isEmpty ? '' : ','}` }
}

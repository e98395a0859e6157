import { endOfScalar, endOfString, jsonCode, skipSpace } from './strict-json.ts'

/** A value read by this reader, and where it ends. */
interface Read {
  readonly value: unknown
  readonly end: number
}

/** What was found besides the value. */
interface Found {
  hasDuplicateKey: boolean
}

/** Whether any key is written with an escape. @param text well-formed JSON */
export function hasEscapedKey(text: string): boolean {
  let at = 0
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return false
    at = endOfString(text, quote)
    const isKey = text.charCodeAt(skipSpace(text, at)) === jsonCode.colon
    if (isKey && text.slice(quote, at).includes('\\')) return true
  }
}

function readObject(text: string, from: number, found: Found): Read {
  const value: Record<string, unknown> = {}
  let at = skipSpace(text, from + 1)
  while (text.charCodeAt(at) !== jsonCode.close) {
    const end = endOfString(text, at)
    const key = JSON.parse(text.slice(at, end)) as string
    const member = readValue(text, skipSpace(text, skipSpace(text, end) + 1), found)
    if (Object.hasOwn(value, key)) found.hasDuplicateKey = true
    Object.defineProperty(value, key, { value: member.value, configurable: true, enumerable: true, writable: true })
    at = skipSpace(text, member.end)
    if (text.charCodeAt(at) === jsonCode.comma) at = skipSpace(text, at + 1)
  }
  return { value, end: at + 1 }
}

function readList(text: string, from: number, found: Found): Read {
  const value: unknown[] = []
  let at = skipSpace(text, from + 1)
  while (text.charCodeAt(at) !== jsonCode.closeList) {
    const item = readValue(text, at, found)
    value.push(item.value)
    at = skipSpace(text, item.end)
    if (text.charCodeAt(at) === jsonCode.comma) at = skipSpace(text, at + 1)
  }
  return { value, end: at + 1 }
}

function readValue(text: string, from: number, found: Found): Read {
  const unit = text.charCodeAt(from)
  if (unit === jsonCode.open) return readObject(text, from, found)
  if (unit === jsonCode.openList) return readList(text, from, found)
  const end = unit === jsonCode.quote ? endOfString(text, from) : endOfScalar(text, from)
  return { value: JSON.parse(text.slice(from, end)), end }
}

/** What a JSON text holds. */
export interface JsonValue {
  readonly value: unknown
  /** Looked for only where a key is written with escapes. */
  readonly hasDuplicateKey: boolean
}

/**
 * Reads a text whose keys are written with escapes, key by key.
 * @param text well-formed JSON, at most `maxJsonDepth` levels deep
 */
export function readEscapedKeys(text: string): JsonValue {
  const found: Found = { hasDuplicateKey: false }
  const { value } = readValue(text, skipSpace(text, 0), found)
  return { value, hasDuplicateKey: found.hasDuplicateKey }
}

/**
 * Reads a JSON text as every reader does. `JSON.parse` of V8 13 alone does not: it takes the spelling of a key for a key
 * that it read before in the same place, so that after `{"a":1,"\\u00":1}` it reads `"\u006eame"` as `\u00` where every
 * other reader finds `name`. Keys without escapes, and strings on their own, it reads right.
 * @param text at most `maxJsonDepth` levels deep
 * @throws SyntaxError when it is no JSON
 */
export function readJson(text: string): JsonValue {
  const value: unknown = JSON.parse(text)
  // WHY: most texts have no escapes in their keys, and are read once.
  return text.includes('\\') && hasEscapedKey(text) ? readEscapedKeys(text) : { value, hasDuplicateKey: false }
}

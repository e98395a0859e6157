import { type JsonValue, readJson } from './escaped-keys.ts'
import { countMembers, hasText, scanJson } from './strict-json.ts'

/**
 * A JSON text that is one object in which every reader finds the same: no key twice, none named `__proto__`, no half of a
 * surrogate pair, no number beyond double precision, at most `maxJsonDepth` levels. Undefined for any other text.
 */
export function readStrictObject(text: string): Record<string, unknown> | undefined {
  const scan = scanJson(text, true)
  if (scan.isTooDeep || scan.inexact !== undefined) return undefined
  let read: JsonValue
  try {
    read = readJson(text)
  } catch {
    return undefined
  }
  const { value, hasDuplicateKey } = read
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  if (hasDuplicateKey || countMembers(value) !== scan.memberCount) return undefined
  const isOdd = hasText(value, (each, isKey) => !each.isWellFormed() || (isKey && each === '__proto__'))
  return isOdd ? undefined : (value as Record<string, unknown>)
}

/**
 * Which spelling of a name is the name? One: NFKC, trimmed, lower case, then only ASCII letters, digits, `.`, `_`, `-`.
 * Stops look-alike spellings from being another account or another throttle.
 * Trusts nothing typed. Fails by knowing no such name.
 * @see Unicode TR 15 (NFKC)
 */
import { castellan } from './parts.ts'

const longestTypedChars = 256
const name = /^[a-z0-9][a-z0-9._-]{0,63}$/
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/u

/**
 * The one spelling of what was typed, or undefined when it cannot be a name. `İ` and `ı` lower to no ASCII letter and
 * are refused; `Ｋ`, `K` and `ſ` are the letters they look like.
 */
export function canonicalName(typed: string): string | undefined {
  if (typed.length > longestTypedChars) return undefined
  const canonical = typed.normalize('NFKC').trim().toLowerCase()
  return name.test(canonical) ? canonical : undefined
}

/** Whether a person may be given this canonical name: Castellan's own is not given away. */
export function isFreeForPeople(canonical: string): boolean {
  return canonical !== castellan.name
}

/** A line for people to read (NFC, trimmed): 1 to 100 visible characters, or undefined. */
export function readLine(typed: string): string | undefined {
  if (typed.length > longestTypedChars) return undefined
  const line = typed.normalize('NFC').trim()
  const length = [...line].length
  return length >= 1 && length <= 100 && !invisible.test(line) ? line : undefined
}

/** What a client says about itself, made safe to show: at most 200 characters. */
export function readAgent(typed: string | undefined): string {
  return (typed ?? '')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .slice(0, 200)
    .toWellFormed()
}

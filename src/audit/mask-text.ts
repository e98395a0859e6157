/**
 * A text without the secrets and personal data in it, and not longer than it may be.
 * Stops: a secret in free text, also when the cut would fall into its middle.
 * Trusts: the shapes.
 * Fails: never; time is linear in the length allowed, not in the length given.
 */
import { kinds, kindsOf } from './characters.ts'
import { shapes, type Span } from './shapes.ts'

/** Longer texts are cut here. */
export const longestTextChars = 4096
/** Looked at beyond the cut, so that a secret across the cut is recognised: more than the longest bounded shape. */
const lookAheadChars = 2048
const shortestSecretChars = 6

const none: readonly Span[] = []

function findSpans(text: string, found: number): readonly Span[] {
  if (text.length < shortestSecretChars) return none
  let spans: Span[] | undefined
  for (const { needs, hint, find } of shapes) {
    if ((found & needs) !== needs || !hint(text)) continue
    const more = find(text)
    if (more.length > 0) spans = spans === undefined ? [...more] : [...spans, ...more]
  }
  // WHY: the sort is stable, so of two that start at one place the shape listed first names the mask.
  return spans?.sort((left, right) => left.start - right.start) ?? none
}

function mask(text: string, seen: string, spans: readonly Span[], end: number): string {
  let masked = ''
  let at = 0
  for (const span of spans) {
    if (span.start >= end) break
    // INVARIANT: overlapping spans are all masked: a later one only extends what is left out.
    if (span.start >= at) masked += seen.slice(at, span.start) + span.mask
    // WHY: of an address whose name began in another secret (`//user:password@host`) the host stays readable.
    const isNameOnly = span.start < at && span.mask === '[email]'
    at = Math.max(at, isNameOnly ? seen.lastIndexOf('@', span.end) : span.end)
  }
  if (at < end) masked += seen.slice(at, end)
  const cut = text.length - Math.max(at, end)
  return (cut > 0 ? `${masked}[cut: ${cut} characters]` : masked).toWellFormed()
}

/** @param maxChars what is kept of the text; the rest is replaced by `[cut: N characters]` */
export function maskText(text: string, maxChars: number = longestTextChars): string {
  const isCut = text.length > maxChars
  const seen = isCut ? text.slice(0, maxChars + lookAheadChars) : text
  const spans = findSpans(seen, kindsOf(seen))
  if (spans.length > 0 || isCut) return mask(text, seen, spans, isCut ? maxChars : text.length)
  return text.isWellFormed() ? text : text.toWellFormed()
}

/** WHY: a longer part of a text may be a view of all of it, which would be kept for as long as the part. */
const longestOpenChars = 12
const mostOpenTexts = 4000
/** Short texts in which nothing is masked, as JSON writes them: methods, versions and rules come again and again. */
const openTexts = new Map<string, string>()

function learnOpen(text: string): string {
  const written = `"${text}"`
  if (text.length > longestOpenChars) return written
  if (openTexts.size >= mostOpenTexts) openTexts.clear()
  openTexts.set(text, written)
  return written
}

/** @returns the masked text as JSON writes it */
export function writeMasked(text: string, maxChars: number): string {
  if (text.length > maxChars) return JSON.stringify(maskText(text, maxChars))
  const open = text.length <= longestOpenChars ? openTexts.get(text) : undefined
  if (open !== undefined) return open
  const found = kindsOf(text)
  const spans = findSpans(text, found)
  if (spans.length > 0) return JSON.stringify(mask(text, text, spans, text.length))
  // WHY: most texts hold nothing that JSON escapes; quotes around them are their JSON.
  if ((found & kinds.escaped) === 0 && text.isWellFormed()) return learnOpen(text)
  return JSON.stringify(text.toWellFormed())
}

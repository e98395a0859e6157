/**
 * A text without the secrets and personal data in it, and not longer than it may be.
 * Stops: a secret in free text, also when the cut would fall into its middle.
 * Trusts: the shapes.
 * Fails: never; time is linear in the length allowed, not in the length given.
 */
import { isSuspect, shapes, type Span } from './shapes.ts'

/** Longer texts are cut here. */
export const longestTextChars = 4096
/** Looked at beyond the cut, so that a secret across the cut is recognised: more than the longest bounded shape. */
const lookAheadChars = 2048
const shortestSecretChars = 6

const none: readonly Span[] = []

function findSpans(text: string): readonly Span[] {
  if (text.length < shortestSecretChars || !isSuspect(text)) return none
  const spans: Span[] = []
  for (const shape of shapes) if (shape.hint(text)) spans.push(...shape.find(text))
  // WHY: the sort is stable, so of two that start at one place the shape listed first names the mask.
  return spans.sort((left, right) => left.start - right.start)
}

/** @param maxChars what is kept of the text; the rest is replaced by `[cut: N characters]` */
export function maskText(text: string, maxChars: number = longestTextChars): string {
  const isCut = text.length > maxChars
  const seen = isCut ? text.slice(0, maxChars + lookAheadChars) : text
  const spans = findSpans(seen)
  if (spans.length === 0 && !isCut) return text.isWellFormed() ? text : text.toWellFormed()
  const end = isCut ? maxChars : text.length
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

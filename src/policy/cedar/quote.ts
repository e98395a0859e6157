/**
 * How is a name written inside Cedar text?
 * Stops: a name that ends its string and goes on as policy; names that look alike to a reviewer of the text.
 * Trusts: Cedar's `\u{…}` escape.
 * Fails: a name with a lone surrogate has no Cedar form and is a Fault.
 * @see https://docs.cedarpolicy.com/policies/syntax-grammar.html
 */
import { Fault } from '#kernel'

/** A Cedar string literal of printable ASCII, whose value is exactly `text`. */
export function quote(text: string): string {
  if (!text.isWellFormed()) throw new Fault('policy.unquotable', 'a name is not well-formed Unicode')
  // INVARIANT: only letters, digits, space and harmless punctuation stand for themselves.
  const escaped = text.replace(
    /[^A-Za-z0-9 _.,:;/@#+=()[\]<>~!?&%$^|-]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
  return `"${escaped}"`
}

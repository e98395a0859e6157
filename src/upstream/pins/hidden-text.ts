/**
 * What does a text say that its reader does not see?
 *
 * Stops: instructions in tag characters, variation selectors, zero-width and direction characters.
 * Trusts: nothing; emoji and scripts that need joiners keep them.
 * Fails: letters that are seen but small, far down or in a strange language are not hidden in this sense.
 * @see docs/decisions/0027
 */

/** Characters that are not seen or that turn the direction of others, and those a JSON text can hold half. */
const unseen =
  /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Zl}\p{Zp}\u2800\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Surrogate}/gu

/** SPEC: Unicode, prepended concatenation marks: format characters that are seen. */
const seenAll = /^[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]$/u
const joiner = /^[\u200c\u200d]$/
const afterJoinable =
  /(?:[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]|[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}])$/u
const presentation = /^[\ufe0e\ufe0f]$/
const afterEmoji = /[\p{Emoji}\p{So}\p{Sm}]$/u

/** Where a text has characters that are not seen. */
export interface HiddenText {
  readonly count: number
  /** What its tag characters and variation selectors spell; empty when they spell nothing. */
  readonly spells: string
}

function isNeeded(character: string, before: string): boolean {
  if (seenAll.test(character)) return true
  if (joiner.test(character)) return afterJoinable.test(before)
  return presentation.test(character) && afterEmoji.test(before)
}

/** The byte that a variation selector is used to carry. */
function selectorByte(code: number): number | undefined {
  if (code >= 0xfe00 && code <= 0xfe0f) return code - 0xfe00
  return code >= 0xe0100 && code <= 0xe01ef ? code - 0xe0100 + 16 : undefined
}

function spell(codes: readonly number[]): string {
  const tags = codes.filter((code) => code >= 0xe0020 && code <= 0xe007e)
  const bytes = codes.flatMap((code) => selectorByte(code) ?? [])
  const fromTags = tags.map((code) => String.fromCharCode(code - 0xe0000)).join('')
  const fromBytes = bytes.length < 2 ? '' : Buffer.from(bytes).toString('utf8')
  return `${fromTags}${/^[\s\p{L}\p{N}\p{P}\p{S}]+$/u.test(fromBytes) ? fromBytes : ''}`
}

/** @returns undefined for a text without hidden characters. The time taken grows with the length of the text. */
export function findHiddenText(text: string): HiddenText | undefined {
  // WHY: nearly all texts are plain, and telling so costs little.
  if (/^[\n\r\t -~]*$/.test(text)) return undefined
  const codes: number[] = []
  for (const { 0: character, index } of text.matchAll(unseen)) {
    const before = text.slice(Math.max(0, index - 2), index)
    if (!isNeeded(character, before)) codes.push(character.codePointAt(0) ?? 0)
  }
  return codes.length === 0 ? undefined : { count: codes.length, spells: spell(codes) }
}

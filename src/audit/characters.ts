/**
 * Which kinds of characters stand in a text: one pass that spares most searches for secrets.
 * Stops: nothing by itself.
 * Trusts: nothing.
 * Fails: towards the search: a text too long to look at counts as having every kind.
 */

/** Kinds of characters that shapes of secrets need; a text's kinds are the sum of these. */
export const kinds = {
  digit: 1,
  at: 1 << 1,
  /** `=` or `:` */
  sign: 1 << 2,
  plus: 1 << 3,
  underscore: 1 << 4,
  hyphen: 1 << 5,
  slash: 1 << 6,
  dot: 1 << 7,
  A: 1 << 8,
  B: 1 << 9,
  G: 1 << 10,
  I: 1 << 11,
  J: 1 << 12,
  S: 1 << 13,
  k: 1 << 14,
  x: 1 << 15,
  /** What JSON does not write as it is. */
  escaped: 1 << 16,
  /** Six digits or more with at most three bytes between one and the next. */
  longNumber: 1 << 17,
} as const

const every = 2 ** 18 - 1
/** Texts beyond this are not looked at. */
const longestChars = 8192
const fewestLongDigits = 6
const widestGapBytes = 3

/** Up to here filling in the text character by character is faster than a call that writes it. */
const shortChars = 40
const beyondAscii = 128

const bytes = Buffer.allocUnsafeSlow(longestChars * 3)

const kindOf = new Uint32Array(256)
function assign(characters: string, kind: number): void {
  for (const character of characters) kindOf[character.charCodeAt(0)] = kind
}
assign('0123456789', kinds.digit)
assign('=:', kinds.sign)
assign('@', kinds.at)
assign('+', kinds.plus)
assign('_', kinds.underscore)
assign('-', kinds.hyphen)
assign('/', kinds.slash)
assign('.', kinds.dot)
for (const letter of ['A', 'B', 'G', 'I', 'J', 'S', 'k', 'x'] as const) assign(letter, kinds[letter])
assign('"\\', kinds.escaped)
for (let control = 0; control < 32; control++) kindOf[control] = kinds.escaped

function fill(text: string): number {
  if (text.length > shortChars) return bytes.write(text, 0, 'utf8')
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    bytes[at] = code < beyondAscii ? code : beyondAscii
  }
  return text.length
}

/** @returns the sum of the kinds that the text has */
export function kindsOf(text: string): number {
  if (text.length > longestChars) return every
  const length = fill(text)
  let found = 0
  let digits = 0
  let last = -1
  for (let at = 0; at < length; at++) {
    const kind = kindOf[bytes[at] ?? 0] ?? 0
    found |= kind
    if (kind !== kinds.digit) continue
    digits = at - last - 1 > widestGapBytes ? 1 : digits + 1
    if (digits >= fewestLongDigits) found |= kinds.longNumber
    last = at
  }
  return found
}

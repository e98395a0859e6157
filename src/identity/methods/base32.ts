/**
 * How are random bytes read aloud and typed? As base32 in small letters, in groups of four.
 * Stops nothing by itself. Trusts nothing. Fails by returning nothing for other characters.
 * @see RFC 4648, section 6
 */

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** Base32 without padding, lower case. */
export function toBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet.charAt((held >> bits) & 31)
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + alphabet.charAt((held << (5 - bits)) & 31)
}

/** `abcd-efgh-…`, or with another separator. */
export function inGroups(text: string, separator: string): string {
  return (text.match(/.{1,4}/g) ?? []).join(separator)
}

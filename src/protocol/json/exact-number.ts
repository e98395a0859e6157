/** A decimal number without its sign: its significant digits, and the power of ten of the last one. */
interface Decimal {
  readonly digits: string
  readonly power: number
}

const parts = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

function decimalOf(token: string): Decimal | undefined {
  const [, whole, fraction = '', exponent = '0'] = parts.exec(token) ?? []
  if (whole === undefined) return undefined
  const all = whole + fraction
  let [start, end] = [0, all.length]
  while (all.charCodeAt(start) === 0x30) start += 1
  while (end > start && all.charCodeAt(end - 1) === 0x30) end -= 1
  if (start === end) return { digits: '', power: 0 }
  return { digits: all.slice(start, end), power: Number(exponent) - fraction.length + (all.length - end) }
}

/** Digits, sign and point of any number with so few characters fit a double, if it has no exponent. */
const safeLength = 15

/**
 * Whether every reader finds the same number: an integer within ±(2^53 − 1) (RFC 8259, section 6), or a fraction whose
 * double, written as briefly as doubles are, is the very number that was sent. `0.1`, `19.99` and `-0.0` are;
 * `9007199254740993`, `1e400` and `0.1000000000000000055` are not.
 * @param text from `start` to `end` a JSON number
 */
export function isExactNumber(text: string, start: number, end: number): boolean {
  let [isWhole, hasExponent] = [true, false]
  for (let at = start; at < end; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === 0x2e) isWhole = false
    else if (unit === 0x65 || unit === 0x45) hasExponent = true
  }
  if (!hasExponent && end - start <= safeLength) return true
  const token = text.slice(start, end)
  const value = Number(token)
  if (isWhole && !hasExponent) return Number.isSafeInteger(value)
  const [sent, kept] = [decimalOf(token), decimalOf(String(value))]
  return sent !== undefined && sent.digits === kept?.digits && sent.power === kept.power
}

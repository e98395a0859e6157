import fc from 'fast-check'

const space = fc.constantFrom('', '', '', ' ', '\n', '\t', ' \r\n ')
const character = fc.oneof(
  fc.constantFrom('a', 'b', '1', ' ', ':', ',', '{', '}', '[', ']', 'é', '\u2028', '😀', '/'),
  fc.constantFrom('\\"', '\\\\', '\\/', '\\n', '\\u0061', '\\u005f', '\\ud83d\\ude00', '\\u0000', '\\u201C'),
)
const halves = fc.constantFrom('\\ud800', '\\uDFFF', '\\ude00\\ud83d')

/** JSON strings in any spelling, quotes included; few with half a surrogate pair. */
export const stringText: fc.Arbitrary<string> = fc
  .array(fc.oneof({ arbitrary: character, weight: 30 }, { arbitrary: halves, weight: 1 }), { maxLength: 6 })
  .map((characters) => `"${characters.join('')}"`)

const digits = fc.stringMatching(/^\d{1,22}$/)
const whole = digits.map((text) => text.replace(/^0+(?=\d)/, ''))

/** JSON numbers in any spelling, also those that no double holds. */
export const numberText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '-'),
    whole,
    fc.option(digits),
    fc.option(fc.tuple(fc.constantFrom('e', 'E+', 'e-'), digits)),
  )
  .map(([sign, integer, fraction, exponent]) => {
    const power = exponent === null ? '' : `${exponent[0]}${exponent[1].slice(0, 3)}`
    return `${sign}${integer}${fraction === null ? '' : `.${fraction}`}${power}`
  })

const keyText = fc.oneof(
  fc.constantFrom('"id"', '"a"', '"\\u0061"', '"A"', '"__proto__"', '"constructor"', '"i\\u0064"'),
  stringText,
)

interface Texts {
  value: string
}

function surrounded(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(space, text, space).map((parts) => parts.join(''))
}

/** Texts of JSON values in any layout, with members that appear twice and numbers that no double holds. */
export const valueText: fc.Arbitrary<string> = fc.letrec<Texts>((tie) => ({
  value: surrounded(
    fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(fc.constantFrom('true', 'false', 'null', '0', '1', '[]', '{}'), stringText, numberText),
      fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
      fc
        .array(fc.tuple(surrounded(keyText), tie('value')), { maxLength: 5 })
        .map((members) => `{${members.map((member) => member.join(':')).join(',')}}`),
    ),
  ),
})).value

/** What a slow and simple reader, written without the other ones, says of a JSON text. */
export interface Findings {
  readonly hasDuplicateKey: boolean
  readonly hasInexactNumber: boolean
  readonly hasHalfPair: boolean
  readonly hasProtoKey: boolean
  readonly depth: number
  /** The value: texts as they are, `{ number }` and `{ literal }` as written, `{ members }` of an object as a list. */
  readonly value: unknown
}

const token = /\s*(?:([[\]{},:])|("(?:[^"\\]|\\.)*")|(-?\d[^\s,\]}]*)|(true|false|null))/y

/** The number as an exact fraction of integers. */
function fractionOf(text: string): [bigint, bigint] {
  const [, sign = '', integer = '', fraction = '', power = '0'] =
    /^(-?)(\d+)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const over = BigInt(Number(power) - fraction.length)
  const magnitude = BigInt(`${sign}${integer}${fraction}`)
  return over >= 0n ? [magnitude * 10n ** over, 1n] : [magnitude, 10n ** -over]
}

function isKept(text: string): boolean {
  const kept = Number(text)
  if (/^-?\d+$/.test(text)) return BigInt(text) === BigInt.asIntN(64, BigInt(text)) && Number.isSafeInteger(kept)
  if (!Number.isFinite(kept)) return false
  const [[above, below], [keptAbove, keptBelow]] = [fractionOf(text), fractionOf(String(kept))]
  return above * keptBelow === keptAbove * below
}

function unescape(text: string): string {
  const named: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }
  return text
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, code?: string, letter = '') =>
      code === undefined ? (named[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
    )
}

/** Reads one JSON text, token by token. @throws when it is no JSON */
export function readSlowly(text: string): Findings {
  let [hasDuplicateKey, hasInexactNumber, hasHalfPair, hasProtoKey, deepest, at] = [false, false, false, false, 0, 0]
  const next = (): RegExpExecArray => {
    token.lastIndex = at
    const found = token.exec(text)
    if (found === null) throw new SyntaxError(`no token at ${at}`)
    at = token.lastIndex
    return found
  }
  const textOf = (quoted: string): string => {
    const read = unescape(quoted)
    if (!read.isWellFormed()) hasHalfPair = true
    return read
  }
  const value = (found: RegExpExecArray, depth: number): unknown => {
    const [, mark, quoted, number, literal] = found
    if (quoted !== undefined) return textOf(quoted)
    if (literal !== undefined) return { literal }
    if (number !== undefined) {
      if (!isKept(number)) hasInexactNumber = true
      return { number }
    }
    deepest = Math.max(deepest, depth + 1)
    const items: unknown[] = []
    const keys = new Set<string>()
    for (let each = next(); ; each = next()) {
      if (each[1] === ']' || each[1] === '}') return mark === '[' ? items : { members: items }
      if (each[1] === ',') continue
      if (mark === '[') items.push(value(each, depth + 1))
      else {
        const key = textOf(each[2] ?? '')
        if (keys.has(key)) hasDuplicateKey = true
        if (key === '__proto__') hasProtoKey = true
        keys.add(key)
        if (next()[1] !== ':') throw new SyntaxError('no colon')
        items.push([key, value(next(), depth + 1)])
      }
    }
  }
  const read = value(next(), 0)
  return { hasDuplicateKey, hasInexactNumber, hasHalfPair, hasProtoKey, depth: deepest, value: read }
}

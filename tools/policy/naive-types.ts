/**
 * Cedar's extension types for the naive evaluator of the proof `policy`, written from the specification of the language
 * and not from the evaluator that it judges: https://docs.cedarpolicy.com/policies/syntax-operators.html
 */

/** What goes wrong while a rule is reckoned. */
export class Wrong extends Error {}

export interface Shapes {
  readonly bool: boolean
  readonly long: bigint
  readonly decimal: bigint
  readonly datetime: bigint
  readonly duration: bigint
  readonly string: string
  readonly entity: string
  readonly set: readonly Naive[]
  readonly record: ReadonlyMap<string, Naive>
  readonly ip: { readonly bytes: readonly number[]; readonly prefix: number }
}

export type Naive = { [T in keyof Shapes]: { readonly t: T; readonly v: Shapes[T] } }[keyof Shapes]

/** What is in a value of this type. @throws Wrong for one of another type */
export function take<T extends keyof Shapes>(type: T, value: Naive | undefined): Shapes[T] {
  if (value?.t !== type) throw new Wrong(`expected ${type}`)
  return value.v as Shapes[T]
}

/** The value, where it fits 64 bits. */
export function in64(v: bigint): bigint {
  if (BigInt.asIntN(64, v) !== v) throw new Wrong('overflow')
  return v
}

const digits = (text: string): boolean => text !== '' && [...text].every((one) => one >= '0' && one <= '9')

function canonicalNumber(text: string, most: number): number {
  if (!digits(text) || text.length > 3 || (text.length > 1 && text.startsWith('0')) || Number(text) > most)
    throw new Wrong('ip')
  return Number(text)
}

function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').map((group) => {
    if (
      group.length < 1 ||
      group.length > 4 ||
      ![...group.toLowerCase()].every((one) => '0123456789abcdef'.includes(one))
    )
      throw new Wrong('ip')
    return Number.parseInt(group, 16)
  })
}

function sixBytes(text: string): number[] {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) throw new Wrong('ip')
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')]
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) throw new Wrong('ip')
  return [...before, ...Array<number>(missing).fill(0), ...after].flatMap((group) => [group >> 8, group & 255])
}

export function readIp(text: string): Naive {
  if (text.length > 43) throw new Wrong('ip')
  const [address = '', prefix, ...more] = text.split('/')
  if (more.length > 0) throw new Wrong('ip')
  const isSix = address.includes(':')
  const parts = address.split('.')
  if (!isSix && parts.length !== 4) throw new Wrong('ip')
  const bytes = isSix ? sixBytes(address) : parts.map((part) => canonicalNumber(part, 255))
  return {
    t: 'ip',
    v: { bytes, prefix: prefix === undefined ? bytes.length * 8 : canonicalNumber(prefix, bytes.length * 8) },
  }
}

export function readDecimal(text: string): Naive {
  const isNegative = text.startsWith('-')
  const [whole = '', fraction = '', ...more] = (isNegative ? text.slice(1) : text).split('.')
  if (more.length > 0 || !digits(whole) || !digits(fraction) || fraction.length > 4) throw new Wrong('decimal')
  const v = BigInt(whole) * 10_000n + BigInt(fraction) * 10n ** BigInt(4 - fraction.length)
  return { t: 'decimal', v: in64(isNegative ? -v : v) }
}

const daysIn = (year: number, month: number): number => {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
}

/** Days from the epoch, counted year by year and month by month. */
function dayNumber(year: number, month: number, day: number): number {
  let days = day - 1
  for (let one = 1; one < month; one += 1) days += daysIn(year, one)
  for (let one = 1970; one < year; one += 1) days += 337 + daysIn(one, 2)
  for (let one = year; one < 1970; one += 1) days -= 337 + daysIn(one, 2)
  return days
}

function field(text: string, from: number, length: number, most: number): number {
  const part = text.slice(from, from + length)
  if (part.length !== length || !digits(part) || Number(part) > most) throw new Wrong('datetime')
  return Number(part)
}

function zoneMinutes(text: string): number {
  if (text === 'Z') return 0
  const sign = text.startsWith('+') ? 1 : text.startsWith('-') ? -1 : 0
  if (sign === 0 || text.length !== 5) throw new Wrong('datetime')
  return sign * (field(text, 1, 2, 23) * 60 + field(text, 3, 2, 59))
}

export function readDatetime(text: string): Naive {
  const [year, month, day] = [field(text, 0, 4, 9999), field(text, 5, 2, 12), field(text, 8, 2, 31)]
  if (text[4] !== '-' || text[7] !== '-' || month < 1 || day < 1 || day > daysIn(year, month))
    throw new Wrong('datetime')
  const midnight = dayNumber(year, month, day) * 86_400_000
  if (text.length === 10) return { t: 'datetime', v: BigInt(midnight) }
  if (text[10] !== 'T' || text[13] !== ':' || text[16] !== ':') throw new Wrong('datetime')
  const seconds = (field(text, 11, 2, 23) * 60 + field(text, 14, 2, 59)) * 60 + field(text, 17, 2, 59)
  const hasMs = text[19] === '.'
  const ms = hasMs ? field(text, 20, 3, 999) : 0
  return {
    t: 'datetime',
    v: BigInt(midnight + seconds * 1_000 + ms - zoneMinutes(text.slice(hasMs ? 23 : 19)) * 60_000),
  }
}

const units: readonly (readonly [string, bigint])[] = [
  ['d', 86_400_000n],
  ['h', 3_600_000n],
  ['m', 60_000n],
  ['s', 1_000n],
  ['ms', 1n],
]

export function readDuration(text: string): Naive {
  const isNegative = text.startsWith('-')
  let rest = isNegative ? text.slice(1) : text
  let [sum, next] = [0n, 0]
  if (rest === '') throw new Wrong('duration')
  while (rest !== '') {
    const amount = rest.match(/^[0-9]+/u)?.[0] ?? ''
    const name = rest.slice(amount.length).match(/^[a-z]+/u)?.[0] ?? ''
    const place = units.findIndex(([unit]) => unit === name)
    const unit = units[place]
    if (amount === '' || unit === undefined || place < next) throw new Wrong('duration')
    sum += BigInt(amount) * unit[1]
    next = place + 1
    rest = rest.slice(amount.length + name.length)
  }
  return { t: 'duration', v: in64(isNegative ? -sum : sum) }
}

function bit(bytes: readonly number[], index: number): number {
  return ((bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1
}

export function liesIn(narrow: Shapes['ip'], wide: Shapes['ip']): boolean {
  if (narrow.bytes.length !== wide.bytes.length || narrow.prefix < wide.prefix) return false
  for (let index = 0; index < wide.prefix; index += 1)
    if (bit(narrow.bytes, index) !== bit(wide.bytes, index)) return false
  return true
}

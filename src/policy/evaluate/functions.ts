/**
 * What comes of a function of Cedar's extension types?
 * Stops: an address, decimal or time that is reckoned otherwise than Cedar does.
 * Trusts: nothing.
 * Fails: as the operators do.
 * @see https://docs.cedarpolicy.com/policies/syntax-operators.html
 */
import { parseDecimal } from './decimal.ts'
import { isInRange, isLoopback, isMulticast, parseIp } from './ip.ts'
import { spoiled, type Binary, type Unary } from './operators.ts'
import { isBeyond64Bits, parseDatetime, parseDuration, toDate, toTime, wholeUnits } from './time.ts'
import {
  long,
  wrong,
  type CedarDatetime,
  type CedarDecimal,
  type CedarDuration,
  type CedarIp,
  type Result,
} from './values.ts'

interface Kinds {
  readonly ip: CedarIp
  readonly decimal: CedarDecimal
  readonly datetime: CedarDatetime
  readonly duration: CedarDuration
}

function isOf<Kind extends keyof Kinds>(kind: Kind, result: Result): result is Kinds[Kind] {
  return typeof result === 'object' && result.kind === kind
}

function fromText(parse: (text: string) => Result): Unary {
  return (arg) => (typeof arg === 'string' ? parse(arg) : spoiled('a string', arg))
}

function of<Kind extends keyof Kinds>(kind: Kind, apply: (value: Kinds[Kind]) => Result): Unary {
  return (arg) => (isOf(kind, arg) ? apply(arg) : spoiled(kind, arg))
}

function ofTwo<First extends keyof Kinds, Second extends keyof Kinds>(
  kinds: readonly [First, Second],
  apply: (left: Kinds[First], right: Kinds[Second]) => Result,
): Binary {
  return (left, right) =>
    isOf(kinds[0], left) && isOf(kinds[1], right) ? apply(left, right) : spoiled(kinds.join(' and '), left, right)
}

function decimals(holds: (left: bigint, right: bigint) => boolean): Binary {
  return ofTwo(['decimal', 'decimal'], (left, right) => holds(left.units, right.units))
}

const beyond = wrong('overflow', 'a time is beyond 64 bits')

/** Functions and methods of one argument. */
export const unaryFunctions: ReadonlyMap<string, Unary> = new Map([
  ['ip', fromText(parseIp)],
  ['decimal', fromText(parseDecimal)],
  ['datetime', fromText(parseDatetime)],
  ['duration', fromText(parseDuration)],
  ['isIpv4', of('ip', ({ version }) => version === 4)],
  ['isIpv6', of('ip', ({ version }) => version === 6)],
  ['isLoopback', of('ip', isLoopback)],
  ['isMulticast', of('ip', isMulticast)],
  ['toDate', of('datetime', toDate)],
  ['toTime', of('datetime', toTime)],
  ['toMilliseconds', of('duration', (span) => long(wholeUnits(span, 'ms')))],
  ['toSeconds', of('duration', (span) => long(wholeUnits(span, 's')))],
  ['toMinutes', of('duration', (span) => long(wholeUnits(span, 'm')))],
  ['toHours', of('duration', (span) => long(wholeUnits(span, 'h')))],
  ['toDays', of('duration', (span) => long(wholeUnits(span, 'd')))],
])

/** Methods of one argument besides what they are called on. */
export const binaryFunctions: ReadonlyMap<string, Binary> = new Map([
  ['isInRange', ofTwo(['ip', 'ip'], isInRange)],
  ['lessThan', decimals((left, right) => left < right)],
  ['lessThanOrEqual', decimals((left, right) => left <= right)],
  ['greaterThan', decimals((left, right) => left > right)],
  ['greaterThanOrEqual', decimals((left, right) => left >= right)],
  [
    'offset',
    ofTwo(['datetime', 'duration'], (from, by) => {
      const ms = from.ms + by.ms
      return isBeyond64Bits(ms) ? beyond : { kind: 'datetime', ms }
    }),
  ],
  [
    'durationSince',
    ofTwo(['datetime', 'datetime'], (to, from) => {
      const ms = to.ms - from.ms
      return isBeyond64Bits(ms) ? beyond : { kind: 'duration', ms }
    }),
  ],
])

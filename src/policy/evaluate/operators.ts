/**
 * What comes of an operator, given its operands?
 * Stops: numbers that wrap around or lose digits; values of two types compared as if they were of one.
 * Trusts: nothing.
 * Fails: an operand of the wrong type, or a number beyond 64 bits, is wrong; an unknown operand leaves it unknown.
 * @see https://docs.cedarpolicy.com/policies/syntax-operators.html
 */
import { isSame, setOf, settle } from './canonical.ts'
import { isValue, long, unknown, wrong, type CedarSet, type Result, type Value, type Wrong } from './values.ts'

export type Unary = (arg: Result) => Result
export type Binary = (left: Result, right: Result) => Result

/** What comes of operands of which none, or not all, are as expected: what is wrong goes before what is unknown. */
export function spoiled(expected: string, ...operands: readonly Result[]): Result {
  const isOf = (kind: 'wrong' | 'unknown') => (one: Result) => typeof one === 'object' && one.kind === kind
  return (
    operands.find(isOf('wrong')) ?? (operands.some(isOf('unknown')) ? unknown : wrong('type', `expected ${expected}`))
  )
}

function isLong(value: Result): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

const exactly: Record<'+' | '-' | '*', (left: bigint, right: bigint) => bigint> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
}
const nearly: Record<'+' | '-' | '*', (left: number, right: number) => number> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
}

function arithmetic(sign: '+' | '-' | '*'): Binary {
  const near = nearly[sign]
  const exact = exactly[sign]
  return (left, right) => {
    if (typeof left === 'number' && typeof right === 'number') {
      const result = near(left, right)
      // WHY: a sum or product of safe numbers that is safe is exact; 0 has no sign.
      if (Number.isSafeInteger(result)) return result === 0 ? 0 : result
    }
    if (!isLong(left) || !isLong(right)) return spoiled('numbers', left, right)
    return long(exact(BigInt(left), BigInt(right)))
  }
}

function rankOf(value: Result): { kind: string; rank: number | bigint } | undefined {
  if (isLong(value)) return { kind: 'long', rank: value }
  if (typeof value !== 'object' || (value.kind !== 'datetime' && value.kind !== 'duration')) return undefined
  return { kind: value.kind, rank: value.ms }
}

function comparison(holds: (left: number | bigint, right: number | bigint) => boolean): Binary {
  return (left, right) => {
    if (typeof left === 'number' && typeof right === 'number') return holds(left, right)
    const [one, other] = [rankOf(left), rankOf(right)]
    if (one === undefined || one.kind !== other?.kind)
      return spoiled('two numbers, datetimes or durations', left, right)
    return holds(one.rank, other.rank)
  }
}

function equality(isWanted: boolean): Binary {
  return (left, right) => {
    if (typeof left === 'string' && typeof right === 'string') return (left === right) === isWanted
    const [one, other] = [settled(left), settled(right)]
    return isValue(one) && isValue(other) ? isSame(one, other) === isWanted : spoiled('values', one, other)
  }
}

function settled(result: Result): Result {
  return isValue(result) ? settle(result) : result
}

export function isSet(result: Result): result is CedarSet {
  return typeof result === 'object' && result.kind === 'set'
}

function contains(left: Result, right: Result): Result {
  const value = settled(right)
  return isSet(left) && isValue(value) ? left.has(value) : spoiled('a set', left, value)
}

function ofSets(holds: (left: CedarSet, right: CedarSet) => boolean): Binary {
  return (left, right) => (isSet(left) && isSet(right) ? holds(left, right) : spoiled('sets', left, right))
}

function negated(arg: Result): Result {
  if (typeof arg === 'number') return arg === 0 ? 0 : -arg
  return typeof arg === 'bigint' ? long(-arg) : spoiled('a number', arg)
}

/** Operators of two operands that need nothing besides. */
export const binaries: ReadonlyMap<string, Binary> = new Map([
  ['==', equality(true)],
  ['!=', equality(false)],
  ['<', comparison((left, right) => left < right)],
  ['<=', comparison((left, right) => left <= right)],
  ['>', comparison((left, right) => left > right)],
  ['>=', comparison((left, right) => left >= right)],
  ['+', arithmetic('+')],
  ['-', arithmetic('-')],
  ['*', arithmetic('*')],
  ['contains', contains],
  [
    'containsAll',
    ofSets((left, right) => right.size <= left.size && Array.from(right.values()).every((one) => left.has(one))),
  ],
  [
    'containsAny',
    ofSets((left, right) => {
      const [few, many] = left.size <= right.size ? [left, right] : [right, left]
      return Array.from(few.values()).some((one) => many.has(one))
    }),
  ],
])

/** Operators of one operand that need nothing besides. */
export const unaries: ReadonlyMap<string, Unary> = new Map<string, Unary>([
  ['neg', negated],
  ['isEmpty', (arg) => (isSet(arg) ? arg.size === 0 : spoiled('a set', arg))],
])

function firstWrong(results: readonly Result[]): Wrong | undefined {
  for (const result of results) if (typeof result === 'object' && result.kind === 'wrong') return result
  return undefined
}

/** The set of these members. */
export function setLiteral(members: readonly Result[]): Result {
  const all = members.map(settled)
  return firstWrong(all) ?? (all.every(isValue) ? setOf(all) : unknown)
}

/** The record of these members. */
export function recordLiteral(names: readonly string[], members: readonly Result[]): Result {
  const bad = firstWrong(members)
  if (bad !== undefined) return bad
  if (!members.every(isValue)) return unknown
  const byName = new Map<string, Value>(names.map((name, index) => [name, members[index] ?? false]))
  return { kind: 'record', get: (name) => byName.get(name), names: () => byName.keys() }
}

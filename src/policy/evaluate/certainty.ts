/**
 * What is left of a yes or no when one side of it is unknown?
 * Stops: an unknown that is counted as a yes or as a no; an error that is lost because an unknown stands beside it.
 * Trusts: nothing.
 * Fails: nothing here can fail: what is neither yes nor no counts as wrong.
 */
import { neverFalse, neverTrue, unknown, wrong, type Result, type Wrong } from './values.ts'

export const mayBeTrue = 1
export const mayBeFalse = 2
export const mayBeWrong = 4

const notYesOrNo: Wrong = wrong('type', 'expected true or false')

/** What may come of it: sums of `mayBeTrue`, `mayBeFalse` and `mayBeWrong`. */
export function mayOf(result: Result): number {
  if (result === true) return mayBeTrue
  if (result === false) return mayBeFalse
  if (typeof result !== 'object' || result.kind !== 'unknown') return mayBeWrong
  if (result.may === 'any') return mayBeTrue | mayBeFalse | mayBeWrong
  return mayBeWrong | (result.may === 'never-true' ? mayBeFalse : mayBeTrue)
}

function resultOf(may: number, error: Result): Result {
  if (may === mayBeTrue) return true
  if (may === mayBeFalse) return false
  if (may === mayBeWrong) return typeof error === 'object' && error.kind === 'wrong' ? error : notYesOrNo
  if ((may & mayBeTrue) === 0) return neverTrue
  return (may & mayBeFalse) === 0 ? neverFalse : unknown
}

/** `left && right`, where `left` is no plain false. */
export function andOf(left: Result, right: Result): Result {
  const first = mayOf(left)
  let may = first & ~mayBeTrue
  if ((first & mayBeTrue) !== 0) may |= mayOf(right)
  return resultOf(may, first === mayBeWrong ? left : right)
}

/** `left || right`, where `left` is no plain true. */
export function orOf(left: Result, right: Result): Result {
  const first = mayOf(left)
  let may = first & ~mayBeFalse
  if ((first & mayBeFalse) !== 0) may |= mayOf(right)
  return resultOf(may, first === mayBeWrong ? left : right)
}

export function notOf(result: Result): Result {
  if (typeof result === 'boolean') return !result
  const may = mayOf(result)
  const turned =
    (may & mayBeWrong) | ((may & mayBeTrue) === 0 ? 0 : mayBeFalse) | ((may & mayBeFalse) === 0 ? 0 : mayBeTrue)
  return resultOf(turned, result)
}

/** Both branches of a question whose answer is unknown. */
export function eitherOf(
  condition: Result,
  branches: { readonly yes: () => Result; readonly no: () => Result },
): Result {
  const asked = mayOf(condition)
  const reachable = [
    ...((asked & mayBeTrue) === 0 ? [] : [branches.yes()]),
    ...((asked & mayBeFalse) === 0 ? [] : [branches.no()]),
  ]
  const isOther = (result: Result) =>
    typeof result !== 'boolean' &&
    (typeof result !== 'object' || (result.kind !== 'unknown' && result.kind !== 'wrong'))
  // WHY: a value that is no yes or no has no mark of its own, and could be any.
  if (reachable.some(isOther)) return unknown
  const may = reachable.reduce<number>((all, result) => all | mayOf(result), asked & mayBeWrong)
  return resultOf(may, reachable[0] ?? condition)
}

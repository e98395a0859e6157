/**
 * Which hashes show that an entry is in a tree, and that one tree begins another?
 * Stops: nothing by itself: whoever has these hashes and a signed root needs to believe nobody.
 * Trusts: the subtrees it is given.
 * Fails: never, for places within the tree.
 * @see RFC 6962, sections 2.1.1 and 2.1.2
 */
import { hashNode } from '../merkle.ts'

/** The root of the full subtree of 2^level leaves that is the place-th of its level, from 0. */
export type Subtrees = (level: number, place: number) => Uint8Array

/** The largest power of two that is smaller. @param count more than 1 */
function splitOf(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}

function levelOf(count: number): number | undefined {
  let [power, level] = [1, 0]
  for (; power < count; level += 1) power *= 2
  return power === count ? level : undefined
}

/** The root over the leaves from `from` to before `to`, which begin where a tree of theirs can begin. */
function rootOf(subtrees: Subtrees, from: number, to: number): Uint8Array {
  const count = to - from
  const level = levelOf(count)
  if (level !== undefined) return subtrees(level, from / count)
  const middle = from + splitOf(count)
  return hashNode(rootOf(subtrees, from, middle), rootOf(subtrees, middle, to))
}

/** From the leaf's sibling up to the child of the root. @param index from 0, below `size` */
export function proveInclusion(subtrees: Subtrees, index: number, size: number): readonly Uint8Array[] {
  const path: Uint8Array[] = []
  let [from, to] = [0, size]
  while (to - from > 1) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      path.unshift(rootOf(subtrees, middle, to))
      to = middle
    } else {
      path.unshift(rootOf(subtrees, from, middle))
      from = middle
    }
  }
  return path
}

function subproof(subtrees: Subtrees, end: number, [from, to]: readonly [number, number], isWhole: boolean) {
  const path: Uint8Array[] = []
  let [start, stop, isKnown] = [from, to, isWhole]
  while (stop > end) {
    const middle = start + splitOf(stop - start)
    if (end <= middle) {
      path.unshift(rootOf(subtrees, middle, stop))
      stop = middle
    } else {
      path.unshift(rootOf(subtrees, start, middle))
      start = middle
      isKnown = false
    }
  }
  return isKnown ? path : [rootOf(subtrees, start, stop), ...path]
}

/** That the tree of `to` leaves begins with the tree of `from` leaves; nothing has to be shown of an empty or the same one. */
export function proveConsistency(subtrees: Subtrees, from: number, to: number): readonly Uint8Array[] {
  return from === 0 ? [] : subproof(subtrees, from, [0, to], true)
}

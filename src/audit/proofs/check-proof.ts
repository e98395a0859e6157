/**
 * Do these hashes show what they are said to show?
 * Stops: an entry that was never recorded passed off as one; a ledger whose past was rewritten.
 * Trusts: SHA-256, and the root that the caller knows to be signed.
 * Fails: with undefined or false on anything that does not fit exactly, hashes too many included.
 * @see RFC 9162, sections 2.1.3.2 and 2.1.4.2
 */
import { hashNode } from '../merkle.ts'

const isPlace = (place: number): boolean => Number.isSafeInteger(place) && place >= 0
const halfOf = (place: number): number => Math.floor(place / 2)

/** @returns the root to which the proof leads; undefined when it cannot be one of such a tree */
export function rootFromInclusion(
  leaf: Uint8Array,
  { index, size }: { readonly index: number; readonly size: number },
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!isPlace(index) || !isPlace(size) || index >= size) return undefined
  let [at, last] = [index, size - 1]
  let root = leaf
  for (const sibling of proof) {
    if (last === 0) return undefined
    if (at % 2 === 1 || at === last) {
      root = hashNode(sibling, root)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, halfOf(last)]
    } else root = hashNode(root, sibling)
    ;[at, last] = [halfOf(at), halfOf(last)]
  }
  return last === 0 ? root : undefined
}

/** The root over the first leaves of a ledger. */
export interface TreeRoot {
  readonly size: number
  readonly root: Uint8Array
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0

function isPower(count: number): boolean {
  let power = 1
  while (power < count) power *= 2
  return power === count
}

/** Whether the larger tree begins with the smaller one. Every tree begins with the empty one. */
export function isConsistent(older: TreeRoot, newer: TreeRoot, proof: readonly Uint8Array[]): boolean {
  if (!isPlace(older.size) || !isPlace(newer.size) || older.size > newer.size) return false
  if (older.size === newer.size) return proof.length === 0 && isSame(older.root, newer.root)
  if (older.size === 0) return proof.length === 0
  const [first, ...rest] = isPower(older.size) ? [older.root, ...proof] : proof
  if (first === undefined) return false
  let [at, last] = [older.size - 1, newer.size - 1]
  while (at % 2 === 1) [at, last] = [halfOf(at), halfOf(last)]
  let [olderRoot, newerRoot] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      olderRoot = hashNode(sibling, olderRoot)
      newerRoot = hashNode(sibling, newerRoot)
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, halfOf(last)]
    } else newerRoot = hashNode(newerRoot, sibling)
    ;[at, last] = [halfOf(at), halfOf(last)]
  }
  return last === 0 && isSame(olderRoot, older.root) && isSame(newerRoot, newer.root)
}

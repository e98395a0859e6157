import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashLeaf, hashNode, TreeEdge } from '../merkle.ts'
import { isConsistent, rootFromInclusion } from './check-proof.ts'
import { proveConsistency, proveInclusion, type Subtrees } from './tree-proof.ts'

const texts = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const vectors = texts.map((hex) => hashLeaf(Buffer.from(hex, 'hex')))
const leavesOf = (count: number) => Array.from({ length: count }, (_, at) => hashLeaf(`entry ${at}`))

function subtreesOf(leaves: readonly Uint8Array[]): Subtrees {
  const subtree = (level: number, place: number): Uint8Array =>
    level === 0
      ? (leaves[place] ?? new Uint8Array())
      : hashNode(subtree(level - 1, 2 * place), subtree(level - 1, 2 * place + 1))
  return subtree
}

function rootOf(leaves: readonly Uint8Array[]): Buffer {
  const edge = TreeEdge.empty()
  for (const leaf of leaves) edge.append(leaf)
  return edge.root()
}

const hex = (hashes: readonly Uint8Array[]) => hashes.map((one) => Buffer.from(one).toString('hex'))

test('paths are those of the certificate transparency test vectors', () => {
  const subtrees = subtreesOf(vectors)
  expect(hex(proveInclusion(subtrees, 0, 1))).toEqual([])
  expect(hex(proveInclusion(subtrees, 0, 8))).toEqual([
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ])
  expect(hex(proveInclusion(subtrees, 5, 8))).toEqual([
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
  expect(hex(proveInclusion(subtrees, 2, 3))).toEqual([
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  ])
  expect(hex(proveConsistency(subtrees, 6, 8))).toEqual([
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
  expect(hex(proveConsistency(subtrees, 2, 5))).toEqual([
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
  ])
  expect(hex(proveConsistency(subtrees, 1, 8))).toEqual(hex(proveInclusion(subtrees, 0, 8)))
})

test('every entry of every ledger up to 70 entries is proved, and every growth', () => {
  const leaves = leavesOf(70)
  const subtrees = subtreesOf(leaves)
  for (let size = 1; size <= leaves.length; size += 1) {
    const root = rootOf(leaves.slice(0, size))
    for (let index = 0; index < size; index += 1) {
      const path = proveInclusion(subtrees, index, size)
      expect(rootFromInclusion(leaves[index] ?? root, { index, size }, path), `${index} of ${size}`).toEqual(root)
    }
    for (let from = 0; from <= size; from += 1) {
      const older = { size: from, root: rootOf(leaves.slice(0, from)) }
      const path = proveConsistency(subtrees, from, size)
      expect(isConsistent(older, { size, root }, path), `${from} of ${size}`).toBe(true)
    }
  }
})

const sizes = fc.integer({ min: 1, max: 40 }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)))

test('a proof with a hash more, less or changed, of another entry, place or size, shows nothing', () => {
  const other = hashLeaf('never recorded')
  fc.assert(
    fc.property(sizes, fc.nat(), ([size, index], pick) => {
      const leaves = leavesOf(size)
      const root = rootOf(leaves)
      const path = proveInclusion(subtreesOf(leaves), index, size)
      const leaf = leaves[index] ?? root
      const leads = (...asked: Parameters<typeof rootFromInclusion>) => {
        const found = rootFromInclusion(...asked)
        return found !== undefined && Buffer.from(found).equals(root)
      }
      expect(leads(leaf, { index, size }, path)).toBe(true)
      expect(leads(other, { index, size }, path)).toBe(false)
      expect(leads(leaf, { index, size }, [...path, other])).toBe(false)
      expect(leads(leaf, { index, size }, path.slice(1))).toBe(path.length === 0)
      expect(leads(leaf, { index: index + 1, size }, path)).toBe(false)
      expect(leads(leaf, { index: -1, size }, path)).toBe(false)
      expect(leads(leaf, { index: 0.5, size }, path)).toBe(false)
      expect(leads(leaf, { index, size: index }, path)).toBe(false)
      const changed = path.map((one, at) => (at === pick % path.length ? other : one))
      expect(leads(leaf, { index, size }, changed)).toBe(path.length === 0)
    }),
  )
})

test('a ledger that was rewritten, shortened or is another one is not shown to have grown', () => {
  const other = hashLeaf('never recorded')
  fc.assert(
    fc.property(sizes, fc.nat(), ([size, index], pick) => {
      const leaves = leavesOf(size)
      const from = index + 1
      const [older, newer] = [
        { size: from, root: rootOf(leaves.slice(0, from)) },
        { size, root: rootOf(leaves) },
      ]
      const path = proveConsistency(subtreesOf(leaves), from, size)
      expect(isConsistent(older, newer, path)).toBe(true)
      const rewritten = leaves.map((leaf, at) => (at === pick % from ? other : leaf))
      const forged = { size, root: rootOf(rewritten) }
      expect(isConsistent(older, forged, proveConsistency(subtreesOf(rewritten), from, size))).toBe(false)
      expect(isConsistent(older, newer, [...path, other])).toBe(false)
      expect(isConsistent(older, newer, path.slice(1))).toBe(path.length === 0)
      expect(isConsistent({ ...older, root: other }, newer, path)).toBe(false)
      expect(isConsistent(older, { ...newer, root: other }, path)).toBe(false)
      expect(isConsistent({ ...older, size: size + 1 }, newer, path)).toBe(false)
      expect(isConsistent({ ...older, size: -1 }, newer, path)).toBe(false)
      const changed = path.map((one, at) => (at === pick % path.length ? other : one))
      expect(isConsistent(older, newer, changed)).toBe(path.length === 0)
    }),
  )
  const empty = { size: 0, root: rootOf([]) }
  expect(isConsistent(empty, { size: 3, root: rootOf(leavesOf(3)) }, [])).toBe(true)
  expect(isConsistent(empty, { size: 3, root: rootOf(leavesOf(3)) }, [other])).toBe(false)
})

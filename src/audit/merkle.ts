/**
 * One hash for the whole ledger: the Merkle tree of RFC 6962, section 2.1, kept as its right edge.
 * Stops: any change, removal, insertion or reordering of entries under an unchanged root.
 * Trusts: SHA-256.
 * Fails: with undefined on a stored edge that does not have the shape of its size.
 */
import { hash } from 'node:crypto'

export const hashBytes = 32
/** Levels of a tree with as many leaves as a number counts exactly. */
const mostLevels = 53
/** Precedes an entry when its leaf is hashed. No entry has this byte, so it also stands between entries. */
export const leafPrefix = 0
const emptyRoot = hash('sha256', '', 'buffer')
const nodeInput = Buffer.alloc(1 + 2 * hashBytes, 1)
const leafStart = Buffer.of(leafPrefix)

/** SPEC: RFC 6962, section 2.1: leaf hash is SHA-256(0x00 || entry). A string is taken as UTF-8. */
export function hashLeaf(body: string | Uint8Array): Buffer {
  return typeof body === 'string'
    ? hash('sha256', '\0' + body, 'buffer')
    : hash('sha256', Buffer.concat([leafStart, body]), 'buffer')
}

/** SPEC: RFC 6962, section 2.1: node hash is SHA-256(0x01 || left || right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + hashBytes)
  return hash('sha256', nodeInput, 'buffer')
}

/** Writes the hash of what already begins with its prefix to `into`. */
export function writeHash(prefixed: Uint8Array, into: Buffer, at: number): void {
  // WHY: a digest as text that is copied costs a third of a digest as a buffer of its own.
  into.write(hash('sha256', prefixed, 'binary'), at, 'latin1')
}

/** Levels of the tree from one kept level to the next. SPEC: C2SP tlog-tiles: a tile has 256 hashes. */
export const tileLevels = 8

/** A subtree of 2^level leaves, all of them there. */
export interface FullSubtree {
  readonly level: number
  /** From 0, among the subtrees of its level. */
  readonly place: number
  readonly root: Uint8Array
}

function countPeaks(size: number): number {
  let peaks = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) peaks += rest % 2
  return peaks
}

/** The roots of the full subtrees of a tree: all that appending and the root need. */
export class TreeEdge {
  #size: number
  /** The root of the full subtree of 2^n leaves lies at n × 32, when the tree has one. */
  readonly #peaks: Buffer

  private constructor(size: number, peaks: Buffer) {
    this.#size = size
    this.#peaks = peaks
  }

  static empty(): TreeEdge {
    return new TreeEdge(0, Buffer.alloc(mostLevels * hashBytes))
  }

  /** @returns undefined when `bytes` cannot be the edge of a tree of `size` leaves */
  static read(size: number, bytes: Uint8Array): TreeEdge | undefined {
    if (!Number.isSafeInteger(size) || size < 0 || bytes.length !== countPeaks(size) * hashBytes) return undefined
    const edge = TreeEdge.empty()
    let end = bytes.length
    edge.#size = size
    edge.#eachPeak((at) => {
      edge.#peaks.set(bytes.subarray(end - hashBytes, end), at)
      end -= hashBytes
    })
    return edge
  }

  get size(): number {
    return this.#size
  }

  /** @param completed takes each full subtree of a tile that ends with this leaf, smallest first */
  append(leaf: Uint8Array, completed?: (subtree: FullSubtree) => void): void {
    const peaks = this.#peaks
    nodeInput.set(leaf, 1 + hashBytes)
    let at = 0
    let level = 0
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      peaks.copy(nodeInput, 1, at, at + hashBytes)
      writeHash(nodeInput, nodeInput, 1 + hashBytes)
      at += hashBytes
      level += 1
      if (level % tileLevels !== 0 || completed === undefined) continue
      const root = Buffer.from(nodeInput.subarray(1 + hashBytes))
      completed({ level, place: (this.#size + 1) / 2 ** level - 1, root })
    }
    nodeInput.copy(peaks, at, 1 + hashBytes)
    this.#size += 1
  }

  /** SPEC: RFC 6962, section 2.1: node hash is SHA-256(0x01 || left || right). */
  root(): Buffer {
    if (this.#size === 0) return Buffer.from(emptyRoot)
    let isFirst = true
    this.#eachPeak((at) => {
      this.#peaks.copy(nodeInput, isFirst ? 1 + hashBytes : 1, at, at + hashBytes)
      if (!isFirst) writeHash(nodeInput, nodeInput, 1 + hashBytes)
      isFirst = false
    })
    return Buffer.from(nodeInput.subarray(1 + hashBytes))
  }

  /** The peaks, largest subtree first, 32 bytes each. */
  bytes(): Buffer {
    const all: Buffer[] = []
    this.#eachPeak((at) => all.unshift(this.#peaks.subarray(at, at + hashBytes)))
    return Buffer.concat(all)
  }

  copy(): TreeEdge {
    return new TreeEdge(this.#size, Buffer.from(this.#peaks))
  }

  /** Smallest subtree first. */
  #eachPeak(visit: (at: number) => void): void {
    let at = 0
    for (let rest = this.#size; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) visit(at)
      at += hashBytes
    }
  }
}

/**
 * One hash for the whole ledger: the Merkle tree of RFC 6962, section 2.1, kept as its right edge.
 * Stops: any change, removal, insertion or reordering of entries under an unchanged root.
 * Trusts: SHA-256.
 * Fails: with undefined on a stored edge that does not have the shape of its size.
 */
import { hash } from 'node:crypto'

export const hashBytes = 32
const emptyRoot = hash('sha256', '', 'buffer')
const nodeInput = Buffer.alloc(1 + 2 * hashBytes, 1)
const leafPrefix = Buffer.of(0)

/** SPEC: RFC 6962, section 2.1: leaf hash is SHA-256(0x00 || entry). A string is taken as UTF-8. */
export function hashLeaf(body: string | Uint8Array): Buffer {
  return typeof body === 'string'
    ? hash('sha256', '\0' + body, 'buffer')
    : hash('sha256', Buffer.concat([leafPrefix, body]), 'buffer')
}

/** SPEC: RFC 6962, section 2.1: node hash is SHA-256(0x01 || left || right). */
function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + hashBytes)
  return hash('sha256', nodeInput, 'buffer')
}

function countPeaks(size: number): number {
  let peaks = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) peaks += rest % 2
  return peaks
}

/** The roots of the full subtrees of a tree, largest first: all that appending and the root need. */
export class TreeEdge {
  #size: number
  readonly #peaks: Uint8Array[]

  private constructor(size: number, peaks: Uint8Array[]) {
    this.#size = size
    this.#peaks = peaks
  }

  static empty(): TreeEdge {
    return new TreeEdge(0, [])
  }

  /** @returns undefined when `bytes` cannot be the edge of a tree of `size` leaves */
  static read(size: number, bytes: Uint8Array): TreeEdge | undefined {
    if (!Number.isSafeInteger(size) || size < 0 || bytes.length !== countPeaks(size) * hashBytes) return undefined
    const peaks: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += hashBytes) peaks.push(bytes.slice(at, at + hashBytes))
    return new TreeEdge(size, peaks)
  }

  get size(): number {
    return this.#size
  }

  append(leaf: Uint8Array): void {
    let node = leaf
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#peaks.pop()
      if (left !== undefined) node = hashNode(left, node)
    }
    this.#peaks.push(node)
    this.#size += 1
  }

  root(): Buffer {
    const last = this.#peaks.at(-1)
    if (last === undefined) return Buffer.from(emptyRoot)
    return Buffer.from(this.#peaks.slice(0, -1).reduceRight((right, left) => hashNode(left, right), last))
  }

  /** The peaks, largest subtree first, 32 bytes each. */
  bytes(): Buffer {
    return Buffer.concat(this.#peaks)
  }

  copy(): TreeEdge {
    return new TreeEdge(this.#size, [...this.#peaks])
  }
}

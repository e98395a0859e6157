/**
 * Entries that are committed together: their bodies one after the other in one piece of memory.
 * Stops: copying each body again on its way to the writing thread.
 * Trusts: bodies to be JSON, which has no zero byte.
 * Fails: when memory cannot be had.
 */
import type { Fault } from '#kernel'

import type { Receipt, Written } from './entry.ts'
import { leafPrefix } from './merkle.ts'

/** Batches stay small enough that one flush does not keep the next batch waiting. */
const mostEntries = 1000
const mostBytes = 4_000_000
const firstBytes = 65_536
const mostBytesPerChar = 3

export interface Pending extends Receipt {
  resolve(receipt: Receipt): void
  reject(fault: Fault): void
}

const mostSpare = 4
const largestSpareBytes = 1_000_000
const spare: Buffer<ArrayBuffer>[] = []

/** Memory that a batch gave away and that came back: the next batch writes over it. */
export function keepSpare(memory: Uint8Array<ArrayBuffer>): void {
  const { buffer } = memory
  if (spare.length < mostSpare && buffer.byteLength <= largestSpareBytes) spare.push(Buffer.from(buffer))
}

export class Batch {
  readonly entries: Pending[] = []
  #memory = spare.pop() ?? Buffer.allocUnsafeSlow(firstBytes)
  #used = 0
  #values = ''

  get byteLength(): number {
    return this.#used
  }

  get isFull(): boolean {
    return this.entries.length >= mostEntries || this.#used >= mostBytes
  }

  /** What the entries are searched by. */
  get values(): string {
    return this.#values
  }

  /** Writes the body behind the others. */
  write({ body, values }: Pick<Written, 'body' | 'values'>): void {
    this.#values += values
    const needed = this.#used + 1 + body.length * mostBytesPerChar
    if (needed > this.#memory.length) this.#grow(needed)
    this.#memory[this.#used] = leafPrefix
    this.#used += 1 + this.#memory.write(body, this.#used + 1, 'utf8')
  }

  /** The bodies, each preceded by a zero byte; the memory may be given away. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(0, this.#used)
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#memory.length * 2))
    this.#memory.copy(larger, 0, 0, this.#used)
    this.#memory = larger
  }
}

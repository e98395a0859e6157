/**
 * Are the hashes that proofs are made from those of the entries? Walked beside the entries.
 * Stops: an entry that nobody can prove any more.
 * Trusts: the entries, which the tree has checked.
 * Fails: by reporting the entries of the subtree.
 */
import type { FullSubtree } from '../merkle.ts'
import type { Report } from './tree-check.ts'

type Row = Readonly<Record<string, unknown>>

function isSame(row: Row, { level, place, root }: FullSubtree): boolean {
  const kept = row['root']
  return row['level'] === level && row['place'] === place && kept instanceof Uint8Array && !Buffer.compare(kept, root)
}

export class SubtreeCheck {
  readonly #rows: Iterator<Row>
  #wrong: readonly [first: number, last: number] | undefined

  /** @param rows in the order in which their last entries were added, smaller ones first */
  constructor(rows: Iterator<Row>) {
    this.#rows = rows
  }

  /** Subtrees in order. */
  completed(subtree: FullSubtree): void {
    if (this.#wrong !== undefined) return
    const step = this.#rows.next()
    const leaves = 2 ** subtree.level
    if (step.done === true || !isSame(step.value, subtree))
      this.#wrong = [subtree.place * leaves + 1, (subtree.place + 1) * leaves]
  }

  /** After the last entry. */
  end(size: number, report: Report): void {
    if (this.#wrong === undefined && this.#rows.next().done !== true) this.#wrong = [size, size]
    if (this.#wrong === undefined) return
    const [first, last] = this.#wrong
    report('proof-forged', first, `what proofs of the entries ${first} to ${last} are made from was changed`, last)
  }
}

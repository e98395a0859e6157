/**
 * Do the lists that are searched say what the entries say? Walked beside the entries, one segment at a time.
 * Stops: an entry that no search finds any more, or that a search finds for somebody else.
 * Trusts: the entries, which the tree has checked.
 * Fails: by reporting the segment.
 */
import { searchedIn, SegmentLists, segmentEntries } from '../storage/postings.ts'
import type { Report } from './tree-check.ts'

type Row = Readonly<Record<string, unknown>>

function keyOf(field: unknown, value: unknown, places: unknown): string {
  const bytes = places instanceof Uint8Array ? Buffer.from(places).toString('latin1') : ''
  return JSON.stringify([Number(field), String(value), bytes])
}

export class ListCheck {
  readonly #rows: Iterator<Row>
  readonly #lists = new SegmentLists()
  readonly #wrong = new Set<number>()
  #upcoming: Row | undefined

  /** @param rows by segment */
  constructor(rows: Iterator<Row>) {
    this.#rows = rows
    this.#step()
  }

  /** Entries in order. */
  entry(seq: number, entry: unknown): void {
    const place = (seq - 1) % segmentEntries
    this.#lists.add(place, searchedIn(entry))
    if (place === segmentEntries - 1) this.#compare((seq - 1 - place) / segmentEntries)
  }

  /** After the last entry. */
  end(size: number, report: Report): void {
    if (this.#upcoming !== undefined) this.#wrong.add(Number(this.#upcoming['segment']))
    for (const segment of this.#wrong) {
      const first = Math.max(0, segment * segmentEntries + 1)
      const last = Math.max(first, Math.min(size, first + segmentEntries - 1))
      report(
        'search-forged',
        first,
        `the lists that are searched are not those of the entries ${first} to ${last}`,
        last,
      )
    }
  }

  #step(): void {
    const step = this.#rows.next()
    this.#upcoming = step.done === true ? undefined : step.value
  }

  #compare(segment: number): void {
    const expected = new Set(this.#lists.take().map(({ field, value, places }) => keyOf(field, value, places)))
    let isSame = true
    for (; this.#upcoming !== undefined && Number(this.#upcoming['segment']) <= segment; this.#step()) {
      const { segment: found, field, value, places } = this.#upcoming
      isSame &&= found === segment && expected.delete(keyOf(field, value, places))
    }
    if (!isSame || expected.size > 0) this.#wrong.add(segment)
  }
}

/**
 * Which entries of a segment have a value? Lists kept beside the entries, written once for many of them.
 * Stops: a search that reads the whole ledger; an index that costs more than the entry.
 * Trusts: the values it is given; `verify` compares the lists with the bodies.
 * Fails: never.
 */

/** Entries of one segment: 1 to 1024, 1025 to 2048 and so on. */
export const segmentEntries = 1024

/** What can be searched for. Their order is their number on disk and never changes; new ones come last. */
export const searched = ['event', 'person', 'exchange', 'refusal'] as const
export type Searched = (typeof searched)[number]
/** In the order of `searched`; empty where an entry has none. */
export type SearchedValues = readonly string[]

/** The list of the places in the segment, 0 to 1023, that have the value. */
export interface Posting {
  readonly field: number
  readonly value: string
  readonly places: Uint8Array
}

function stringIn(object: unknown, name: string): string {
  if (typeof object !== 'object' || object === null) return ''
  const value = (object as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : ''
}

/** @param entry the parsed body */
export function searchedIn(entry: unknown): SearchedValues {
  const principal = typeof entry === 'object' && entry !== null && 'principal' in entry ? entry.principal : undefined
  return [stringIn(entry, 'event'), stringIn(principal, 'id'), stringIn(entry, 'exchange'), stringIn(entry, 'refusal')]
}

/** Collects one segment after another. */
export class SegmentLists {
  #lists = searched.map(() => new Map<string, number[]>())

  /** @param place 0 to 1023 */
  add(place: number, values: SearchedValues): void {
    for (let field = 0; field < searched.length; field++) {
      const value = values[field] ?? ''
      if (value === '') continue
      const places = this.#lists[field]?.get(value)
      if (places === undefined) this.#lists[field]?.set(value, [place])
      else places.push(place)
    }
  }

  /** The lists so far; then it begins anew. */
  take(): Posting[] {
    const taken = this.#lists
    this.#lists = searched.map(() => new Map<string, number[]>())
    return taken.flatMap((lists, field) =>
      Array.from(lists, ([value, places]) => ({ field, value, places: writePlaces(places) })),
    )
  }
}

function writePlaces(places: readonly number[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(places.length * 2)
  for (let index = 0; index < places.length; index++) bytes.writeUInt16LE(places[index] ?? 0, index * 2)
  return bytes
}

/** @returns places, ascending */
export function readPlaces(bytes: Uint8Array): number[] {
  const places: number[] = []
  for (let at = 0; at + 1 < bytes.length; at += 2) places.push((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8))
  return places
}

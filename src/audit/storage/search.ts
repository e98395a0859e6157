/**
 * Which entries answer a question? Full segments by their lists, the rest by looking at the entries.
 * Stops: a search that reads the whole ledger.
 * Trusts: the lists, which `verify` compares with the entries.
 * Fails: as the file does.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

import type { LedgerQuery } from './messages.ts'
import { readPlaces, searched, type Searched, segmentEntries } from './postings.ts'

const usualLimit = 100

/** The rarer a value usually is, the earlier it is looked up. */
const byRarity: readonly Searched[] = ['exchange', 'refusal', 'person', 'event']
const memberOf: Readonly<Record<Searched, string>> = {
  event: "body ->> '$.event'",
  person: "body ->> '$.principal.id'",
  exchange: "body ->> '$.exchange'",
  refusal: "body ->> '$.refusal'",
}

interface Wanted {
  readonly filters: readonly { readonly name: Searched; readonly field: number; readonly value: string }[]
  /** First and last entry that may be told. */
  readonly first: number
  readonly last: number
  readonly limit: number
  /** Lowest `seq` first; otherwise the newest are found first. */
  readonly isForward: boolean
}

function understand(query: LedgerQuery, size: number): Wanted {
  const filters = byRarity.flatMap((name) => {
    const value = query[name]
    return value === undefined ? [] : [{ name, field: searched.indexOf(name), value }]
  })
  const first = (query.after ?? 0) + 1
  const last = Math.min(size, query.before === undefined ? size : query.before - 1)
  return { filters, first, last, limit: query.limit ?? usualLimit, isForward: query.after !== undefined }
}

/** Looks at the entries themselves. */
function scan(database: DatabaseSync, { filters, limit, isForward }: Wanted, first: number, last: number): string[] {
  const conditions = ['seq BETWEEN ? AND ?', ...filters.map(({ name }) => `${memberOf[name]} = ?`)].join(' AND ')
  const values: SQLInputValue[] = [first, last, ...filters.map(({ value }) => value), limit]
  return database
    .prepare(`SELECT body FROM entries WHERE ${conditions} ORDER BY seq ${isForward ? 'ASC' : 'DESC'} LIMIT ?`)
    .all(...values)
    .map((row) => String(row['body']))
}

/** What is in both of two ascending lists. */
function inBoth(one: readonly number[], other: readonly number[]): number[] {
  const both: number[] = []
  let at = 0
  for (const place of one) {
    while (at < other.length && (other[at] ?? 0) < place) at += 1
    if (other[at] === place) both.push(place)
  }
  return both
}

/** Numbers of the entries of a segment that have all values, ascending. */
function findIn(list: StatementSync, filters: Wanted['filters'], segment: number): number[] {
  let found: number[] | undefined
  for (const { field, value } of filters) {
    const places = list.get(segment, field, value)?.['places']
    if (!(places instanceof Uint8Array)) return []
    const listed = readPlaces(places)
    found = found === undefined ? listed : inBoth(found, listed)
    if (found.length === 0) return []
  }
  return (found ?? []).map((place) => segment * segmentEntries + place + 1)
}

/** Asks the lists of the segments from `first` to `last`, both among the full ones. */
function lookUp(database: DatabaseSync, wanted: Wanted, first: number, last: number, limit: number): string[] {
  const { filters, isForward } = wanted
  const list = database.prepare('SELECT places FROM postings WHERE segment = ? AND field = ? AND value = ?')
  const entry = database.prepare('SELECT body FROM entries WHERE seq = ?')
  const [lowest, highest] = [first, last].map((seq) => Math.floor((seq - 1) / segmentEntries)) as [number, number]
  const bodies: string[] = []
  for (let step = 0; step <= highest - lowest && bodies.length < limit; step++) {
    const found = findIn(list, filters, isForward ? lowest + step : highest - step)
    for (const seq of isForward ? found : found.toReversed())
      if (seq >= first && seq <= last && bodies.length < limit) bodies.push(String(entry.get(seq)?.['body']))
  }
  return bodies
}

/** @returns bodies, lowest `seq` first */
export function search(database: DatabaseSync, query: LedgerQuery): string[] {
  const size = Number(database.prepare('SELECT max(seq) AS size FROM entries').get()?.['size'] ?? 0)
  const wanted = understand(query, size)
  const { filters, first, last, limit, isForward } = wanted
  if (filters.length === 0) {
    const bodies = scan(database, wanted, first, last)
    return isForward ? bodies : bodies.reverse()
  }
  const listed = Math.min(last, Math.floor(size / segmentEntries) * segmentEntries)
  const inLists = (most: number): string[] =>
    most > 0 && first <= listed ? lookUp(database, wanted, first, listed, most) : []
  const inRest = (most: number): string[] =>
    most > 0 && last > listed ? scan(database, { ...wanted, limit: most }, Math.max(first, listed + 1), last) : []
  const older = isForward ? inLists(limit) : []
  const newer = inRest(limit - older.length)
  if (isForward) return [...older, ...newer]
  return [...newer, ...inLists(limit - newer.length)].reverse()
}

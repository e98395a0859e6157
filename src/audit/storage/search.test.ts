import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'

import { temporaryFolder } from '../../../test/world/folder.ts'
import { Batch } from '../batch.ts'
import { defineEvent } from '../define-event.ts'
import { type Entry, type EntryFields, writeBody } from '../entry.ts'
import { createHeadSigner, makeLedgerKey } from '../heads.ts'
import { verifyLedger } from '../verify/verify.ts'
import type { LedgerQuery } from './messages.ts'
import { segmentEntries } from './postings.ts'
import { openForReading } from './schema.ts'
import { search } from './search.ts'
import { openTreeStore } from './tree-store.ts'

const events = ['test.noted', 'test.missed', 'test.seen'].map((name) => defineEvent({ name, says: 'x' }))
const people = ['p-1', 'p-2', 'p-ö', 'p-"3"', 'p-\u0001'].map((id) => ({ id, name: 'ana' }))
const refusals = ['policy.held', 'policy.not-granted'] as const

/** Different for every number, and the same whenever it is asked for. */
function fieldsOf(n: number): EntryFields {
  const person = people[(n * 7) % 11]
  const refusal = refusals[(n * 13) % 97]
  const exchange = n % 5 === 0 ? undefined : `x-${Math.floor(n / 3)}`
  const details = { event: 'test.other', exchange: 'x-1', refusal: 'policy.held', principal: { id: 'p-1' } }
  return { outcome: 'succeeded', principal: person, refusal, exchange, details }
}

/** A ledger of so many entries, and how to search it. */
function fill(count: number): { folder: string; find: (query: LedgerQuery) => Entry[]; database: DatabaseSync } {
  const folder = temporaryFolder()
  const privateKey = makeLedgerKey().toString()
  writeFileSync(join(folder, 'ledger-key.pub'), createHeadSigner(privateKey, 'castellan').verifierKey)
  const store = openTreeStore({ folder, origin: 'castellan', privateKey })
  for (let done = 0; done < count;) {
    const batch = new Batch()
    const firstSeq = done + 1
    for (; done < count && !batch.isFull; done++) {
      const event = events[(done * 3) % 4] ?? events[0]
      if (event !== undefined) batch.write(writeBody(event, fieldsOf(done), done + 1, 1_767_603_600_000 + done))
    }
    store.commit({ kind: 'commit', firstSeq, bodies: batch.bytes(), values: batch.values, timeMs: 0 })
    store.tidy()
  }
  store.close()
  const database = openForReading(folder)
  onTestFinished(() => database.close())
  return { folder, database, find: (query) => search(database, query).map((body) => JSON.parse(body) as Entry) }
}

/** The same by looking at every entry. */
function sift(all: readonly Entry[], query: LedgerQuery): number[] {
  const { after, before = Number.MAX_SAFE_INTEGER, limit = 100, event, person, exchange, refusal } = query
  const fits = (entry: Entry): boolean =>
    (event === undefined || entry.event === event) &&
    (person === undefined || entry.principal?.id === person) &&
    (exchange === undefined || entry.exchange === exchange) &&
    (refusal === undefined || entry.refusal === refusal)
  const found = all.filter((entry) => entry.seq > (after ?? 0) && entry.seq < before && fits(entry))
  return (after === undefined ? found.slice(-limit) : found.slice(0, limit)).map(({ seq }) => seq)
}

const size = 3 * segmentEntries + 300
const place = fc.option(fc.oneof(fc.nat(size + 10), fc.constantFrom(1023, 1024, 1025, 2048, 2049, 3072, 3073)), {
  nil: undefined,
})
const maybe = <T>(...values: T[]): fc.Arbitrary<T | undefined> =>
  fc.option(fc.constantFrom(...values), { nil: undefined })
const query: fc.Arbitrary<LedgerQuery> = fc.record({
  after: place,
  before: place,
  limit: fc.constantFrom(1, 2, 100, 1000),
  event: maybe('test.noted', 'test.missed', 'test.other', 'nothing'),
  person: maybe(...people.map(({ id }) => id), 'nobody'),
  exchange: maybe('x-0', 'x-1', 'x-341', 'x-1100', 'x-none'),
  refusal: maybe(...refusals, 'policy.never'),
})

test('a search finds what looking at every entry finds, in the same order, whatever is asked', async () => {
  const { folder, find, database } = fill(size)
  const all = database.prepare('SELECT body FROM entries ORDER BY seq').all()
  const entries = all.map(({ body }) => JSON.parse(String(body)) as Entry)
  fc.assert(
    fc.property(query, (asked) => {
      expect(find(asked).map(({ seq }) => seq)).toEqual(sift(entries, asked))
    }),
    { numRuns: 2000 },
  )
  expect(await verifyLedger({ folder })).toMatchObject({ holds: true, size })
})

test('a list that lacks an entry, has one too many, was moved or lost is found by verifying', async () => {
  const { folder } = fill(2 * segmentEntries + 5)
  const file = new DatabaseSync(join(folder, 'ledger.db'))
  const good = file.prepare('SELECT * FROM postings').all()
  const insert = file.prepare('INSERT INTO postings (segment, field, value, places) VALUES (?, ?, ?, ?)')
  const where = "WHERE segment = 1 AND field = 0 AND value = 'test.noted'"
  for (const change of [
    `UPDATE postings SET places = substr(places, 3) ${where}`,
    `UPDATE postings SET places = CAST(places || x'ff03' AS BLOB) ${where}`,
    `UPDATE postings SET value = 'test.none' ${where}`,
    `UPDATE postings SET segment = 5 ${where}`,
    `DELETE FROM postings ${where}`,
    "INSERT INTO postings VALUES (1, 3, 'policy.never', x'0000')",
    "INSERT INTO postings VALUES (2, 0, 'test.noted', x'0000')",
    "INSERT INTO postings VALUES (-1, 0, 'test.noted', x'0000')",
  ]) {
    file.exec(change)
    const { problems } = await verifyLedger({ folder })
    expect(problems.length, change).toBeGreaterThan(0)
    expect(new Set(problems.map(({ kind }) => kind)), change).toEqual(new Set(['search-forged']))
    file.exec('DELETE FROM postings')
    for (const { segment, field, value, places } of good)
      insert.run(segment ?? null, field ?? null, value ?? null, places ?? null)
    expect(await verifyLedger({ folder }), change).toMatchObject({ holds: true })
  }
  file.close()
})

test('a search through 250,000 entries takes a quarter of what one through a million may', () => {
  const { find } = fill(250_000)
  const asked: LedgerQuery[] = [
    {},
    { event: 'test.noted' },
    { event: 'test.noted', limit: 1000 },
    { person: 'p-1', limit: 1000 },
    { person: 'p-1', after: 10, limit: 1000 },
    { exchange: 'x-41000' },
    { exchange: 'x-none' },
    { refusal: 'policy.held', limit: 1000 },
    { refusal: 'policy.never' },
    { person: 'p-2', event: 'test.missed', refusal: 'policy.never' },
    { person: 'p-2', event: 'nothing' },
  ]
  for (const each of asked) {
    find(each)
    const before = process.threadCpuUsage()
    find(each)
    const { user, system } = process.threadCpuUsage(before)
    expect((user + system) / 1000, JSON.stringify(each)).toBeLessThan(25)
  }
}, 120_000)

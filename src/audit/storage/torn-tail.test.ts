import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { temporaryFolder } from '../../../test/world/folder.ts'
import { noted } from '../../../test/world/ledger.ts'
import { Batch } from '../batch.ts'
import { writeBody } from '../entry.ts'
import { createHeadSigner, makeLedgerKey } from '../heads.ts'
import { verifyLedger } from '../verify/verify.ts'
import type { Opened, WriterSettings } from './messages.ts'
import { Damage } from './schema.ts'
import { openTreeStore, type TreeStore } from './tree-store.ts'
import { unfinishedBytes } from './wal-tail.ts'

const privateKey = makeLedgerKey().toString()
const origin = 'castellan'
const { verifierKey } = createHeadSigner(privateKey, origin)
const frameBytes = 24 + 8192
const files = ['ledger.db', 'ledger.db-wal', 'ledger.head'] as const
const nowMs = Date.UTC(2026, 0, 5, 9)

function settingsFor(folder: string): WriterSettings {
  writeFileSync(join(folder, 'ledger-key.pub'), verifierKey)
  return { folder, origin, privateKey }
}

function append(store: TreeStore, count: number, text = 'x'): void {
  const batch = new Batch()
  const firstSeq = store.standing().size + 1
  for (let n = 0; n < count; n++)
    batch.write(writeBody(noted, { outcome: 'succeeded', exchange: `x-${n}`, details: { text } }, firstSeq + n, nowMs))
  store.commit({ kind: 'commit', firstSeq, bodies: batch.bytes(), values: batch.values, timeMs: nowMs })
}

type Files = Readonly<Record<(typeof files)[number], Buffer>>

function take(folder: string): Files {
  const [db, log, head] = files.map((name) => readFileSync(join(folder, name)))
  const none = Buffer.alloc(0)
  return { 'ledger.db': db ?? none, 'ledger.db-wal': log ?? none, 'ledger.head': head ?? none }
}

function lay(folder: string, taken: Files): void {
  for (const name of files) writeFileSync(join(folder, name), taken[name])
}

/** The files of a running writer before and after its last commit; every one before was told of. */
function lastCommit() {
  const folder = temporaryFolder()
  const store = openTreeStore(settingsFor(folder))
  append(store, 3)
  append(store, 30, 'word '.repeat(200))
  const before = take(folder)
  append(store, 12, 'word '.repeat(300))
  const after = take(folder)
  store.close()
  const log = after['ledger.db-wal']
  const start = before['ledger.db-wal'].length
  return { before, after, log, start, bytes: log.length - start }
}

/** Opens what a crash left, appends to it and verifies. @returns how it was found */
async function goOn(taken: Files, folder = temporaryFolder()): Promise<Opened> {
  lay(folder, taken)
  const store = openTreeStore(settingsFor(folder))
  const found = store.standing()
  append(store, 2)
  store.close()
  expect(await verifyLedger({ folder })).toMatchObject({ holds: true, size: found.size + 2 })
  return found
}

/** All places around the borders of frames and their headers, and every 211th in between. */
function places(bytes: number): number[] {
  const isBorder = (at: number) => (at + 3) % frameBytes < 32
  return Array.from({ length: bytes }, (_, at) => at).filter((at) => isBorder(at) || at % 211 === 0)
}

test('a commit that was torn off anywhere is cut, the cut is told, and what was told of before is there', async () => {
  const { before, after, log, start, bytes } = lastCommit()
  expect(bytes % frameBytes).toBe(0)
  expect(bytes).toBeGreaterThan(2 * frameBytes)
  const folder = temporaryFolder()
  for (const at of places(bytes)) {
    const torn = { ...after, 'ledger.head': before['ledger.head'], 'ledger.db-wal': log.subarray(0, start + at) }
    lay(folder, torn)
    expect(unfinishedBytes(folder), `at ${at}`).toBe(at)
    if (at % 19 === 0) expect(await goOn(torn, folder)).toMatchObject({ size: 33, unanswered: 0, cutBytes: at })
  }
  expect(await goOn({ ...after, 'ledger.head': before['ledger.head'] })).toMatchObject({
    size: 45,
    unanswered: 12,
    cutBytes: 0,
  })
  expect(await goOn(after)).toMatchObject({ size: 45, unanswered: 0, cutBytes: 0 })
}, 60_000)

test('entries that were told of and are torn off are missed, at every place, and nothing more is lost', () => {
  const { after, log, start, bytes } = lastCommit()
  const folder = temporaryFolder()
  for (const at of places(bytes)) {
    const torn = { ...after, 'ledger.db-wal': log.subarray(0, start + at) }
    lay(folder, torn)
    expect(() => openTreeStore(settingsFor(folder)), `at ${at}`).toThrow(Damage)
    expect(readFileSync(join(folder, 'ledger.db-wal')).equals(torn['ledger.db-wal']), `at ${at}`).toBe(true)
    expect(readFileSync(join(folder, 'ledger.db')).equals(torn['ledger.db']), `at ${at}`).toBe(true)
  }
}, 60_000)

test('a rotten bit in the last commit is missed when it was told of, and cut when it was not', async () => {
  const { before, after, log, start, bytes } = lastCommit()
  const folder = temporaryFolder()
  for (const at of places(bytes)) {
    const rotten = Buffer.from(log)
    rotten[start + at] = (rotten[start + at] ?? 0) ^ (1 << (at % 8))
    lay(folder, { ...after, 'ledger.db-wal': rotten })
    expect(() => openTreeStore(settingsFor(folder)), `at ${at}`).toThrow(Damage)
    if (at % 19 !== 0) continue
    const untold = { ...after, 'ledger.db-wal': rotten, 'ledger.head': before['ledger.head'] }
    expect(await goOn(untold, folder), `at ${at}`).toMatchObject({ size: 33, unanswered: 0 })
  }
}, 60_000)

test('a rotten header of the log is missed', () => {
  const { after, log } = lastCommit()
  const folder = temporaryFolder()
  for (let at = 0; at < 32; at++) {
    const rotten = Buffer.from(log)
    rotten[at] = (rotten[at] ?? 0) ^ 1
    lay(folder, { ...after, 'ledger.db-wal': rotten })
    expect(() => openTreeStore(settingsFor(folder)), `at ${at}`).toThrow(Damage)
  }
})

test('garbage behind the last commit is cut, and what the log held before it began anew is none', async () => {
  const { after, log } = lastCommit()
  const garbage = Buffer.alloc(3 * frameBytes, 7)
  expect(await goOn({ ...after, 'ledger.db-wal': Buffer.concat([log, garbage]) })).toMatchObject({ size: 45 })
  const folder = temporaryFolder()
  const store = openTreeStore(settingsFor(folder))
  onTestFinished(() => store.close())
  while (readFileSync(join(folder, 'ledger.db-wal')).length < 4_500_000) append(store, 500, 'word '.repeat(200))
  store.tidy()
  append(store, 2)
  const taken = take(folder)
  expect(taken['ledger.db-wal'].length).toBeGreaterThan(4_000_000)
  const copy = temporaryFolder()
  lay(copy, taken)
  expect(unfinishedBytes(copy)).toBe(0)
  expect(await goOn(taken)).toMatchObject({ size: store.standing().size, unanswered: 0, cutBytes: 0 })
})

test('a newest entry that was changed, a lost list and a head of another ledger are missed', async () => {
  const { after } = lastCommit()
  const { DatabaseSync } = await import('node:sqlite')
  const changes = [
    "UPDATE entries SET body = replace(body, 'word', 'walk') WHERE seq = 35",
    'DELETE FROM entries WHERE seq = 40',
    "INSERT INTO postings VALUES (0, 0, 'test.noted', x'0000')",
    'DELETE FROM heads WHERE number = 2',
    'DROP TABLE postings',
  ]
  for (const change of changes) {
    const folder = temporaryFolder()
    lay(folder, after)
    const database = new DatabaseSync(join(folder, 'ledger.db'))
    database.exec(change)
    database.close()
    expect(() => openTreeStore(settingsFor(folder)), change).toThrow(Damage)
  }
  const folder = temporaryFolder()
  lay(folder, { ...after, 'ledger.db': Buffer.alloc(8192, 1), 'ledger.db-wal': Buffer.alloc(0) })
  expect(() => openTreeStore(settingsFor(folder))).toThrow(Damage)
})

test('without a log there is nothing unfinished', () => {
  const folder = temporaryFolder()
  expect(unfinishedBytes(folder)).toBe(0)
  copyFileSync(import.meta.filename, join(folder, 'ledger.db'))
  expect(existsSync(join(folder, 'ledger.db-wal'))).toBe(false)
  expect(unfinishedBytes(folder)).toBe(0)
})

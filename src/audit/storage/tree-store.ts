/**
 * The tree on disk: adds a batch of entries with its signed head in one transaction, all of it or none.
 * Stops: an entry without a head, a gap, a batch half written, going on from a ledger that was cut or altered.
 * Trusts: the folder's lock, to be the only writer.
 * Fails: by throwing; after a failed commit the store is closed and never used again.
 */
import type { DatabaseSync } from 'node:sqlite'

import { createHeadSigner, type Head } from '../heads.ts'
import { hashBytes, leafPrefix, writeHash } from '../merkle.ts'
import { openHeadFile } from './head-file.ts'
import type { Opened, WriterRequest, WriterSettings } from './messages.ts'
import { searched, segmentEntries } from './postings.ts'
import { makeFile, openForWriting } from './schema.ts'
import { readStanding, type Standing } from './standing.ts'
import { unfinishedBytes } from './wal-tail.ts'

/** Bodies after which the write-ahead log is moved into the file. */
const checkpointBytes = 4_000_000

type CommitRequest = Extract<WriterRequest, { kind: 'commit' }>

export interface TreeStore {
  standing(): Opened
  /** Returns once the batch is on disk. */
  commit(batch: CommitRequest): void
  /** What can wait until the batch is answered for. Throws as a commit does. */
  tidy(): void
  close(): void
}

/** @throws Damage when the newest head does not vouch for what is there; any other error may pass */
export function openTreeStore(settings: WriterSettings): TreeStore {
  const signer = createHeadSigner(settings.privateKey, settings.origin)
  const cutBytes = unfinishedBytes(settings.folder)
  makeFile(settings.folder)
  const standing = readStanding(settings.folder, signer.verifierKey)
  const database = openForWriting(settings.folder)
  try {
    // WHY: the log may hold what a failed flush left in memory only; in the file, flushed, it is durable.
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return createTreeStore(database, { ...standing, cutBytes }, settings, signer.write)
  } catch (error) {
    database.close()
    throw error
  }
}

function unescape(value: string): string {
  return value.includes('\\') ? String(JSON.parse(`"${value}"`)) : value
}

function createTreeStore(
  database: DatabaseSync,
  standing: Standing & { readonly cutBytes: number },
  settings: WriterSettings,
  writeNote: (head: Head) => string,
): TreeStore {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const end = database.prepare('COMMIT')
  const insertEntry = database.prepare('INSERT INTO entries (seq, body, leaf) VALUES (?, CAST(? AS TEXT), ?)')
  const insertHead = database.prepare('INSERT INTO heads (number, size, note, edge) VALUES (?, ?, ?, ?)')
  const insertPosting = database.prepare('INSERT INTO postings (segment, field, value, places) VALUES (?, ?, ?, ?)')
  const { edge, lists } = standing
  const leaf = Buffer.alloc(hashBytes)
  let number = standing.head?.number ?? 0
  let untidyBytes = 0
  const emptyHead = () =>
    writeNote({ origin: settings.origin, size: 0, root: edge.root(), number: 0, time: new Date(0).toISOString() })
  const headFile = openHeadFile(settings.folder, standing.note ?? emptyHead())

  function insertLists(segment: number): void {
    for (const { field, value, places } of lists.take()) insertPosting.run(segment, field, value, places)
  }

  function insertEntries(bodies: Buffer, values: readonly string[]): void {
    let value = 0
    for (let at = 0; at < bodies.length; value += searched.length) {
      const next = bodies.indexOf(leafPrefix, at + 1)
      const end = next === -1 ? bodies.length : next
      writeHash(bodies.subarray(at, end), leaf, 0)
      edge.append(leaf)
      insertEntry.run(edge.size, bodies.subarray(at + 1, end), leaf)
      lists.add((edge.size - 1) % segmentEntries, values.slice(value, value + searched.length))
      if (edge.size % segmentEntries === 0) insertLists(edge.size / segmentEntries - 1)
      at = end
    }
  }

  function insertNote(timeMs: number): string {
    number += 1
    const time = new Date(timeMs).toISOString()
    const note = writeNote({ origin: settings.origin, size: edge.size, root: edge.root(), number, time })
    insertHead.run(number, edge.size, note, edge.bytes())
    return note
  }

  return {
    standing() {
      const { lastEvent, unanswered, cutBytes } = standing
      return { size: edge.size, lastEvent, unanswered, cutBytes }
    },
    commit({ firstSeq, bodies, values, timeMs }) {
      if (firstSeq !== edge.size + 1) throw new Error('the batch does not continue the ledger')
      begin.run()
      insertEntries(Buffer.from(bodies.buffer, bodies.byteOffset, bodies.byteLength), values.split('\0').map(unescape))
      const note = insertNote(timeMs)
      end.run()
      untidyBytes += bodies.length
      // WHY: the batch is durable; a head file that cannot be written is older than the ledger, which is allowed.
      try {
        headFile.write(note)
      } catch {}
    },
    tidy() {
      if (untidyBytes < checkpointBytes) return
      untidyBytes = 0
      database.exec('PRAGMA wal_checkpoint(PASSIVE)')
    },
    close() {
      headFile.close()
      database.close()
    },
  }
}

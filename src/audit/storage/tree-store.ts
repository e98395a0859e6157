/**
 * The tree on disk: adds a batch of entries with its signed head in one transaction, all of it or none.
 * Stops: an entry without a head, a gap, a batch half written, going on from a ledger that was cut or altered.
 * Trusts: the folder's lock, to be the only writer.
 * Fails: by throwing; after a failed commit the store is closed and never used again.
 */
import type { DatabaseSync } from 'node:sqlite'

import { createHeadSigner, type Head } from '../heads.ts'
import { type FullSubtree, hashBytes, leafPrefix, writeHash } from '../merkle.ts'
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

interface Inserts {
  /** Adds entries to the file and to the tree. */
  entries(bodies: Buffer, values: readonly string[]): void
  head(number: number, note: string): void
}

function prepareInserts(database: DatabaseSync, { edge, lists }: Pick<Standing, 'edge' | 'lists'>): Inserts {
  const entry = database.prepare('INSERT INTO entries (seq, body, leaf) VALUES (?, CAST(? AS TEXT), ?)')
  const head = database.prepare('INSERT INTO heads (number, size, note, edge) VALUES (?, ?, ?, ?)')
  const posting = database.prepare('INSERT INTO postings (segment, field, value, places) VALUES (?, ?, ?, ?)')
  const subtree = database.prepare('INSERT INTO subtrees (level, place, root) VALUES (?, ?, ?)')
  const keep = ({ level, place, root }: FullSubtree) => void subtree.run(level, place, root)
  const leaf = Buffer.alloc(hashBytes)
  return {
    entries(bodies, values) {
      let value = 0
      for (let at = 0; at < bodies.length; value += searched.length) {
        const next = bodies.indexOf(leafPrefix, at + 1)
        const end = next === -1 ? bodies.length : next
        writeHash(bodies.subarray(at, end), leaf, 0)
        edge.append(leaf, keep)
        entry.run(edge.size, bodies.subarray(at + 1, end), leaf)
        lists.add((edge.size - 1) % segmentEntries, values.slice(value, value + searched.length))
        at = end
        if (edge.size % segmentEntries !== 0) continue
        const segment = edge.size / segmentEntries - 1
        for (const { field, value: listed, places } of lists.take()) posting.run(segment, field, listed, places)
      }
    },
    head: (number, note) => void head.run(number, edge.size, note, edge.bytes()),
  }
}

function createTreeStore(
  database: DatabaseSync,
  standing: Standing & { readonly cutBytes: number },
  { folder, origin }: WriterSettings,
  writeNote: (head: Head) => string,
): TreeStore {
  const begin = database.prepare('BEGIN IMMEDIATE')
  const end = database.prepare('COMMIT')
  const inserts = prepareInserts(database, standing)
  const { edge } = standing
  let number = standing.head?.number ?? 0
  let untidyBytes = 0
  const headAt = (timeMs: number): string =>
    writeNote({ origin, size: edge.size, root: edge.root(), number, time: new Date(timeMs).toISOString() })
  const headFile = openHeadFile(folder, standing.note ?? headAt(0))

  return {
    standing() {
      const { lastEvent, unanswered, cutBytes } = standing
      return { size: edge.size, lastEvent, unanswered, cutBytes }
    },
    commit({ firstSeq, bodies, values, timeMs }) {
      if (firstSeq !== edge.size + 1) throw new Error('the batch does not continue the ledger')
      begin.run()
      const batch = Buffer.from(bodies.buffer, bodies.byteOffset, bodies.byteLength)
      inserts.entries(batch, values.split('\0').map(unescape))
      number += 1
      const note = headAt(timeMs)
      inserts.head(number, note)
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

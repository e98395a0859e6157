/**
 * The tree on disk: adds a batch of entries with its signed head in one transaction, all of it or none.
 * Stops: an entry without a head, a gap, a batch half written, going on from a ledger that was cut or altered.
 * Trusts: the folder's lock, to be the only writer.
 * Fails: by throwing; after a failed commit the store is closed and never used again.
 */
import type { DatabaseSync } from 'node:sqlite'

import { createHeadSigner, createHeadVerifier, type Head } from '../heads.ts'
import { hashLeaf, TreeEdge } from '../merkle.ts'
import { openHeadFile, readHeadFile } from './head-file.ts'
import type { Opened, WriterSettings } from './messages.ts'
import { openForWriting } from './schema.ts'

/** The ledger does not agree with what was signed: waiting does not help. */
export class Damage extends Error {}

export interface TreeStore {
  standing(): Opened
  /** Returns once the batch is on disk. */
  commit(firstSeq: number, bodies: readonly string[], timeMs: number): void
  close(): void
}

interface Standing {
  readonly head: Head | undefined
  readonly edge: TreeEdge
  readonly note: string | undefined
  readonly lastEvent: string | undefined
}

function readStanding(database: DatabaseSync, verifierKey: string, fileNote: string | undefined): Standing {
  const verifier = createHeadVerifier(verifierKey)
  const row = database.prepare('SELECT number, size, note, edge FROM heads ORDER BY number DESC LIMIT 1').get()
  const last = database.prepare('SELECT seq, body, leaf FROM entries ORDER BY seq DESC LIMIT 1').get()
  const kept = fileNote === undefined ? undefined : verifier?.read(fileNote)
  if (row === undefined) {
    if (last !== undefined || (kept !== undefined ? kept.size > 0 : fileNote !== undefined))
      throw new Damage('the ledger has lost its signed heads')
    return { head: undefined, edge: TreeEdge.empty(), note: undefined, lastEvent: undefined }
  }
  const note = String(row['note'])
  const head = verifier?.read(note)
  const edge = row['edge'] instanceof Uint8Array ? TreeEdge.read(Number(row['size']), row['edge']) : undefined
  if (head === undefined || edge === undefined || head.size !== row['size'] || head.number !== row['number'])
    throw new Damage('the newest head of the ledger is not signed by its key')
  if (!edge.root().equals(head.root)) throw new Damage('the ledger does not agree with its newest head')
  if (last?.['seq'] !== head.size) throw new Damage('the ledger is shorter or longer than its newest head')
  const body = String(last['body'])
  if (!(last['leaf'] instanceof Uint8Array) || !hashLeaf(body).equals(last['leaf']))
    throw new Damage('the last entry of the ledger was changed')
  if (kept === undefined || kept.size > head.size) throw new Damage('the ledger was cut back behind its newest head')
  const twin = database.prepare('SELECT note FROM heads WHERE number = ?').get(kept.number)
  if (kept.number > 0 && twin?.['note'] !== fileNote) throw new Damage('the ledger is not the one its newest head saw')
  return { head, edge, note, lastEvent: eventOf(body) }
}

function eventOf(body: string): string | undefined {
  const entry: unknown = JSON.parse(body)
  return typeof entry === 'object' && entry !== null && 'event' in entry ? String(entry.event) : undefined
}

/** @throws Damage when the newest head does not vouch for what is there; any other error may pass */
export function openTreeStore(settings: WriterSettings): TreeStore {
  const signer = createHeadSigner(settings.privateKey, settings.origin)
  const fileNote = readHeadFile(settings.folder)
  const database = openForWriting(settings.folder)
  try {
    return createTreeStore(database, readStanding(database, signer.verifierKey, fileNote), settings, signer.write)
  } catch (error) {
    database.close()
    throw error
  }
}

function createTreeStore(
  database: DatabaseSync,
  standing: Standing,
  settings: WriterSettings,
  writeNote: (head: Head) => string,
): TreeStore {
  const insertEntry = database.prepare('INSERT INTO entries (seq, body, leaf) VALUES (?, ?, ?)')
  const insertHead = database.prepare('INSERT INTO heads (number, size, note, edge) VALUES (?, ?, ?, ?)')
  const edge = standing.edge
  let number = standing.head?.number ?? 0
  const emptyHead = () =>
    writeNote({ origin: settings.origin, size: 0, root: edge.root(), number: 0, time: new Date(0).toISOString() })
  const headFile = openHeadFile(settings.folder, standing.note ?? emptyHead())

  function insert(firstSeq: number, bodies: readonly string[], timeMs: number): string {
    if (firstSeq !== edge.size + 1) throw new Error('the batch does not continue the ledger')
    for (const body of bodies) {
      const leaf = hashLeaf(body)
      edge.append(leaf)
      insertEntry.run(edge.size, body, leaf)
    }
    number += 1
    const time = new Date(timeMs).toISOString()
    const note = writeNote({ origin: settings.origin, size: edge.size, root: edge.root(), number, time })
    insertHead.run(number, edge.size, note, edge.bytes())
    return note
  }

  return {
    standing: () => ({ size: edge.size, lastEvent: standing.lastEvent }),
    commit(firstSeq, bodies, timeMs) {
      database.exec('BEGIN IMMEDIATE')
      const note = insert(firstSeq, bodies, timeMs)
      database.exec('COMMIT')
      // WHY: the batch is durable; a head file that cannot be written is older than the ledger, which is allowed.
      try {
        headFile.write(note)
      } catch {}
    },
    close() {
      headFile.close()
      database.close()
    },
  }
}

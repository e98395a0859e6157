/**
 * Where does the ledger on disk stand, and does its newest head vouch for it? Asked once at each opening.
 * Stops: going on from a ledger that was cut back, altered at its end, or robbed of its heads or lists.
 * Trusts: heads signed by the ledger key.
 * Fails: with Damage; entries further back are for `verify` to check.
 */
import type { DatabaseSync } from 'node:sqlite'

import { createHeadVerifier, type Head, type HeadVerifier } from '../heads.ts'
import { hashLeaf, TreeEdge } from '../merkle.ts'
import { readHeadFile } from './head-file.ts'
import { searchedIn, SegmentLists, segmentEntries } from './postings.ts'
import { asDamage, checkSchema, Damage, headFile, isEmpty, openBesideLog } from './schema.ts'

export interface Standing {
  readonly head: Head | undefined
  readonly edge: TreeEdge
  readonly note: string | undefined
  readonly lastEvent: string | undefined
  /** Of the segment that is not full yet. */
  readonly lists: SegmentLists
  /** Entries beyond the head kept outside the database: nobody was told that they are durable. */
  readonly unanswered: number
}

type Row = Readonly<Record<string, unknown>>

interface SignedEdge {
  readonly head: Head
  readonly edge: TreeEdge
}

function readSigned(row: Row, verifier: HeadVerifier | undefined): SignedEdge {
  const head = verifier?.read(String(row['note']))
  const edge = row['edge'] instanceof Uint8Array ? TreeEdge.read(Number(row['size']), row['edge']) : undefined
  if (head === undefined || edge === undefined || head.size !== row['size'] || head.number !== row['number'])
    throw new Damage('the newest head of the ledger is not signed by its key')
  if (!edge.root().equals(head.root)) throw new Damage('the ledger does not agree with its newest head')
  return { head, edge }
}

function readBodies(database: DatabaseSync, after: number, visit: (body: Buffer, seq: number) => void): number {
  const rows = database
    .prepare('SELECT seq, CAST(body AS BLOB) AS body FROM entries WHERE seq > ? ORDER BY seq')
    .iterate(after)
  let last = after
  for (const { seq, body } of rows) {
    last += 1
    if (seq !== last || !(body instanceof Uint8Array)) throw new Damage(`entry ${last} of the ledger is missing`)
    visit(Buffer.from(body.buffer, body.byteOffset, body.byteLength), last)
  }
  return last
}

/** The entries of the newest head, hashed onto the state of the head before it. */
function checkNewest(database: DatabaseSync, newest: SignedEdge, before: SignedEdge | undefined): void {
  const grown = before?.edge.copy() ?? TreeEdge.empty()
  const last = readBodies(database, grown.size, (body) => grown.append(hashLeaf(body)))
  if (last !== newest.head.size) throw new Damage('the ledger is shorter or longer than its newest head')
  if (!grown.root().equals(newest.head.root)) throw new Damage('one of the newest entries of the ledger was changed')
}

function readLists(database: DatabaseSync, size: number): SegmentLists {
  const full = Math.floor(size / segmentEntries)
  const last = database.prepare('SELECT max(segment) AS last FROM postings').get()?.['last'] ?? -1
  if (last !== full - 1) throw new Damage('the ledger has lost lists that are searched')
  const lists = new SegmentLists()
  readBodies(database, full * segmentEntries, (body, seq) =>
    lists.add((seq - 1) % segmentEntries, searchedIn(JSON.parse(body.toString()))),
  )
  return lists
}

function eventOf(database: DatabaseSync, seq: number): string | undefined {
  const row = database.prepare("SELECT body ->> '$.event' AS event FROM entries WHERE seq = ?").get(seq)
  return typeof row?.['event'] === 'string' ? row['event'] : undefined
}

/** The head file says how far the ledger had come when someone was last told so. */
function checkKept(database: DatabaseSync, fileNote: string | undefined, kept: Head | undefined, head: Head): void {
  if (kept === undefined) throw new Damage(`\`${headFile}\` is missing or not what the ledger key signed`)
  if (kept.size > head.size)
    throw new Damage(
      `the ledger was cut back: it ends with entry ${head.size}, and ${kept.size} were signed and told of`,
    )
  const twin = database.prepare('SELECT note FROM heads WHERE number = ?').get(kept.number)
  if (kept.number > 0 && twin?.['note'] !== fileNote) throw new Damage('the ledger is not the one its newest head saw')
}

function begin(): Standing {
  const empty = { head: undefined, edge: TreeEdge.empty(), note: undefined, lastEvent: undefined }
  return { ...empty, lists: new SegmentLists(), unanswered: 0 }
}

function readFrom(database: DatabaseSync, verifier: HeadVerifier | undefined, fileNote: string | undefined): Standing {
  const kept = fileNote === undefined ? undefined : verifier?.read(fileNote)
  const isNew = isEmpty(database)
  if (!isNew) checkSchema(database)
  const rows = isNew
    ? []
    : database.prepare('SELECT number, size, note, edge FROM heads ORDER BY number DESC LIMIT 2').all()
  const [newest, before] = rows.map((row) => readSigned(row, verifier))
  if (newest === undefined) {
    const hasEntries = !isNew && database.prepare('SELECT 1 FROM entries LIMIT 1').get() !== undefined
    if (hasEntries || (kept === undefined ? fileNote !== undefined : kept.size > 0))
      throw new Damage('the ledger has lost its signed heads')
    return begin()
  }
  const { head, edge } = newest
  if (head.number !== (before?.head.number ?? 0) + 1) throw new Damage('the ledger has lost a signed head')
  checkKept(database, fileNote, kept, head)
  checkNewest(database, newest, before)
  return {
    head,
    edge,
    note: String(rows[0]?.['note']),
    lastEvent: eventOf(database, head.size),
    lists: readLists(database, head.size),
    unanswered: head.size - (kept?.size ?? head.size),
  }
}

/**
 * Reads without writing, so that a damaged ledger stays as it was found, its write-ahead log included.
 * @throws Damage when the newest head does not vouch for what is there
 */
export function readStanding(folder: string, verifierKey: string): Standing {
  const verifier = createHeadVerifier(verifierKey)
  const fileNote = readHeadFile(folder)
  let database: DatabaseSync | undefined
  try {
    database = openBesideLog(folder)
    return readFrom(database, verifier, fileNote)
  } catch (error) {
    throw asDamage(error)
  } finally {
    database?.close()
  }
}

/**
 * The proof of an entry, or of growth, from what is on disk: under the newest signed head, in one snapshot.
 * Stops: a proof that needs the whole ledger to be read.
 * Trusts: the file; what comes of a changed one does not fit the signed root, which whoever checks it finds.
 * Fails: with undefined beyond the newest head; by throwing when rows are missing.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

import { hashNode, tileLevels } from '../merkle.ts'
import { writeConsistency, writeInclusion } from '../proofs/proof-text.ts'
import { proveConsistency, proveInclusion, type Subtrees } from '../proofs/tree-proof.ts'
import type { AskedProof } from './messages.ts'
import { Damage } from './schema.ts'

interface NewestHead {
  readonly size: number
  readonly note: string
}

function newestHead(database: DatabaseSync): NewestHead | undefined {
  const row = database.prepare('SELECT size, note FROM heads ORDER BY number DESC LIMIT 1').get()
  return row === undefined ? undefined : { size: Number(row['size']), note: String(row['note']) }
}

/** The newest signed note. */
export function readCheckpoint(database: DatabaseSync): string | undefined {
  return newestHead(database)?.note
}

function hashesOf(found: StatementSync, first: number, count: number, ...level: number[]): Uint8Array[] {
  const hashes = found.all(...level, first, first + count - 1).map((row) => Object.values(row)[0])
  const isWhole = hashes.length === count && hashes.every((hash) => hash instanceof Uint8Array)
  if (!isWhole) throw new Damage('hashes of the tree are missing')
  return hashes
}

function fold(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes
  while (row.length > 1) {
    const below = row
    row = below.flatMap((left, at) => (at % 2 === 0 ? [hashNode(left, below[at + 1] ?? left)] : []))
  }
  return row[0] ?? new Uint8Array()
}

/** Each is folded from at most 128 hashes of the kept level below it. */
function subtreesOf(database: DatabaseSync): Subtrees {
  const leaves = database.prepare('SELECT leaf FROM entries WHERE seq BETWEEN ? AND ? ORDER BY seq')
  const kept = database.prepare('SELECT root FROM subtrees WHERE level = ? AND place BETWEEN ? AND ? ORDER BY place')
  return (level, place) => {
    const above = level % tileLevels
    const below = level - above
    const count = 2 ** above
    const first = place * count
    return fold(below === 0 ? hashesOf(leaves, first + 1, count) : hashesOf(kept, first, count, below))
  }
}

/** @returns undefined where the newest head has no such entry, or is of a smaller ledger */
export function prove(database: DatabaseSync, asked: AskedProof): string | undefined {
  const head = newestHead(database)
  if (head === undefined) return undefined
  const { size, note: checkpoint } = head
  const subtrees = subtreesOf(database)
  if ('from' in asked) {
    const { from } = asked
    if (from > size) return undefined
    return writeConsistency({ from, hashes: proveConsistency(subtrees, from, size), checkpoint })
  }
  const index = asked.seq - 1
  if (index >= size) return undefined
  const entry = database.prepare('SELECT CAST(body AS BLOB) AS body FROM entries WHERE seq = ?').get(asked.seq)?.[
    'body'
  ]
  if (!(entry instanceof Uint8Array)) throw new Damage(`entry ${asked.seq} is missing`)
  return writeInclusion({ index, entry, hashes: proveInclusion(subtrees, index, size), checkpoint })
}

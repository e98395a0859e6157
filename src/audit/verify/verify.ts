/**
 * Does the ledger on disk say what its writer signed? Offline, with the public key only, beside a running writer.
 * Stops: entries that were changed, taken out, moved, added or cut off, and heads of another key.
 * Trusts: the public key: pass `publicKey` from a safe place, or the one in the folder is believed.
 * Fails: with a problem in the verdict, never silently; memory does not grow with the ledger.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'

import { createHeadVerifier, type Head, type HeadVerifier } from '../heads.ts'
import { ListCheck } from './list-check.ts'
import type { FullSubtree } from '../merkle.ts'
import { readHeadFile } from '../storage/head-file.ts'
import { checkSchema, Damage, headFile, openForReading, verifierFile } from '../storage/schema.ts'
import { SubtreeCheck } from './subtree-check.ts'
import { type Report, TreeCheck, type TreeCheckOptions } from './tree-check.ts'

export interface LedgerProblem {
  readonly kind:
    | 'changed'
    | 'missing'
    | 'reordered'
    | 'truncated'
    | 'head-forged'
    | 'search-forged'
    | 'proof-forged'
    | 'unreadable'
  /** The entry, or the first of a range; for a head, the entry it ends with. 0: the ledger as a whole. */
  readonly seq: number
  /** Last entry of the range that can be proved to be wrong somewhere; equals `seq` for one entry. */
  readonly lastSeq: number
  readonly says: string
}

export interface Verdict {
  readonly holds: boolean
  /** Entries found. */
  readonly size: number
  /** RFC 6962 root over the entries found, hex. */
  readonly root: string
  /** The problem with the lowest `seq`. */
  readonly firstProblem?: LedgerProblem
  /** At most 1000, by `seq`. */
  readonly problems: readonly LedgerProblem[]
}

export interface VerifyOptions {
  /** The data folder, or a copy of its `ledger.db`, `ledger.head` and `ledger-key.pub`. */
  readonly folder: string
  /** The line of `ledger-key.pub`, kept elsewhere; without it the file in the folder is believed. */
  readonly publicKey?: string
  readonly onProgress?: (progress: { done: number; total: number }) => void
}

const mostProblems = 1000

interface Expected {
  readonly verifier: HeadVerifier
  /** From `ledger.head`. */
  readonly newest: Head | undefined
}

function readExpected({ folder, publicKey }: VerifyOptions, report: Report): Expected | undefined {
  const path = join(folder, verifierFile)
  const line = publicKey ?? (existsSync(path) ? readFileSync(path, 'utf8') : '')
  const verifier = createHeadVerifier(line)
  if (verifier === undefined) {
    report('unreadable', 0, publicKey === undefined ? `\`${verifierFile}\` is missing or no key` : 'no such key')
    return undefined
  }
  const note = readHeadFile(folder)
  const newest = note === undefined ? undefined : readNewest(folder, note, verifier)
  if (newest === undefined)
    report('head-forged', 0, `\`${headFile}\` is ${note === undefined ? 'missing' : 'not signed by the ledger key'}`)
  return { verifier, newest }
}

function readNewest(folder: string, note: string, verifier: HeadVerifier): Head | undefined {
  // WHY: a running writer may have been met in the middle of its one write.
  return verifier.read(note) ?? verifier.read(readHeadFile(folder) ?? '')
}

/**
 * Verifies every entry, every head and the lists that are searched of the ledger in `folder`.
 * @returns what holds and, for each thing that does not, the entry or the smallest range that can be proved wrong
 */
export async function verifyLedger(options: VerifyOptions): Promise<Verdict> {
  const problems: LedgerProblem[] = []
  const report: Report = (kind, seq, says, lastSeq = seq) => {
    if (problems.length < mostProblems) problems.push({ kind, seq, lastSeq, says })
  }
  // INVARIANT: the head file is read before the snapshot begins, so a running writer is never ahead of the snapshot.
  const expected = readExpected(options, report)
  let found = { size: 0, root: '' }
  if (expected !== undefined)
    try {
      found = verifyFile(options, expected, report, () => problems.length > 0)
    } catch (error) {
      report('unreadable', 0, `the ledger cannot be read: ${error instanceof Error ? error.message : 'unknown'}`)
    }
  problems.sort((left, right) => left.seq - right.seq)
  const [firstProblem] = problems
  return {
    holds: firstProblem === undefined,
    ...found,
    ...(firstProblem === undefined ? {} : { firstProblem }),
    problems,
  }
}

function verifyFile(
  options: VerifyOptions,
  expected: Expected,
  report: Report,
  hasProblems: () => boolean,
): { size: number; root: string } {
  const database = openForReading(options.folder)
  try {
    database.exec('BEGIN')
    checkSchema(database)
    const postings = database
      .prepare('SELECT segment, field, value, places FROM postings ORDER BY segment, field, value')
      .iterate()
    const lists = new ListCheck(postings)
    const subtrees = new SubtreeCheck(
      database.prepare('SELECT level, place, root FROM subtrees ORDER BY (place + 1) << level, level').iterate(),
    )
    const listening = {
      onEntry: (seq: number, entry: unknown) => lists.entry(seq, entry),
      onSubtree: (subtree: FullSubtree) => subtrees.completed(subtree),
    }
    const found = verifyEntries(database, { ...options, ...listening }, expected, report)
    // WHY: a changed entry also contradicts the lists it stands in; it is named once.
    if (!hasProblems()) lists.end(found.size, report)
    if (!hasProblems()) subtrees.end(found.size, report)
    if (!hasProblems()) checkPages(database, report)
    return found
  } catch (error) {
    if (!(error instanceof Damage)) throw error
    report('unreadable', 0, error.message)
    return { size: 0, root: '' }
  } finally {
    database.close()
  }
}

type Listening = Pick<TreeCheckOptions, 'onEntry' | 'onSubtree'>

const progressEvery = 10_000

function verifyEntries(
  database: DatabaseSync,
  { onProgress, ...listening }: VerifyOptions & Listening,
  { verifier, newest }: Expected,
  report: Report,
): { size: number; root: string } {
  const total = Number(database.prepare('SELECT max(seq) AS last FROM entries').get()?.['last'] ?? 0)
  const heads = database.prepare('SELECT number, size, note, edge FROM heads ORDER BY number').iterate()
  // WHY: as bytes, because text would hide what follows a NUL.
  const entries = database
    .prepare('SELECT seq, typeof(body) AS type, CAST(body AS BLOB) AS body, leaf FROM entries ORDER BY seq')
    .iterate()
  const check = new TreeCheck({ heads, verifier, newest, report, ...listening })
  let done = 0
  try {
    for (const row of entries) {
      check.entry(row)
      done += 1
      if (done % progressEvery === 0) onProgress?.({ done, total })
    }
  } catch (error) {
    report('unreadable', check.nextSeq, error instanceof Error ? error.message : 'unknown')
    return check.found()
  }
  check.end()
  onProgress?.({ done, total })
  return check.found()
}

function checkPages(database: DatabaseSync, report: Report): void {
  for (const row of database.prepare('PRAGMA integrity_check(20)').all()) {
    const says = String(row['integrity_check'])
    if (says !== 'ok') report('unreadable', Number(/^row (\d+) /.exec(says)?.[1] ?? 0), `the file is damaged: ${says}`)
  }
}

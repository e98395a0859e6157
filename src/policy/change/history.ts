/**
 * Which snapshots were there, and what did each change?
 * Stops: a history that tells what the database was made to say from outside.
 * Trusts: the hash of each snapshot.
 * Fails: one that is not as it was written is a Fault.
 */
import { refuse, type Refusal } from '#kernel'
import { plainContents, type PolicyContents, type SnapshotDocument } from '../snapshot/document.ts'
import { readKept, type Rows, type Snapshot } from '../snapshot/store.ts'
import { diffContents, type ChangedItem } from './contents-diff.ts'
import { changeRefusals } from './refusals.ts'

/** A snapshot as it is told of. */
export interface PastSnapshot {
  readonly version: number
  readonly hash: string
  readonly createdAt: number
  /** Null of Castellan itself. */
  readonly createdBy: string | null
  /** What it was made from; undefined where that is not on record. */
  readonly document: SnapshotDocument | undefined
}

export type KeptSnapshot = Snapshot & { readonly document: SnapshotDocument | undefined }

const maxListed = 100

/** The newest, newest first. @param before only older ones than this version */
export async function readHistory(rows: Rows, before = Number.MAX_SAFE_INTEGER): Promise<PastSnapshot[]> {
  const found = await rows
    .selectFrom('policy_snapshots')
    .select(['version', 'created_at', 'created_by'])
    .where('version', '<', before)
    .orderBy('version', 'desc')
    .limit(maxListed)
    .execute()
  const past: PastSnapshot[] = []
  for (const row of found) {
    const version = Number(row.version)
    const kept = await readKept(rows, version)
    if (kept === undefined) continue
    const { hash, document } = kept
    past.push({ version, hash, createdAt: Number(row.created_at), createdBy: row.created_by, document })
  }
  return past
}

/** One snapshot, or the refusal that there is none. */
export async function readPast(rows: Rows, version: number): Promise<KeptSnapshot | Refusal> {
  return (
    (await readKept(rows, version)) ?? refuse(changeRefusals.snapshotUnknown, { names: { version: String(version) } })
  )
}

const nothing: PolicyContents = plainContents({ roles: [], files: [], tests: [] })

/** What the second differs in from the first. */
export function diffSnapshots(from: KeptSnapshot, to: KeptSnapshot): ChangedItem[] {
  return diffContents(from.document ?? nothing, to.document ?? nothing)
}

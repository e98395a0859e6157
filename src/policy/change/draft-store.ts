/**
 * Which drafts does the database hold?
 * Stops: a draft read in part; a decision about other contents than those that are kept.
 * Trusts: the transaction it writes in.
 * Fails: a row that cannot be read is a Fault.
 */
import { createHash } from 'node:crypto'
import type { Tables } from '#platform/database'
import { plainContents, readContentsText, type CameFrom, type PolicyContents } from '../snapshot/document.ts'
import type { Rows } from '../snapshot/store.ts'
import type { Checks, Draft, DraftDecision } from './draft.ts'

const maxListed = 200

/** Contents as they are kept, and their hash. */
export function writeContents(contents: PolicyContents): { readonly text: string; readonly hash: string } {
  const text = JSON.stringify(plainContents(contents))
  return { text, hash: createHash('sha256').update(text, 'utf8').digest('hex') }
}

function readRow(row: Tables['policy_drafts']): Draft {
  return {
    id: row.id,
    baseVersion: Number(row.base_version),
    contents: readContentsText(row.document),
    hash: row.hash,
    state: row.state,
    author: row.author,
    editors: JSON.parse(row.editors) as string[],
    note: row.note,
    checks: JSON.parse(row.checks) as Checks,
    decisions: JSON.parse(row.decisions) as DraftDecision[],
    cameFrom: JSON.parse(row.came_from) as CameFrom,
    publishedVersion: row.published_version === null ? undefined : Number(row.published_version),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
}

export async function readDraft(rows: Rows, id: string): Promise<Draft | undefined> {
  const row = await rows.selectFrom('policy_drafts').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : readRow(row)
}

/** The newest, newest first. */
export async function readDrafts(rows: Rows): Promise<Draft[]> {
  const found = await rows
    .selectFrom('policy_drafts')
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(maxListed)
    .execute()
  return found.map(readRow)
}

/** Writes a draft, new or changed. */
export async function writeDraft(rows: Rows, draft: Draft): Promise<void> {
  const columns = {
    base_version: draft.baseVersion,
    document: writeContents(draft.contents).text,
    hash: draft.hash,
    state: draft.state,
    author: draft.author,
    editors: JSON.stringify(draft.editors),
    note: draft.note,
    checks: JSON.stringify(draft.checks),
    decisions: JSON.stringify(draft.decisions),
    came_from: JSON.stringify(draft.cameFrom),
    published_version: draft.publishedVersion ?? null,
    created_at: draft.createdAt,
    updated_at: draft.updatedAt,
  }
  await rows
    .insertInto('policy_drafts')
    .values({ id: draft.id, ...columns })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(columns))
    .execute()
}

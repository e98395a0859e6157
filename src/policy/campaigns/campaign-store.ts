/**
 * Which campaigns and items does the database hold?
 * Stops: an item that is written over what another node has written meanwhile.
 * Trusts: the transaction it writes in.
 * Fails: with the database.
 */
import type { Tables } from '#platform/database'
import type { Selectable } from 'kysely'
import type { Rows } from '../snapshot/store.ts'
import type {
  Campaign,
  CampaignEvidence,
  Item,
  ItemEvidence,
  ItemOutcome,
  ItemState,
  Scope,
  Subject,
} from './campaign.ts'

function readCampaignRow(row: Selectable<Tables['review_campaigns']>): Campaign {
  return {
    id: row.id,
    name: row.name,
    scope: JSON.parse(row.scope) as Scope,
    reviewers: JSON.parse(row.reviewers) as string[],
    whenDue: row.when_due,
    dueAt: Number(row.due_at),
    state: row.state,
    told: row.told,
    snapshotVersion: Number(row.snapshot_version),
    evidence: JSON.parse(row.evidence) as CampaignEvidence,
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    closedAt: row.closed_at === null ? null : Number(row.closed_at),
    closedBy: row.closed_by,
    draft: row.draft,
    exportHash: row.export_hash,
  }
}

function readItemRow(row: Selectable<Tables['review_items']>): Item {
  return {
    id: row.id,
    campaign: row.campaign,
    place: Number(row.place),
    kind: row.kind,
    personId: row.person_id,
    role: row.role,
    subject: JSON.parse(row.subject) as Subject,
    evidence: JSON.parse(row.evidence) as ItemEvidence,
    reviewers: JSON.parse(row.reviewers) as string[],
    state: row.state,
    revision: Number(row.revision),
    decidedBy: row.decided_by,
    decidedAt: row.decided_at === null ? null : Number(row.decided_at),
    reason: row.reason,
    outcome: JSON.parse(row.outcome) as ItemOutcome | null,
  }
}

export async function readCampaign(rows: Rows, id: string): Promise<Campaign | undefined> {
  const row = await rows.selectFrom('review_campaigns').selectAll().where('id', '=', id).executeTakeFirst()
  return row && readCampaignRow(row)
}

/** Newest first. @param before only those with a lower id, which are older */
export async function readCampaigns(
  rows: Rows,
  { before, limit }: { readonly before?: string | undefined; readonly limit: number },
): Promise<Campaign[]> {
  const all = rows.selectFrom('review_campaigns').selectAll().orderBy('id', 'desc').limit(limit)
  return (await (before === undefined ? all : all.where('id', '<', before)).execute()).map(readCampaignRow)
}

/** Those that are under way. */
export async function readOpenCampaigns(rows: Rows): Promise<Campaign[]> {
  const found = await rows
    .selectFrom('review_campaigns')
    .selectAll()
    .where('state', '=', 'open')
    .orderBy('id')
    .execute()
  return found.map(readCampaignRow)
}

export async function writeCampaign(rows: Rows, campaign: Campaign): Promise<void> {
  await rows
    .insertInto('review_campaigns')
    .values({
      id: campaign.id,
      name: campaign.name,
      scope: JSON.stringify(campaign.scope),
      reviewers: JSON.stringify(campaign.reviewers),
      when_due: campaign.whenDue,
      due_at: campaign.dueAt,
      state: campaign.state,
      told: campaign.told,
      snapshot_version: campaign.snapshotVersion,
      evidence: JSON.stringify(campaign.evidence),
      created_at: campaign.createdAt,
      created_by: campaign.createdBy,
      closed_at: null,
      closed_by: null,
      draft: null,
      export_hash: null,
    })
    .execute()
}

const itemsAtOnce = 500

/** @param items in the order of their places */
export async function writeItems(rows: Rows, items: readonly Item[]): Promise<void> {
  for (let from = 0; from < items.length; from += itemsAtOnce) {
    await rows
      .insertInto('review_items')
      .values(
        items.slice(from, from + itemsAtOnce).map((item) => ({
          id: item.id,
          campaign: item.campaign,
          place: item.place,
          kind: item.kind,
          person_id: item.personId,
          role: item.role,
          subject: JSON.stringify(item.subject),
          evidence: JSON.stringify(item.evidence),
          reviewers: JSON.stringify(item.reviewers),
          state: item.state,
          revision: item.revision,
          decided_by: item.decidedBy,
          decided_at: item.decidedAt,
          reason: item.reason,
          outcome: JSON.stringify(item.outcome),
        })),
      )
      .execute()
  }
}

/** Writes what is new of an item, whose revision is one more than it was. */
export async function changeItem(rows: Rows, item: Item): Promise<void> {
  await rows
    .updateTable('review_items')
    .set({
      reviewers: JSON.stringify(item.reviewers),
      state: item.state,
      revision: item.revision,
      decided_by: item.decidedBy,
      decided_at: item.decidedAt,
      reason: item.reason,
      outcome: JSON.stringify(item.outcome),
    })
    .where('id', '=', item.id)
    .where('state', '=', 'open')
    .where('revision', '=', item.revision - 1)
    .execute()
}

export async function readItem(rows: Rows, campaign: string, place: number): Promise<Item | undefined> {
  const ofCampaign = rows.selectFrom('review_items').selectAll().where('campaign', '=', campaign)
  const row = await ofCampaign.where('place', '=', place).executeTakeFirst()
  return row && readItemRow(row)
}

/** In the order of their places. */
export async function readItems(
  rows: Rows,
  asked: {
    readonly campaign: string
    readonly after: number
    readonly limit: number
    readonly state?: ItemState | undefined
  },
): Promise<Item[]> {
  const all = rows
    .selectFrom('review_items')
    .selectAll()
    .where('campaign', '=', asked.campaign)
    .where('place', '>', asked.after)
    .orderBy('place')
    .limit(asked.limit)
  const found = await (asked.state === undefined ? all : all.where('state', '=', asked.state)).execute()
  return found.map(readItemRow)
}

export type Counts = Readonly<Record<ItemState, number>>

/** How many items a campaign has in each state. */
export async function countItems(rows: Rows, campaign: string): Promise<Counts> {
  const found = await rows
    .selectFrom('review_items')
    .select((select) => ['state', select.fn.countAll<number>().as('count')])
    .where('campaign', '=', campaign)
    .groupBy('state')
    .execute()
  const counts = { open: 0, kept: 0, revoked: 0, unanswered: 0, gone: 0 }
  for (const { state, count } of found) counts[state] = Number(count)
  return counts
}

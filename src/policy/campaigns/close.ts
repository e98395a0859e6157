/**
 * What becomes of items that nobody answered, and how does a campaign end?
 * Stops: a campaign that is forgotten; a revoked grant that is published by one person, or never.
 * Trusts: the transaction to be the only one; drafts, which go their own way to be published.
 * Fails: refused or not recorded, the campaign stays open; whatever was begun is gone on with the next time.
 */
import { castellanItself, isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import { type ChangeNeeds, makeDraft } from '../change/drafts.ts'
import type { RecordEvent } from '../record-change.ts'
import { plainGrant, type Role } from '../roles/role.ts'
import { readCurrent } from '../snapshot/publish.ts'
import { readRoles, type Rows } from '../snapshot/store.ts'
import type { Campaign, Item, ItemOutcome, ItemState } from './campaign.ts'
import { changeItem, countItems, readCampaign, readItems } from './campaign-store.ts'
import { beyondReach, carryOut, standstill } from './carry-out.ts'
import { detailsOf } from './decide-item.ts'
import { evidenceHash } from './evidence.ts'
import { reviewEvents } from './events.ts'
import { reviewRefusals } from './refusals.ts'
import { readStandings } from './reviewers.ts'

interface Work {
  readonly rows: Rows
  readonly record: RecordEvent
}

const itemsAtOnce = 100

async function settle(rows: Rows, item: Item, now: number, state: ItemState, outcome: ItemOutcome): Promise<Item> {
  const settled: Item = { ...item, state, revision: item.revision + 1, decidedAt: now, outcome }
  await changeItem(rows, settled)
  return settled
}

async function settleDue({ rows, record }: Work, campaign: Campaign, item: Item, now: number): Promise<void> {
  const roles = await readRoles(rows)
  const stands = await standstill(rows, item, roles)
  if (stands !== 'same') {
    await settle(rows, item, now, stands === 'gone' ? 'gone' : 'unanswered', {
      done: 'it changed since the campaign began',
    })
    return
  }
  if (campaign.whenDue === 'keep') {
    const kept = await settle(rows, item, now, 'kept', { done: 'nobody answered in time, and so it stays' })
    await record(reviewEvents.decided, { details: detailsOf(kept, 'keep') })
    return
  }
  // INVARIANT: what is taken unasked is taken in the name of who said so, and may still say so.
  const maker = (await readStandings(rows, [campaign.createdBy], now)).get(campaign.createdBy)
  const role = beyondReach(item, roles, maker === undefined ? [] : [maker])
  if (role !== undefined) {
    const { code } = reviewRefusals.beyondReach
    await settle(rows, item, now, 'unanswered', { done: 'whoever began the campaign may not take it', refusal: code })
    return
  }
  const outcome = await carryOut({ rows, record }, item, castellanItself)
  if (isRefusal(outcome)) {
    await settle(rows, item, now, 'unanswered', { done: 'it could not be taken', refusal: outcome.code })
    return
  }
  const done = `nobody answered in time: ${outcome.done}`
  const revoked = await settle(rows, item, now, 'revoked', { ...outcome, done })
  await record(reviewEvents.decided, { details: detailsOf(revoked, 'revoke') })
}

/**
 * Settles some of what nobody answered in time, in the running transaction.
 * @returns whether there may be more
 */
export async function settleOverdue(work: Work, id: string, now: number): Promise<boolean> {
  const campaign = await readCampaign(work.rows, id)
  if (campaign?.state !== 'open' || campaign.whenDue === 'open' || campaign.dueAt > now) return false
  const items = await readItems(work.rows, { campaign: id, after: 0, limit: itemsAtOnce, state: 'open' })
  for (const item of items) await settleDue(work, campaign, item, now)
  return items.length === itemsAtOnce
}

/** What roles grant without what was revoked; undefined where nothing of it is there any more. */
function withoutRevoked(roles: readonly Role[], revoked: readonly Item[]): readonly Role[] | undefined {
  const texts = Map.groupBy(
    revoked.flatMap(({ subject }) => (subject.kind === 'grant' ? [subject] : [])),
    ({ role }) => role,
  )
  let isChanged = false
  const left = roles.map((role) => {
    const gone = new Set((texts.get(role.name) ?? []).map(({ grant }) => JSON.stringify(grant)))
    const grants = role.grants.filter((grant) => !gone.has(JSON.stringify(plainGrant(grant))))
    isChanged ||= grants.length < role.grants.length
    return grants.length < role.grants.length ? { ...role, grants } : role
  })
  return isChanged ? left : undefined
}

async function all(rows: Rows, campaign: string, state: ItemState): Promise<Item[]> {
  const found: Item[] = []
  for (;;) {
    const page = await readItems(rows, { campaign, after: found.at(-1)?.place ?? 0, limit: itemsAtOnce, state })
    found.push(...page)
    if (page.length < itemsAtOnce) return found
  }
}

async function draftRevoked(
  work: Work,
  needs: ChangeNeeds,
  { campaign, by }: Closing,
): Promise<string | null | Refusal> {
  const revoked = (await all(work.rows, campaign.id, 'revoked')).filter(({ kind }) => kind === 'grant')
  if (revoked.length === 0) return null
  const { document, roles } = await readCurrent(work.rows)
  const left = withoutRevoked(roles, revoked)
  if (left === undefined) return null
  const contents = { roles: left, files: document.files, tests: document.tests }
  const note = `grants revoked in campaign ${campaign.name}`
  const draft = await makeDraft(work, needs, { contents, note, by, cameFrom: { kind: 'folder' } })
  return isRefusal(draft) ? draft : draft.id
}

export interface AskedClosing {
  readonly id: string
  /** Whether items that nobody answered are left as they are. */
  readonly mayLeaveOpen: boolean
  readonly by: Principal
}

interface Closing {
  readonly campaign: Campaign
  readonly by: Principal
}

/** Closes a campaign in the running transaction: one draft without its revoked grants, and a hash of what it says. */
export async function closeCampaign(
  work: Work,
  needs: ChangeNeeds,
  { id, mayLeaveOpen, by }: AskedClosing,
): Promise<Campaign | Refusal> {
  const { rows, record } = work
  const now = needs.clock.now()
  const campaign = await readCampaign(rows, id)
  if (campaign === undefined) return refuse(reviewRefusals.campaignUnknown, { names: { campaign: id } })
  if (campaign.state === 'closed') return refuse(reviewRefusals.campaignClosed, { names: { campaign: id } })
  const open = await all(rows, id, 'open')
  if (open.length > 0 && !mayLeaveOpen) {
    return refuse(reviewRefusals.itemsOpen, { names: { count: String(open.length) } })
  }
  const roles = open.length === 0 ? [] : await readRoles(rows)
  for (const item of open) {
    const isGone = (await standstill(rows, item, roles)) === 'gone'
    const done = isGone ? 'it was gone when the campaign was closed' : 'nobody answered, and it stays'
    await settle(rows, item, now, isGone ? 'gone' : 'unanswered', { done })
  }
  const draft = await draftRevoked(work, needs, { campaign, by })
  if (isRefusal(draft)) return draft
  const ended: Campaign = { ...campaign, state: 'closed', closedAt: now, closedBy: by.id, draft }
  const closed = { ...ended, exportHash: await evidenceHash(rows, ended) }
  await rows
    .updateTable('review_campaigns')
    .set({ state: 'closed', closed_at: now, closed_by: by.id, draft, export_hash: closed.exportHash })
    .where('id', '=', id)
    .execute()
  const details = {
    campaign: id,
    name: campaign.name,
    counts: await countItems(rows, id),
    draft,
    sha256: closed.exportHash,
  }
  await record(reviewEvents.closed, { principal: by, details })
  return closed
}

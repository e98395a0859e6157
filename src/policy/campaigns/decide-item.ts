/**
 * What does a reviewer decide, and may they?
 * Stops: a look at one's own access; a decision by another than the item's reviewer, or by one whose right is gone; a second
 * decision; one about something else than what was looked at.
 * Trusts: the transaction to be the only one, on all nodes.
 * Fails: refused or not recorded, nothing is decided and nothing is taken.
 */
import { isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import type { RecordEvent } from '../record-change.ts'
import { isOneLine, type Role } from '../roles/role.ts'
import { readRoles, type Rows } from '../snapshot/store.ts'
import { type Campaign, campaignLimits, type Item } from './campaign.ts'
import { changeItem, readCampaign, readItem } from './campaign-store.ts'
import { beyondReach, carryOut, standstill } from './carry-out.ts'
import { reviewEvents } from './events.ts'
import { reviewRefusals } from './refusals.ts'
import { isOwn, mayReview, readStandings, type Standing } from './reviewers.ts'

interface AskedItem {
  readonly campaign: string
  readonly place: number
  /** Of the item, as it was looked at. */
  readonly revision: number
  readonly reason: string
  readonly by: Principal
}

export interface AskedDecision extends AskedItem {
  readonly decision: 'keep' | 'revoke'
}

export interface AskedDelegation extends AskedItem {
  /** Id of a person. */
  readonly to: string
}

interface Work {
  readonly rows: Rows
  readonly record: RecordEvent
}

interface Look {
  readonly campaign: Campaign
  readonly item: Item
  readonly roles: readonly Role[]
  readonly standing: Standing
}

export function refuseReason(reason: string): Refusal | undefined {
  if (isOneLine(reason, campaignLimits.maxReasonLength)) return undefined
  return refuse(reviewRefusals.reasonInvalid, { names: { limit: String(campaignLimits.maxReasonLength) } })
}

const names = ({ place }: AskedItem) => ({ item: String(place) })

/** What somebody is about to answer, if it is theirs to answer. */
async function look(rows: Rows, asked: AskedItem, now: number): Promise<Look | Refusal> {
  const { by } = asked
  const campaign = await readCampaign(rows, asked.campaign)
  if (campaign === undefined) return refuse(reviewRefusals.campaignUnknown, { names: { campaign: asked.campaign } })
  const item = await readItem(rows, campaign.id, asked.place)
  if (item === undefined) return refuse(reviewRefusals.itemUnknown, { names: names(asked) })
  const roles = await readRoles(rows)
  const standing = (await readStandings(rows, [by.id], now)).get(by.id)
  if (standing === undefined || !mayReview(standing, roles)) return refuse(reviewRefusals.reviewerGone)
  if (isOwn(item, standing)) return refuse(reviewRefusals.ownAccess)
  const isTheirs = item.reviewers.length === 0 || item.reviewers.includes(by.id)
  return isTheirs ? { campaign, item, roles, standing } : refuse(reviewRefusals.notReviewer, { names: names(asked) })
}

/** A refusal when nothing is to be decided any more, or something else than was looked at. */
function refuseLate({ campaign, item }: Look, asked: AskedItem): Refusal | undefined {
  if (campaign.state === 'closed') return refuse(reviewRefusals.campaignClosed, { names: { campaign: campaign.id } })
  if (item.state !== 'open') return refuse(reviewRefusals.itemDecided, { names: names(asked) })
  return item.revision === asked.revision ? undefined : refuse(reviewRefusals.itemChanged, { names: names(asked) })
}

async function refuseTaking(
  rows: Rows,
  { campaign, item, roles, standing }: Look,
  now: number,
): Promise<Refusal | undefined> {
  const maker = (await readStandings(rows, [campaign.createdBy], now)).get(campaign.createdBy)
  const role = beyondReach(item, roles, maker === undefined ? [standing] : [standing, maker])
  return role === undefined ? undefined : refuse(reviewRefusals.beyondReach, { names: { role } })
}

const states = { keep: 'kept', revoke: 'revoked' } as const

/** Decides one item in the running transaction. The same word of the same reviewer again changes nothing. */
export async function decideItem({ rows, record }: Work, asked: AskedDecision, now: number): Promise<Item | Refusal> {
  const found = await look(rows, asked, now)
  if (isRefusal(found)) return found
  const { item, roles, standing } = found
  const { by, decision, reason } = asked
  if (item.decidedBy === by.id && item.state === states[decision] && item.reason === reason) return item
  const late = refuseLate(found, asked)
  if (late !== undefined) return late
  if ((await standstill(rows, item, roles)) !== 'same') return refuse(reviewRefusals.itemStale, { names: names(asked) })
  const isRevoking = decision === 'revoke'
  const unreached = isRevoking ? await refuseTaking(rows, found, now) : undefined
  if (unreached !== undefined) return unreached
  const outcome = isRevoking ? await carryOut({ rows, record }, item, by) : { done: 'it stays as it is' }
  if (isRefusal(outcome)) return outcome
  const decided: Item = {
    ...item,
    state: states[decision],
    revision: item.revision + 1,
    decidedBy: by.id,
    decidedAt: now,
    reason,
    outcome: { ...outcome, byName: standing.name },
  }
  await changeItem(rows, decided)
  await record(reviewEvents.decided, { principal: by, details: detailsOf(decided, decision) })
  return decided
}

/** What the ledger keeps of a decision. */
export function detailsOf(item: Item, decision: string): Readonly<Record<string, unknown>> {
  const { campaign, place, kind, subject, evidence, reason, outcome } = item
  return { campaign, item: place, kind, decision, subject, evidence, reason, outcome }
}

/** Hands one item to another person in the running transaction. */
export async function delegateItem(
  { rows, record }: Work,
  asked: AskedDelegation,
  now: number,
): Promise<Item | Refusal> {
  const found = await look(rows, asked, now)
  if (isRefusal(found)) return found
  const late = refuseLate(found, asked)
  if (late !== undefined) return late
  const { item, roles } = found
  const { to, by, reason } = asked
  const other = (await readStandings(rows, [to], now)).get(to)
  const mayNot = other === undefined || to === by.id || !mayReview(other, roles) || isOwn(item, other)
  if (mayNot) return refuse(reviewRefusals.delegateInvalid, { names: { person: to } })
  const handed: Item = { ...item, reviewers: [to], revision: item.revision + 1 }
  await changeItem(rows, handed)
  const details = { campaign: item.campaign, item: item.place, to, from: item.reviewers, reason }
  await record(reviewEvents.delegated, { principal: by, details })
  return handed
}

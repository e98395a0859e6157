/**
 * How do people look at who has access, item by item, up to a date?
 * Stops: a campaign that is begun, decided or closed without a record; two nodes that carry the same out twice.
 * Trusts: its caller to have decided that `by` may begin, decide or close.
 * Fails: refused or not recorded, nothing changes. What a node that died left behind, another one goes on with.
 * @see docs/decisions/0048-reviews-count-what-the-ledger-holds.md
 */
import { isRefusal, type Principal, refuse, type Refusal } from '#kernel'
import type { ChangeNeeds } from '../change/drafts.ts'
import { recordChange } from '../record-change.ts'
import { readRoles } from '../snapshot/store.ts'
import type { Campaign, Item, ItemState, ProposedCampaign } from './campaign.ts'
import { type Counts, countItems, readCampaign, readCampaigns, readItems, readOpenCampaigns } from './campaign-store.ts'
import { type AskedClosing, closeCampaign, settleOverdue } from './close.ts'
import { type AskedDecision, type AskedDelegation, decideItem, delegateItem, refuseReason } from './decide-item.ts'
import { type EvidenceLine, exportCampaign } from './evidence.ts'
import { freeze } from './freeze.ts'
import { reviewRefusals } from './refusals.ts'
import { everyReviewer } from './reviewers.ts'

const dayMs = 86_400_000
/** Reviewers are reminded once so long before a campaign is due. */
const soonMs = 3 * dayMs

/** Who has to be told of a campaign, and what. */
export interface Telling {
  readonly campaign: Campaign
  readonly what: 'asked' | 'soon' | 'due'
  /** Ids of its reviewers with open items, and of who began it once it is due. */
  readonly people: readonly string[]
}

export interface Campaigns {
  /** Begins a campaign: its items are those of this moment. */
  begin(proposed: ProposedCampaign, by: Principal): Promise<Campaign | Refusal>
  decide(asked: AskedDecision): Promise<Item | Refusal>
  /** Hands an item to another person. */
  delegate(asked: AskedDelegation): Promise<Item | Refusal>
  close(asked: AskedClosing): Promise<Campaign | Refusal>
  /** Newest first. @param at.before only those that began before the one with this id */
  list(at: { readonly before?: string | undefined; readonly limit: number }): Promise<readonly Campaign[]>
  find(id: string): Promise<{ readonly campaign: Campaign; readonly counts: Counts } | Refusal>
  items(asked: {
    readonly campaign: string
    readonly after: number
    readonly limit: number
    readonly state?: ItemState | undefined
  }): Promise<readonly Item[]>
  /** The lines of a closed campaign. */
  export(id: string): Promise<AsyncGenerator<EvidenceLine, void> | Refusal>
  /** Settles what is overdue; to be called from time to time, on any node. */
  settle(): Promise<void>
  /** Who has yet to be told what. */
  tellings(): Promise<readonly Telling[]>
  /** That they were told; once for all nodes. */
  markTold(telling: Telling): Promise<void>
}

function owed({ told, dueAt }: Campaign, now: number): Telling['what'] | undefined {
  if (dueAt <= now) return told === 'due' ? undefined : 'due'
  if (dueAt - soonMs <= now) return told === 'soon' ? undefined : told === 'nothing' ? 'asked' : 'soon'
  return told === 'nothing' ? 'asked' : undefined
}

/** The steps that people take. */
function createSteps(needs: ChangeNeeds): Pick<Campaigns, 'begin' | 'decide' | 'delegate' | 'close'> {
  const { database, ledger, clock, changed } = needs
  return {
    begin: async (proposed, by) =>
      recordChange(database, ledger, async (rows, record) =>
        freeze({ rows, record }, proposed, { by, now: clock.now() }),
      ),

    async decide(asked) {
      const refusal = refuseReason(asked.reason)
      if (refusal !== undefined) return refusal
      const item = await recordChange(database, ledger, async (rows, record) =>
        decideItem({ rows, record }, asked, clock.now()),
      )
      await changed()
      return item
    },

    async delegate(asked) {
      const refusal = refuseReason(asked.reason)
      if (refusal !== undefined) return refusal
      return recordChange(database, ledger, async (rows, record) => delegateItem({ rows, record }, asked, clock.now()))
    },

    close: async (asked) =>
      recordChange(database, ledger, async (rows, record) => closeCampaign({ rows, record }, needs, asked)),
  }
}

/** What happens by itself, on whichever node. */
function createTending(needs: ChangeNeeds): Pick<Campaigns, 'settle' | 'tellings' | 'markTold'> {
  const { database, ledger, clock, changed } = needs
  const rows = database.query

  async function reviewersOf(campaign: Campaign): Promise<readonly string[]> {
    const found = await rows
      .selectFrom('review_items')
      .select('reviewers')
      .distinct()
      .where('campaign', '=', campaign.id)
      .where('state', '=', 'open')
      .execute()
    const lists = found.map(({ reviewers }) => JSON.parse(reviewers) as string[])
    const isForAll = lists.some((list) => list.length === 0)
    const every = isForAll ? await everyReviewer(rows, await readRoles(rows), clock.now()) : []
    return [...new Set([...lists.flat(), ...every])].toSorted()
  }

  async function telling(campaign: Campaign): Promise<readonly Telling[]> {
    const what = owed(campaign, clock.now())
    if (what === undefined) return []
    const reviewers = await reviewersOf(campaign)
    const people = what === 'due' ? [...new Set([...reviewers, campaign.createdBy])] : reviewers
    return [{ campaign, what, people }]
  }

  return {
    async settle() {
      for (const { id, whenDue, dueAt } of await readOpenCampaigns(rows)) {
        if (whenDue === 'open' || dueAt > clock.now()) continue
        const step = async () =>
          recordChange(database, ledger, async (within, record) =>
            settleOverdue({ rows: within, record }, id, clock.now()),
          )
        while (await step());
        await changed()
      }
    },
    tellings: async () => (await Promise.all((await readOpenCampaigns(rows)).map(telling))).flat(),
    async markTold({ campaign, what }) {
      await rows
        .updateTable('review_campaigns')
        .set({ told: what })
        .where('id', '=', campaign.id)
        .where('told', '=', campaign.told)
        .execute()
    },
  }
}

export function createCampaigns(needs: ChangeNeeds): Campaigns {
  const rows = needs.database.query

  async function find(id: string): Promise<Campaign | Refusal> {
    return (await readCampaign(rows, id)) ?? refuse(reviewRefusals.campaignUnknown, { names: { campaign: id } })
  }

  return {
    ...createSteps(needs),
    ...createTending(needs),
    list: async (at) => readCampaigns(rows, at),
    async find(id) {
      const campaign = await find(id)
      return isRefusal(campaign) ? campaign : { campaign, counts: await countItems(rows, id) }
    },
    items: async (asked) => readItems(rows, asked),
    async export(id) {
      const campaign = await find(id)
      if (isRefusal(campaign)) return campaign
      if (campaign.state === 'open') return refuse(reviewRefusals.campaignOpen, { names: { campaign: id } })
      return exportCampaign(rows, campaign)
    },
  }
}

/**
 * Which tool definitions has a person approved, and what do the upstreams offer instead?
 *
 * Stops: new tools that expose themselves, approved tools that change afterwards, approval of something not looked at.
 * Trusts: the caller to have decided that `by` may do this.
 * Fails: with a Refusal, or a Fault of the database or ledger; then nothing has changed.
 * @see docs/decisions/0027
 */
import { type Classification, type Clock, isRefusal, type Refusal } from '#kernel'
import type { Ledger } from '#audit'
import type { Database } from '#platform/database'
import type { OfferedTool, Pin } from './definition.ts'
import { upstreamEvents } from './events.ts'
import { addressesOf } from './pins/addresses.ts'
import { describeTools, type SeenTool } from './pins/describe.ts'
import { judge, ownEntry, type Case, type Judgement, type PinRow, type Verdict } from './pins/judge.ts'
import { createNewsAllowance } from './pins/news-allowance.ts'
import { offeredOnce, recordOffer, weighOffer } from './pins/observe.ts'
import { readPin } from './pins/read-pin.ts'
import { createExaminer } from './pins/warnings.ts'
import { checkClassification } from './classify/check-classification.ts'
import { writeClassification } from './classify/classifications.ts'
import type { Registry } from './register.ts'

export interface PinStore {
  find(upstream: string, tool: string): Pin | undefined
  /** By name. */
  list(upstream: string): Pin[]
  /** By name, with the definitions last seen, what speaks against each, and the difference from the approved one. */
  describe(upstream: string): Promise<SeenTool[]>
  /**
   * Compares what an upstream offered with what was seen before and records any difference. Durable when it returns. Of
   * tools that nobody can call, only so much is recorded in a minute, unless somebody asked for it; the same for tools that
   * come back to their approved definitions.
   */
  observe(upstream: string, tools: readonly unknown[], options?: { isReview: true }): Promise<void>
  /**
   * Approves the definitions last seen. `all` leaves out what is rejected, quarantined, or needs a word of its own. All of
   * the tools, or none.
   */
  approve(judgement: Judgement): Promise<Pin[] | Refusal>
  /** Rejects the definitions last seen and withdraws earlier approvals of the tools. All of the tools, or none. */
  reject(judgement: Judgement): Promise<Pin[] | Refusal>
  /** Withdraws approvals, whatever the definitions are, until the tools are approved by name. All of the tools, or none. */
  quarantine(judgement: Judgement): Promise<Pin[] | Refusal>
}

export interface PinNeeds {
  readonly database: Database
  readonly ledger: Ledger
  readonly clock: Clock
  readonly registry: Registry
}

const withoutQuarantine = { quarantined_at: null, quarantined_by: null, quarantine_note: null }

const unjudged = {
  approved_hash: null,
  approved_definition: null,
  approved_at: null,
  approved_by: null,
  approved_addresses: null,
  approved_despite: null,
  rejected_hash: null,
  ...withoutQuarantine,
}

function approval({ clock, registry }: PinNeeds, { upstream, by, hashes, classifications = {} }: Judgement): Verdict {
  const record = registry.current.records.get(upstream)
  const addresses = record === undefined ? [] : addressesOf(record)
  const accepted = ({ warnings }: Case) => [
    ...new Set(warnings.filter(({ weight }) => weight === 'word').map(({ key }) => key)),
  ]
  const classificationOf = ({ row }: Case): Classification | undefined => {
    const given = ownEntry(classifications, row.tool)
    const checked = given && checkClassification(given)
    return checked === undefined || isRefusal(checked) ? undefined : checked
  }
  return {
    event: upstreamEvents.toolApproved,
    isApproval: true,
    isSettled: (row) => readPin(row, addresses).status === 'approved',
    change: (one): Partial<PinRow> => ({
      approved_hash: one.row.seen_hash,
      approved_definition: one.row.seen_definition,
      approved_at: clock.now(),
      approved_by: by.id,
      approved_addresses: JSON.stringify(addresses),
      approved_despite: JSON.stringify(accepted(one)),
      rejected_hash: null,
      ...withoutQuarantine,
    }),
    details: (one) => ({
      hash: one.row.seen_hash,
      formerHash: one.row.approved_hash,
      despite: accepted(one),
      // WHY: what was not named by its hash may be another definition than the one that was looked at.
      isNamedByHash: hashes !== undefined && Object.hasOwn(hashes, one.row.tool),
      definition: one.kept.definition,
      classification: classificationOf(one) ?? null,
    }),
    async also(transaction, one) {
      const classification = classificationOf(one)
      if (classification === undefined) return
      await writeClassification(transaction, {
        upstream,
        tool: one.row.tool,
        approved_hash: one.row.seen_hash,
        classification: JSON.stringify(classification),
        set_at: clock.now(),
        set_by: by.id,
      })
    },
  }
}

const rejection: Verdict = {
  event: upstreamEvents.toolRejected,
  isApproval: false,
  isSettled: () => false,
  change: ({ row }) => ({ ...unjudged, rejected_hash: row.seen_hash }),
  details: ({ row }) => ({ hash: row.seen_hash, formerHash: row.approved_hash }),
}

function withdrawal({ clock }: PinNeeds, { by, note }: Judgement): Verdict {
  return {
    event: upstreamEvents.toolQuarantined,
    isApproval: false,
    isSettled: () => false,
    change: () => ({ quarantined_at: clock.now(), quarantined_by: by.id, quarantine_note: note ?? null }),
    details: ({ row }) => ({ hash: row.seen_hash, approvedHash: row.approved_hash, note: note ?? null }),
  }
}

/** Makes the store of pins over the registry's memory and the database. */
export function createPins(needs: PinNeeds): PinStore {
  const { database, ledger, clock, registry } = needs
  const examiner = createExaminer()
  const [allow, allowBack] = [createNewsAllowance(clock), createNewsAllowance(clock)]

  function newsOf(upstream: string, tools: readonly unknown[], isReview: boolean): OfferedTool[] {
    const pins = registry.current.pins.get(upstream)
    const news = offeredOnce(tools).filter(({ tool, hash }) => pins?.get(tool)?.seenHash !== hash)
    // WHY: what stops an approved tool is written at once. What brings one back has an allowance too, or a server that says
    // one thing and the other in turn would write without end; until it is written, the tool stays hidden.
    const kindOf = ({ tool, hash }: OfferedTool) => {
      const pin = pins?.get(tool)
      if (isReview || pin?.status === 'approved') return 'due'
      return pin?.approvedHash === hash ? 'back' : 'other'
    }
    const { due = [], back = [], other = [] } = Object.groupBy(news, kindOf)
    const written = (allowed: typeof allow, some: OfferedTool[]) =>
      some.slice(0, some.length === 0 ? 0 : allowed(upstream, some.length))
    return [...due, ...written(allowBack, back), ...written(allow, other)]
  }

  const list = (upstream: string): Pin[] => [...(registry.current.pins.get(upstream)?.values() ?? [])]
  const judged = async (judgement: Judgement, verdict: Verdict) =>
    (await judge({ ...needs, examiner }, judgement, verdict)) ?? list(judgement.upstream)
  return {
    find: (upstream, tool) => registry.current.pins.get(upstream)?.get(tool),
    list,
    async describe(upstream) {
      await registry.refresh()
      return describeTools({ query: database.query, register: registry.current, examiner }, upstream)
    },
    async observe(upstream, tools, options) {
      const news = newsOf(upstream, tools, options?.isReview === true)
      if (news.length === 0) return
      const reasons = await weighOffer({ register: registry.current, examiner }, upstream, news)
      await database.transaction((transaction) =>
        recordOffer({ ledger, clock }, transaction, { upstream, offered: news, reasons }),
      )
      await registry.refresh()
    },
    async approve(judgement) {
      await registry.refresh()
      return judged(judgement, approval(needs, judgement))
    },
    reject: (judgement) => judged(judgement, rejection),
    quarantine: (judgement) => judged(judgement, withdrawal(needs, judgement)),
  }
}

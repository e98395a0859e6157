/**
 * What does an approver say to a call that waits?
 * Stops: answers by whoever may not approve it, for themselves, twice, too late, or after the rule has changed.
 * Trusts: its caller for who is asking; roles, owners and holds are read in the transaction that answers.
 * Fails: with one answer for what is another's, too old, answered and never was.
 */
import { isRefusal, type Principal, type Refusal, refuse } from '#kernel'
import { recordChange, type RecordEvent } from '../record-change.ts'
import type { Rows } from '../snapshot/store.ts'
import { entryOf } from './ask.ts'
import { mostSaidChars, saidPlace, useWithinMs } from './asked-call.ts'
import { remedyEvents } from './events.ts'
import { countGiven } from './missing.ts'
import type { RemedyParts } from './parts.ts'
import { remedyRefusals } from './refusals.ts'
import { type Ask, excludedFrom, rulesOf, standingFor } from './standing.ts'

export interface Answering {
  readonly principal: Principal
  /** What they say about it. */
  readonly said: string
  readonly address?: string | undefined
}

/** What came of an answer. */
export interface Answered {
  readonly id: string
  readonly state: Ask['state']
  /** Whose call it is. */
  readonly personId: string
  /** How many more answers it needs. */
  readonly missing: number
}

/** Well-formed, not empty, not too long. */
export function isSaid(text: string): boolean {
  return text.trim() !== '' && text.length <= mostSaidChars && text.isWellFormed()
}

/** The call that still waits, or may be used, under rules that have not changed. */
export async function openAsk(rows: Rows, parts: RemedyParts, id: string): Promise<Ask | undefined> {
  const ask = await rows
    .selectFrom('remedy_asks')
    .selectAll()
    .where('id', '=', id)
    .where('state', 'in', ['waiting', 'ready'])
    .where('expires_at', '>', parts.clock.now())
    .executeTakeFirst()
  const isSame =
    ask && rulesOf(ask).every(({ rule, fingerprint }) => parts.policy.ruleFingerprint(rule) === fingerprint)
  return isSame === true ? ask : undefined
}

/** Says whether it can be used, after something was given. */
export async function settle(rows: Rows, ask: Ask, nowMs: number): Promise<Answered> {
  const { missing } = await countGiven(rows, ask, nowMs)
  const left = missing.reduce((sum, { count }) => sum + count, 0)
  const answered = { id: ask.id, personId: ask.person_id, missing: left }
  if (left > 0) return { ...answered, state: 'waiting' }
  const expiry = { state: 'ready' as const, expires_at: nowMs + useWithinMs }
  await rows.updateTable('remedy_asks').set(expiry).where('id', '=', ask.id).where('state', '=', 'waiting').execute()
  return { ...answered, state: 'ready' }
}

async function mayAnswer(
  rows: Rows,
  ask: Ask,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): Promise<Refusal | undefined> {
  const standing = await standingFor(rows, ask, { ids: [id], nowMs })
  if (standing.has(id)) return undefined
  const isOwn = (await excludedFrom(rows, ask)).has(id)
  return refuse(isOwn ? remedyRefusals.ownCall : remedyRefusals.approvalUnknown, { detail: { remedy: ask.id } })
}

type Deed = 'approved' | 'denied'

async function answerOnce(
  rows: Rows,
  record: RecordEvent,
  parts: RemedyParts,
  asked: Answering & { readonly id: string; readonly deed: Deed },
): Promise<Answered | Refusal> {
  const { id, deed, principal, said, address } = asked
  const nowMs = parts.clock.now()
  const ask = await openAsk(rows, parts, id)
  if (ask === undefined) return refuse(remedyRefusals.approvalUnknown)
  const refusal = await mayAnswer(rows, ask, { id: principal.id, nowMs })
  if (refusal !== undefined) return refusal
  const before = await rows
    .selectFrom('remedy_answers')
    .select('deed')
    .where('ask_id', '=', id)
    .where('person_id', '=', principal.id)
    .where('rule', '=', '')
    .executeTakeFirst()
  if (before !== undefined && deed === 'approved') return refuse(remedyRefusals.answeredBefore)
  if (deed === 'approved' && ask.state === 'ready') return refuse(remedyRefusals.approvalUnknown)
  const sealed = parts.sealer.seal(Buffer.from(said), saidPlace(id, principal.id, ''))
  const answer = { person_name: principal.name, deed, sealed_text: sealed, answered_at: nowMs }
  await rows
    .insertInto('remedy_answers')
    .values({ ask_id: id, person_id: principal.id, rule: '', ...answer })
    .onConflict((conflict) => conflict.columns(['ask_id', 'person_id', 'rule']).doUpdateSet(answer))
    .execute()
  const entry = entryOf(ask, principal)
  const fields = { ...entry, ...(address === undefined ? {} : { address }) }
  if (deed === 'denied') {
    await rows.updateTable('remedy_asks').set({ state: 'denied', ended_at: nowMs }).where('id', '=', id).execute()
    await record(remedyEvents.denied, { ...fields, details: { ...entry.details, said } })
    return { id, state: 'denied', personId: ask.person_id, missing: 0 }
  }
  const settled = await settle(rows, ask, nowMs)
  await record(remedyEvents.approved, { ...fields, details: { ...entry.details, said, missing: settled.missing } })
  return settled
}

export interface Approvals {
  /** Counts once for each approver. A call with everything that it needs can be used at once. */
  approve(id: string, answering: Answering): Promise<Answered | Refusal>
  /** Also after an approval, as long as the call has not passed. One denial is enough. */
  deny(id: string, answering: Answering): Promise<Answered | Refusal>
}

export function createApprovals(parts: RemedyParts): Approvals {
  async function answer(id: string, deed: Deed, answering: Answering): Promise<Answered | Refusal> {
    if (!isSaid(answering.said)) return refuse(remedyRefusals.saidInvalid)
    await parts.policy.refresh()
    const answered = await recordChange(parts.database, parts.ledger, (rows, record) =>
      answerOnce(rows, record, parts, { ...answering, id, deed }),
    )
    return isRefusal(answered) ? { ...answered, detail: { ...answered.detail, deed } } : answered
  }
  return {
    approve: (id, answering) => answer(id, 'approved', answering),
    deny: (id, answering) => answer(id, 'denied', answering),
  }
}

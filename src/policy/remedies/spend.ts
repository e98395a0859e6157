/**
 * May a call pass with what people gave for it? Once.
 * Stops: the same approval twice, also by two at once on two nodes; one of an approver who may approve no more; one given
 * under rules that have changed since; one for another call, client or person.
 * Trusts: the database for one conditional update inside a transaction.
 * Fails: closed; what is used up and not carried out is lost, and asked for again.
 * @see docs/decisions/0043-what-people-can-do-about-a-denial.md
 */
import { recordChange, type RecordEvent } from '../record-change.ts'
import type { Rows } from '../snapshot/store.ts'
import { entryOf } from './ask.ts'
import { type AskedCall, type AskedRule, boundTo, goOnWithinMs, hashOfRules, sameCall } from './asked-call.ts'
import { remedyEvents } from './events.ts'
import { consentedRules, countGiven } from './missing.ts'
import type { RemedyParts } from './parts.ts'
import { type Ask, rulesOf } from './standing.ts'

/** What a call passed with, used up. */
export interface SpentRemedies {
  /** Of what was asked for; undefined where consents that are kept were all it needed. */
  readonly id: string | undefined
  /** Who approved it. */
  readonly approvers: readonly string[]
  /** How often the call has gone on that passed with it. */
  readonly round: number
}

function readyFor(rows: Rows, call: AskedCall, rulesHash: string, nowMs: number) {
  return sameCall(rows, call)
    .where('state', '=', 'ready')
    .where('rules_hash', '=', rulesHash)
    .where('expires_at', '>', nowMs)
    .executeTakeFirst()
}

async function consentsAlone(parts: RemedyParts, call: AskedCall, rules: readonly AskedRule[]): Promise<boolean> {
  if (!rules.every(({ kind }) => kind === 'consent')) return false
  const bound = { personId: call.principal.id, boundTo: boundTo(call.principal), nowMs: parts.clock.now() }
  return (await consentedRules(parts.database.query, rules, bound)).size === rules.length
}

/** Back to waiting, for as long as there was to ask: an approver who counted does no more. */
async function fallBack(rows: Rows, record: RecordEvent, ask: Ask, lapsed: readonly string[]): Promise<undefined> {
  if (lapsed.length > 0) {
    await rows
      .deleteFrom('remedy_answers')
      .where('ask_id', '=', ask.id)
      .where('person_id', 'in', lapsed)
      .where('rule', '=', '')
      .execute()
  }
  await rows
    .updateTable('remedy_asks')
    .set({ state: 'waiting', expires_at: ask.asked_until })
    .where('id', '=', ask.id)
    .execute()
  const { details, ...fields } = entryOf(ask, { id: ask.person_id, name: ask.person_name })
  await record(remedyEvents.voided, { ...fields, details: { ...details, lapsed } })
  return undefined
}

async function spendOnce(
  rows: Rows,
  record: RecordEvent,
  { call, rulesHash, nowMs }: { readonly call: AskedCall; readonly rulesHash: string; readonly nowMs: number },
): Promise<SpentRemedies | undefined> {
  const ask = await readyFor(rows, call, rulesHash, nowMs)
  if (ask === undefined) return undefined
  const { missing, approvers, lapsed } = await countGiven(rows, ask, nowMs)
  if (missing.length > 0) return fallBack(rows, record, ask, lapsed)
  const used = await rows
    .updateTable('remedy_asks')
    .set({ state: 'used', ended_at: nowMs })
    .where('id', '=', ask.id)
    // INVARIANT: asked again of the row that is changed: whoever came a moment before has used it up.
    .where('state', '=', 'ready')
    .where('expires_at', '>', nowMs)
    .returning('id')
    .executeTakeFirst()
  return used && { id: used.id, approvers, round: 0 }
}

/** Makes what uses remedies up. */
export function createSpend(parts: RemedyParts, fingerprinted: (call: AskedCall) => AskedRule[]) {
  const { database, ledger, clock } = parts

  /** Whether it could be used up at this moment, as far as can be seen without trying. */
  async function isReady(call: AskedCall): Promise<boolean> {
    const rules = fingerprinted(call)
    if (await consentsAlone(parts, call, rules)) return true
    return (await readyFor(database.query, call, hashOfRules(rules), clock.now())) !== undefined
  }

  async function spend(call: AskedCall): Promise<SpentRemedies | undefined> {
    const rules = fingerprinted(call)
    if (await consentsAlone(parts, call, rules)) return { id: undefined, approvers: [], round: 0 }
    const asking = { call, rulesHash: hashOfRules(rules), nowMs: clock.now() }
    return recordChange(database, ledger, (rows, record) => spendOnce(rows, record, asking))
  }

  /** A call goes on that passed with this and went on `round` times: for one caller each time. */
  async function goOn(id: string, round: number, call: AskedCall): Promise<SpentRemedies | undefined> {
    const gone = await database.query
      .updateTable('remedy_asks')
      .set({ rounds: round + 1 })
      .where('id', 'in', sameCall(database.query, call).clearSelect().select('id').where('id', '=', id))
      .where('state', '=', 'used')
      .where('rounds', '=', round)
      .where('ended_at', '>', clock.now() - goOnWithinMs)
      .returning('rules')
      .executeTakeFirst()
    // INVARIANT: what was met when it was called is all that it goes on with.
    const met = new Set(gone === undefined ? [] : rulesOf(gone).map(({ rule }) => rule))
    if (!call.remedies.every(({ rule }) => met.has(rule))) return undefined
    return { id, approvers: [], round: round + 1 }
  }

  return { isReady, spend, goOn }
}

/**
 * What does a person say to a call of their own that waits? Why it is needed, that they consent, or that they never made it.
 * Stops: a justification or a consent of somebody else; one for a program, which has nobody who could give it.
 * Trusts: its caller for who is asking.
 * Fails: with one answer for what is another's, too old, answered and never was; an attempt by another is on record.
 */
import { createId, type Principal, type Refusal, refuse } from '#kernel'
import { recordChange, type RecordEvent } from '../record-change.ts'
import type { Rows } from '../snapshot/store.ts'
import { isSaid, openAsk, settle } from './approve.ts'
import { entryOf } from './ask.ts'
import { type AskedRule, consentWithinMs, saidPlace } from './asked-call.ts'
import { remedyEvents } from './events.ts'
import type { RemedyParts } from './parts.ts'
import { remedyRefusals } from './refusals.ts'
import { type Ask, rulesOf } from './standing.ts'

/** A signed-in person, and what they say. */
export interface OwnAnswer {
  readonly principal: Principal
  readonly address?: string | undefined
}

export interface OwnCalls {
  justify(
    id: string,
    answer: OwnAnswer & { readonly rule: string; readonly said: string },
  ): Promise<Refusal | undefined>
  consent(id: string, answer: OwnAnswer & { readonly rule: string }): Promise<Refusal | undefined>
  /** The person did not make the call, or does not want it any more. */
  decline(id: string, answer: OwnAnswer): Promise<Refusal | undefined>
}

interface Own {
  readonly rows: Rows
  readonly record: RecordEvent
  readonly ask: Ask
  readonly nowMs: number
}

function fieldsOf(ask: Ask, { principal, address }: OwnAnswer) {
  return { ...entryOf(ask, principal), ...(address === undefined ? {} : { address }) }
}

function unknown(): Refusal {
  return refuse(remedyRefusals.approvalUnknown)
}

function ruleOf(ask: Ask, name: string, kind: AskedRule['kind']): AskedRule | undefined {
  return rulesOf(ask).find((rule) => rule.rule === name && rule.kind === kind)
}

type Saying = OwnAnswer & { readonly rule: string; readonly said: string }

async function justifyOnce({ rows, record, ask, nowMs }: Own, { sealer }: RemedyParts, answer: Saying) {
  const { principal, rule, said } = answer
  if (ask.state !== 'waiting' || ruleOf(ask, rule, 'justification') === undefined) return unknown()
  const sealed = sealer.seal(Buffer.from(said), saidPlace(ask.id, principal.id, rule))
  const kept = { person_name: principal.name, deed: 'justified' as const, sealed_text: sealed, answered_at: nowMs }
  await rows
    .insertInto('remedy_answers')
    .values({ ask_id: ask.id, person_id: principal.id, rule, ...kept })
    .onConflict((conflict) => conflict.columns(['ask_id', 'person_id', 'rule']).doUpdateSet(kept))
    .execute()
  await settle(rows, ask, nowMs)
  const { details, ...fields } = fieldsOf(ask, answer)
  await record(remedyEvents.justified, { ...fields, details: { ...details, rule, said } })
  return undefined
}

async function consentOnce({ rows, record, ask, nowMs }: Own, answer: Omit<Saying, 'said'>) {
  const { principal, rule } = answer
  const wanted = ruleOf(ask, rule, 'consent')
  if (ask.state !== 'waiting' || wanted === undefined) return unknown()
  const { fingerprint, text: purpose = '', withinMs = consentWithinMs } = wanted
  const consent = createId(nowMs)
  const of = { id: consent, person_id: principal.id, bound_to: ask.bound_to, client_name: ask.client_name }
  const given = { given_at: nowMs, expires_at: nowMs + withinMs, revoked_at: null }
  await rows
    .insertInto('consents')
    .values({ ...of, rule, fingerprint, purpose, ...given })
    .execute()
  await settle(rows, ask, nowMs)
  const { details, ...fields } = fieldsOf(ask, answer)
  await record(remedyEvents.consented, { ...fields, details: { ...details, consent, rule, purpose } })
  return undefined
}

async function declineOnce({ rows, record, ask, nowMs }: Own, answer: OwnAnswer) {
  await rows.updateTable('remedy_asks').set({ state: 'denied', ended_at: nowMs }).where('id', '=', ask.id).execute()
  await record(remedyEvents.declined, fieldsOf(ask, answer))
  return undefined
}

export function createOwnCalls(parts: RemedyParts): OwnCalls {
  const { database, ledger, clock } = parts

  async function noteForeign(ask: Ask | undefined, answer: OwnAnswer): Promise<void> {
    if (ask === undefined || ask.person_id === answer.principal.id) return
    const refusal = remedyRefusals.approvalUnknown.code
    await ledger.append(remedyEvents.refused, { ...fieldsOf(ask, answer), outcome: 'refused', refusal })
  }

  async function own(id: string, answer: OwnAnswer, work: (own: Own) => Promise<Refusal | undefined>) {
    await parts.policy.refresh()
    await noteForeign(await openAsk(database.query, parts, id), answer)
    return recordChange(database, ledger, async (rows, record) => {
      const ask = await openAsk(rows, parts, id)
      if (ask === undefined || ask.person_id !== answer.principal.id) return unknown()
      return work({ rows, record, ask, nowMs: clock.now() })
    })
  }

  return {
    justify(id, answer) {
      if (!isSaid(answer.said)) return Promise.resolve(refuse(remedyRefusals.saidInvalid))
      return own(id, answer, (mine) => justifyOnce(mine, parts, answer))
    },
    consent: (id, answer) => own(id, answer, (mine) => consentOnce(mine, answer)),
    decline: (id, answer) => own(id, answer, (mine) => declineOnce(mine, answer)),
  }
}

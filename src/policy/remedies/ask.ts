/**
 * How is somebody asked for what a call needs?
 * Stops: a flood of calls that wait; asking again and again after a denial or a time-out; a call that approvers could not see
 * completely; what was given under older rules counting for newer ones.
 * Trusts: policy for what the rules ask for; its transaction to be the only one.
 * Fails: without an entry in the ledger nothing is asked for.
 */
import { randomBytes } from 'node:crypto'
import type { EntryFields, EventDefinition } from '#audit'
import { type Principal, type Refusal, refuse } from '#kernel'
import { recordChange, type RecordEvent } from '../record-change.ts'
import type { Rows } from '../snapshot/store.ts'
import {
  askWithinMs,
  type AskedCall,
  type AskedRule,
  boundTo,
  callPlace,
  deniedForMs,
  goOnWithinMs,
  hashOfRules,
  type Missing,
  mostCallChars,
  mostWaiting,
  sameCall,
} from './asked-call.ts'
import { remedyEvents } from './events.ts'
import { countGiven } from './missing.ts'
import type { RemedyParts } from './parts.ts'
import { remedyRefusals } from './refusals.ts'
import { approverRolesOf, approversOf, type Ask } from './standing.ts'

/** What a call waits for. */
export interface Asked {
  readonly id: string
  /** Wall-clock milliseconds. */
  readonly expiresAt: number
  readonly missing: readonly Missing[]
  /** Who is to be told; empty where they were. */
  readonly toTell: readonly string[]
}

type Noted = [EventDefinition, Omit<EntryFields, 'outcome'>]

/** The fields of every entry about a call. */
export function entryOf(ask: Ask, principal: Pick<Principal, 'id' | 'name'>): Omit<EntryFields, 'outcome'> {
  const { upstream, target_kind: kind, target_name: name } = ask
  const target = { upstream, kind: kind as 'tool', name }
  const details = { remedy: ask.id, call: ask.call_hash, client: ask.client_name, asker: ask.person_id }
  return { principal, target, details: { ...details, snapshot: ask.snapshot, rules: ruleNames(ask) } }
}

function ruleNames({ rules }: Ask): string[] {
  return (JSON.parse(rules) as AskedRule[]).map(({ rule }) => rule)
}

async function setState(rows: Rows, ask: Ask, state: Ask['state'], nowMs: number): Promise<void> {
  await rows.updateTable('remedy_asks').set({ state, ended_at: nowMs }).where('id', '=', ask.id).execute()
}

async function clientName(rows: Rows, { client, credential }: Principal): Promise<string> {
  if (client !== undefined) return client.name
  const token = await rows
    .selectFrom('access_tokens')
    .select('label')
    .where('id', '=', credential.id)
    .executeTakeFirst()
  return token?.label ?? ''
}

/** Marks what ran out, of anybody, and is still said to wait. */
async function endExpired(rows: Rows, nowMs: number): Promise<Noted[]> {
  const over = await rows
    .selectFrom('remedy_asks')
    .selectAll()
    .where('state', 'in', ['waiting', 'ready'])
    .where('expires_at', '<=', nowMs)
    .limit(100)
    .execute()
  for (const ask of over) {
    const isLate = ask.state === 'waiting'
    // WHY: what was given and not used is no denial: it can be asked for again at once.
    const endedAt = isLate ? Number(ask.expires_at) : 0
    await rows
      .updateTable('remedy_asks')
      .set({ state: 'expired', ended_at: endedAt })
      .where('id', '=', ask.id)
      .execute()
  }
  return over.map((ask) => [remedyEvents.expired, entryOf(ask, { id: ask.person_id, name: ask.person_name })])
}

/** The refusal of a call that was denied, or for which nobody agreed in time, a moment ago. */
async function stillDenied(rows: Rows, call: AskedCall, nowMs: number): Promise<Refusal | undefined> {
  const row = await sameCall(rows, call)
    .where('state', 'in', ['denied', 'expired'])
    .where('ended_at', '>', nowMs - deniedForMs)
    .orderBy('ended_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const left = Math.ceil((Number(row.ended_at) + deniedForMs - nowMs) / 1_000)
  const definition = row.state === 'denied' ? remedyRefusals.callDenied : remedyRefusals.callExpired
  return refuse(definition, { detail: { remedy: row.id }, retryAfterSeconds: left })
}

async function refuseFlood(rows: Rows, personId: string, nowMs: number): Promise<Refusal | undefined> {
  const { waiting } = await rows
    .selectFrom('remedy_asks')
    .select((count) => count.fn.countAll().as('waiting'))
    .where('person_id', '=', personId)
    .where('state', '=', 'waiting')
    .where('expires_at', '>', nowMs)
    .executeTakeFirstOrThrow()
  return Number(waiting) < mostWaiting ? undefined : refuse(remedyRefusals.tooManyAsks, { retryAfterSeconds: 60 })
}

async function insert(
  rows: Rows,
  { sealer }: RemedyParts,
  { call, rules, id, nowMs }: { call: AskedCall; rules: AskedRule[]; id: string; nowMs: number },
): Promise<Ask> {
  const { principal, target, permission, hash, text, snapshot } = call
  const until =
    nowMs +
    Math.min(...rules.map(({ kind, withinMs }) => (kind === 'consent' ? askWithinMs : (withinMs ?? askWithinMs))))
  const row = {
    id,
    person_id: principal.id,
    person_name: principal.name,
    actors: JSON.stringify((principal.actors ?? []).flatMap((actor) => [actor.id, actor.client])),
    bound_to: boundTo(principal),
    client_name: await clientName(rows, principal),
    upstream: target.upstream,
    permission,
    target_kind: target.kind,
    target_name: target.name ?? '',
    call_hash: hash,
    rules_hash: hashOfRules(rules),
    rules: JSON.stringify(rules),
    snapshot,
    sealed_call: sealer.seal(Buffer.from(text), callPlace(id)),
    state: 'waiting' as const,
    created_at: nowMs,
    asked_until: until,
    expires_at: until,
  }
  const roles = approverRolesOf(rules).map((role) => ({ ask_id: id, role }))
  if (roles.length > 0) await rows.insertInto('remedy_approver_roles').values(roles).execute()
  return rows.insertInto('remedy_asks').values(row).returningAll().executeTakeFirstOrThrow()
}

/** What came of calls that are over, and can go on no more, is forgotten: the ledger has it. */
async function forgetOld(rows: Rows, nowMs: number): Promise<void> {
  const old = rows
    .selectFrom('remedy_asks')
    .select('id')
    .where('state', 'not in', ['waiting', 'ready'])
    .where('expires_at', '<=', nowMs - goOnWithinMs - deniedForMs)
  await rows.deleteFrom('remedy_answers').where('ask_id', 'in', old).execute()
  await rows.deleteFrom('remedy_approver_roles').where('ask_id', 'in', old).execute()
  await rows
    .deleteFrom('remedy_asks')
    .where('state', 'not in', ['waiting', 'ready'])
    .where('expires_at', '<=', nowMs - goOnWithinMs - deniedForMs)
    .execute()
}

/** Waiting for the same call: the one under the same rules; the others are void from here on. */
async function findWaiting(rows: Rows, call: AskedCall, rulesHash: string, nowMs: number) {
  const found = await sameCall(rows, call).where('state', 'in', ['waiting', 'ready']).execute()
  const same = found.find((ask) => ask.rules_hash === rulesHash)
  const others = found.filter((ask) => ask !== same)
  for (const ask of others) await setState(rows, ask, 'void', nowMs)
  const noted = others.map((ask): Noted => [remedyEvents.voided, entryOf(ask, call.principal)])
  return { same, noted }
}

async function askOnce(
  rows: Rows,
  record: RecordEvent,
  parts: RemedyParts,
  asking: { call: AskedCall; rules: AskedRule[]; id: string },
): Promise<Asked | Refusal> {
  const { call, rules } = asking
  const nowMs = parts.clock.now()
  const noted = await endExpired(rows, nowMs)
  const recordAll = async <T>(answer: T): Promise<T> => {
    for (const [event, fields] of noted) await record(event, fields)
    return answer
  }
  const denied = await stillDenied(rows, call, nowMs)
  if (denied !== undefined) return recordAll(denied)
  const { same, noted: voided } = await findWaiting(rows, call, hashOfRules(rules), nowMs)
  noted.push(...voided)
  if (same !== undefined) {
    const { missing } = await countGiven(rows, same, nowMs)
    return recordAll({ id: same.id, expiresAt: Number(same.expires_at), missing, toTell: [] })
  }
  const flood = await refuseFlood(rows, call.principal.id, nowMs)
  if (flood !== undefined) return recordAll(flood)
  await forgetOld(rows, nowMs)
  const ask = await insert(rows, parts, { ...asking, nowMs })
  const { missing } = await countGiven(rows, ask, nowMs)
  const toTell = await approversOf(rows, ask, nowMs)
  noted.push([remedyEvents.asked, entryOf(ask, call.principal)])
  return recordAll({ id: ask.id, expiresAt: Number(ask.expires_at), missing, toTell })
}

/** WHY: a client that waits asks again and again: nothing is written for it. */
async function findSame(
  { database, clock }: RemedyParts,
  call: AskedCall,
  rulesHash: string,
): Promise<Asked | undefined> {
  const nowMs = clock.now()
  const same = await sameCall(database.query, call)
    .where('state', 'in', ['waiting', 'ready'])
    .where('rules_hash', '=', rulesHash)
    .where('expires_at', '>', nowMs)
    .executeTakeFirst()
  if (same === undefined) return undefined
  const { missing } = await countGiven(database.query, same, nowMs)
  return { id: same.id, expiresAt: Number(same.expires_at), missing, toTell: [] }
}

/** Makes what asks: the same again for a call that waits already. */
export function createAsk(parts: RemedyParts, fingerprinted: (call: AskedCall) => AskedRule[]) {
  return async (call: AskedCall): Promise<Asked | Refusal> => {
    const needsApproval = call.remedies.some(({ kind }) => kind === 'approval')
    if (needsApproval && call.text.length > mostCallChars) return refuse(remedyRefusals.callTooLong)
    const rules = fingerprinted(call)
    const same = await findSame(parts, call, hashOfRules(rules))
    if (same !== undefined) return same
    const asking = { call, rules, id: randomBytes(32).toString('base64url') }
    return recordChange(parts.database, parts.ledger, (rows, record) => askOnce(rows, record, parts, asking))
  }
}

/**
 * Which single calls wait for a fresh factor of their person, and which may pass with one?
 * Stops: a proof that lets another call pass, another client, another person, or the same call twice, also on two nodes.
 * Trusts: the gateway for what the call is; `proveFresh` for the proof; the database for one conditional update.
 * Fails: closed; what is used up and not carried out is asked for again.
 * @see ASVS 7.5.3; docs/decisions/0037-step-up-is-a-remedy.md
 */
import { randomBytes } from 'node:crypto'
import { type Factor, type Principal, type Refusal, refuse, type Target } from '#kernel'
import { readFactors } from '../credentials/principals.ts'
import type { Parts, Query } from '../parts.ts'
import { stepUpRefusals } from './refusals.ts'
import { mostShownChars } from './shown-call.ts'

/** One call, as it was judged. */
export interface JudgedCall {
  readonly principal: Principal
  readonly target: Target
  readonly permission: string
  /** SHA-256 of everything that the call says, base64url. */
  readonly hash: string
  /** The call, for its person to read. */
  readonly text: string
}

/** A proof that was used up. */
export interface SpentStepUp {
  readonly id: string
  readonly factors: readonly Factor[]
  /** How often the call has gone on that passed with it. */
  readonly round: number
}

/** A proof that is waited for. */
export interface AskedStepUp {
  readonly id: string
  /** Wall-clock milliseconds. */
  readonly expiresAt: number
}

export interface StepUps {
  /** Uses up the proof for exactly this call; undefined when there is none. One of any number of callers gets it. */
  spend(call: JudgedCall): Promise<SpentStepUp | undefined>
  /** Whether there is a proof for exactly this call that was not used. */
  hasProof(call: JudgedCall): Promise<boolean>
  /** What the person has to prove: the same again for a call that waits already. Writes nothing else. */
  ask(call: JudgedCall): Promise<AskedStepUp | Refusal>
  /** Whether what was asked for has been proved, and not been used. */
  isProven(id: string): Promise<boolean>
  /** A call goes on that passed with this proof and went on `round` times: for one caller each time. */
  goOn(id: string, round: number, call: JudgedCall): Promise<SpentStepUp | undefined>
}

/** How long there is to prove, and then to use what was proved. */
export const proveWithinMs = 5 * 60_000
export const useWithinMs = 5 * 60_000
/** Calls of one person that wait at a time. */
export const mostPending = 10
/** How long a call may go on that passed: as long as what a server wants to remember of it. */
const goOnWithinMs = 60 * 60_000

/** Where a call is sealed to. */
export function callPlace(id: string): string {
  return `step_ups/sealed_call/${id}`
}

/** WHY: the tokens of an OAuth client change with every refresh, and the client stays the same. */
function boundTo({ client, credential }: Principal): string {
  return client === undefined ? `${credential.kind}/${credential.id}` : `${credential.kind}/client/${client.id}`
}

function sameCall(query: Query, { principal, target, permission, hash }: JudgedCall) {
  return query
    .selectFrom('step_ups')
    .selectAll()
    .where('person_id', '=', principal.id)
    .where('call_hash', '=', hash)
    .where('bound_to', '=', boundTo(principal))
    .where('upstream', '=', target.upstream)
    .where('permission', '=', permission)
    .where('target_kind', '=', target.kind)
    .where('target_name', '=', target.name ?? '')
}

/** What is said to a call that waits, or was denied; undefined when it has yet to be asked for. */
async function findAsked(query: Query, call: JudgedCall, nowMs: number): Promise<AskedStepUp | Refusal | undefined> {
  const row = await sameCall(query, call)
    .where('state', 'in', ['pending', 'denied'])
    .where('expires_at', '>', nowMs)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const detail = { stepUp: row.id }
  // WHY: a client that asks over and over again is not let wear its person down.
  if (row.state === 'denied') return refuse(stepUpRefusals.stepUpDenied, { detail })
  return { id: row.id, expiresAt: Number(row.expires_at) }
}

async function clientName(query: Query, { client, credential }: Principal): Promise<string> {
  if (client !== undefined) return client.name
  const token = await query
    .selectFrom('access_tokens')
    .select('label')
    .where('id', '=', credential.id)
    .executeTakeFirst()
  return token?.label ?? ''
}

async function countPending(query: Query, personId: string, nowMs: number): Promise<number> {
  const { waiting } = await query
    .selectFrom('step_ups')
    .select((count) => count.fn.countAll().as('waiting'))
    .where('person_id', '=', personId)
    .where('state', '=', 'pending')
    .where('expires_at', '>', nowMs)
    .executeTakeFirstOrThrow()
  return Number(waiting)
}

function createAsk({ database, clock, sealer }: Parts): StepUps['ask'] {
  async function insert(transaction: Query, call: JudgedCall, id: string): Promise<AskedStepUp | Refusal> {
    const nowMs = clock.now()
    const { principal, target, permission, hash, text } = call
    const found = await findAsked(transaction, call, nowMs)
    if (found !== undefined) return found
    if ((await countPending(transaction, principal.id, nowMs)) >= mostPending) {
      return refuse(stepUpRefusals.tooManyStepUps, { retryAfterSeconds: proveWithinMs / 1_000 })
    }
    await transaction
      .deleteFrom('step_ups')
      .where('expires_at', '<=', nowMs - goOnWithinMs)
      .execute()
    const expiresAt = nowMs + proveWithinMs
    const kept = { text: text.slice(0, mostShownChars), chars: text.length }
    const row = {
      id,
      person_id: principal.id,
      bound_to: boundTo(principal),
      client_name: await clientName(transaction, principal),
      upstream: target.upstream,
      permission,
      target_kind: target.kind,
      target_name: target.name ?? '',
      call_hash: hash,
      sealed_call: sealer.seal(Buffer.from(JSON.stringify(kept)), callPlace(id)),
      state: 'pending' as const,
      created_at: nowMs,
      expires_at: expiresAt,
    }
    await transaction.insertInto('step_ups').values(row).execute()
    return { id, expiresAt }
  }

  return async (call) => {
    const found = await findAsked(database.query, call, clock.now())
    if (found !== undefined) return found
    const id = randomBytes(32).toString('base64url')
    return database.transaction((transaction) => insert(transaction, call, id))
  }
}

export function createStepUps(parts: Parts): StepUps {
  const { database, clock } = parts
  return {
    ask: createAsk(parts),
    async spend(call) {
      const nowMs = clock.now()
      const fitting = sameCall(database.query, call).clearSelect().select('id')
      const spent = await database.query
        .updateTable('step_ups')
        .set({ state: 'used', used_at: nowMs })
        .where('id', 'in', fitting.where('state', '=', 'proven').where('expires_at', '>', nowMs).limit(1))
        // INVARIANT: asked again of the row that is changed: whoever came a moment before has used it up.
        .where('state', '=', 'proven')
        .returning(['id', 'factors'])
        .executeTakeFirst()
      return spent && { id: spent.id, factors: readFactors(spent.factors ?? '[]'), round: 0 }
    },
    async hasProof(call) {
      const proven = sameCall(database.query, call).where('state', '=', 'proven')
      return (await proven.where('expires_at', '>', clock.now()).executeTakeFirst()) !== undefined
    },
    async isProven(id) {
      const row = await database.query.selectFrom('step_ups').select('state').where('id', '=', id).executeTakeFirst()
      return row?.state === 'proven'
    },
    async goOn(id, round, call) {
      const gone = await database.query
        .updateTable('step_ups')
        .set({ rounds: round + 1 })
        .where('id', 'in', sameCall(database.query, call).clearSelect().select('id').where('id', '=', id))
        .where('state', '=', 'used')
        .where('rounds', '=', round)
        .where('used_at', '>', clock.now() - goOnWithinMs)
        .returning('factors')
        .executeTakeFirst()
      return gone && { id, factors: readFactors(gone.factors ?? '[]'), round: round + 1 }
    },
  }
}

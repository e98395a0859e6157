/**
 * What does a person say to a call of theirs that waits for a fresh factor? They prove it, or deny the call.
 * Stops: a proof by anybody but the person who is asked; a password alone, or a way back in, in place of a factor.
 * Trusts: `proveFresh`, which counts guesses and uses codes up.
 * Fails: with one answer for what is another's, too old, answered and never was.
 */
import type { EntryFields } from '#audit'
import { type Factor, isRefusal, type Principal, type Refusal, refuse } from '#kernel'
import * as z from 'zod'
import { readTotpCode } from '../methods/totp/totp.ts'
import type { Parts, Query } from '../parts.ts'
import { recordChange } from '../record-change.ts'
import { stepUpEvents } from './events.ts'
import type { ProofRequest, ProveFresh, Proven } from './prove-fresh.ts'
import { stepUpRefusals } from './refusals.ts'
import { callPlace, useWithinMs } from './step-ups.ts'

/** A call that waits for its person. */
export interface WaitingCall {
  readonly id: string
  /** What the client calls itself; empty where it has no name. */
  readonly clientName: string
  readonly upstream: string
  readonly kind: 'tool' | 'resource' | 'prompt' | 'server'
  readonly name: string
  /** As JSON; its beginning where that is too long to be shown. */
  readonly text: string
  /** Of the whole text. */
  readonly chars: number
  readonly callHash: string
  /** Wall-clock milliseconds. */
  readonly expiresAt: number
}

export interface StepUpAnswers {
  /** The call that waits there for this person. What waits for another is put on record. */
  find(id: string, principal: Principal, address: string): Promise<WaitingCall | undefined>
  prove(id: string, request: ProofRequest): Promise<{ readonly factors: readonly Factor[] } | Refusal>
  deny(id: string, principal: Principal, address: string): Promise<WaitingCall | Refusal>
}

type Row = NonNullable<Awaited<ReturnType<typeof rowOf>>>

function rowOf(query: Query, id: string) {
  return query.selectFrom('step_ups').selectAll().where('id', '=', id).executeTakeFirst()
}

const keptShape = z.strictObject({ text: z.string(), chars: z.number() })

function readKept(bytes: Uint8Array): z.infer<typeof keptShape> {
  return keptShape.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
}

const second: readonly Factor[] = ['totp', 'passkey', 'identity-provider-mfa']

function entry(call: WaitingCall, principal: Principal, address: string | undefined): EntryFields {
  const { id, upstream, kind, name, callHash, clientName } = call
  const target = { upstream, kind, name }
  const details = { stepUp: id, call: callHash, client: clientName }
  return { principal, address, target, outcome: 'succeeded', details }
}

function createFind({ database, clock, sealer, ledger }: Parts): StepUpAnswers['find'] {
  function callOf(row: Row): WaitingCall | undefined {
    const kept = sealer.open(row.sealed_call, callPlace(row.id))
    return (
      kept && {
        id: row.id,
        clientName: row.client_name,
        upstream: row.upstream,
        kind: row.target_kind as WaitingCall['kind'],
        name: row.target_name,
        ...readKept(kept),
        callHash: row.call_hash,
        expiresAt: Number(row.expires_at),
      }
    )
  }

  return async (id, principal, address) => {
    const row = await rowOf(database.query, id)
    const call = row && callOf(row)
    if (row === undefined || call === undefined) return undefined
    if (row.person_id !== principal.id) {
      const refusal = stepUpRefusals.stepUpUnknown.code
      await ledger.append(stepUpEvents.refused, { ...entry(call, principal, address), outcome: 'refused', refusal })
      return undefined
    }
    return row.state === 'pending' && call.expiresAt > clock.now() ? call : undefined
  }
}

/** One conditional update: only what still waits is answered. */
async function answer(
  transaction: Query,
  { id, personId, nowMs }: { readonly id: string; readonly personId: string; readonly nowMs: number },
  state: { state: 'proven' | 'denied'; expires_at?: number; proven_at?: number; factors?: string },
): Promise<boolean> {
  const changed = await transaction
    .updateTable('step_ups')
    .set(state)
    .where('id', '=', id)
    .where('person_id', '=', personId)
    .where('state', '=', 'pending')
    .where('expires_at', '>', nowMs)
    .executeTakeFirst()
  return changed.numUpdatedRows === 1n
}

export function createStepUpAnswers(parts: Parts, proveFresh: ProveFresh): StepUpAnswers {
  const { clock } = parts
  const find = createFind(parts)

  /** The proof, where it is one of a second factor. */
  async function judge(request: ProofRequest): Promise<Proven | Refusal> {
    const { proof } = request
    // WHY: judged before it is used up: a recovery code is for the way back in.
    if ('password' in proof && readTotpCode(proof.code ?? '') === undefined) {
      return refuse(stepUpRefusals.stepUpNeedsFactor)
    }
    const proven = await proveFresh({ ...request, isForOneCall: true })
    // INVARIANT: a password alone is no second factor, also where people may sign in without one.
    if (isRefusal(proven) || proven.factors.some((factor) => second.includes(factor))) return proven
    return refuse(stepUpRefusals.stepUpNeedsFactor)
  }

  return {
    find,
    async prove(id, request) {
      const { principal, address } = request
      const call = await find(id, principal, address ?? '')
      if (call === undefined) return refuse(stepUpRefusals.stepUpUnknown)
      const proven = await judge(request)
      if (isRefusal(proven)) return proven
      const { factors, provedAt } = proven
      return recordChange(parts, {
        async work(transaction) {
          const nowMs = clock.now()
          const kept = { proven_at: provedAt, factors: JSON.stringify(factors), expires_at: nowMs + useWithinMs }
          const of = { id, personId: principal.id, nowMs }
          return (await answer(transaction, of, { state: 'proven', ...kept }))
            ? { factors }
            : refuse(stepUpRefusals.stepUpUnknown)
        },
        tell() {
          const fields = entry(call, principal, address)
          return [stepUpEvents.proved, { ...fields, details: { ...fields.details, factors } }]
        },
      })
    },
    async deny(id, principal, address) {
      const call = await find(id, principal, address)
      if (call === undefined) return refuse(stepUpRefusals.stepUpUnknown)
      return recordChange<WaitingCall>(parts, {
        async work(transaction) {
          const of = { id, personId: principal.id, nowMs: clock.now() }
          const isDone = await answer(transaction, of, { state: 'denied' })
          return isDone ? call : refuse(stepUpRefusals.stepUpUnknown)
        },
        tell: () => [stepUpEvents.denied, entry(call, principal, address)],
      })
    },
  }
}

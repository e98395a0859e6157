/**
 * What one line of the ledger says, and its one byte form: canonical JSON (RFC 8785).
 * Stops: secrets and personal data in details; two byte forms of one entry.
 * Trusts: the room that appends, for the fields it names.
 * Fails: never: what cannot be written is cut or replaced by a mark.
 */
import canonicalize from 'canonicalize'

import { createId, type Target } from '#kernel'

import type { EventDefinition } from './define-event.ts'
import { maskText } from './mask-text.ts'
import { sanitise } from './sanitise.ts'

export type Outcome = 'intended' | 'succeeded' | 'refused' | 'failed' | 'unknown'

/** What a room says about an event; the ledger adds `seq`, `id` and `time`. */
export interface EntryFields {
  /** Joins the entries of one request. */
  readonly exchange?: string | undefined
  readonly principal?: { readonly id: string; readonly name: string } | undefined
  /** The client's network address. */
  readonly address?: string | undefined
  readonly target?: Target | undefined
  readonly outcome: Outcome
  /** Code of the refusal. */
  readonly refusal?: string | undefined
  readonly durationMs?: number | undefined
  readonly bytes?: number | undefined
  /** Anything else: sanitised before it leaves the calling thread. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** An entry as it is read back. */
export interface Entry {
  /** Place in the ledger, gapless from 1. */
  readonly seq: number
  readonly id: string
  /** ISO 8601, UTC. */
  readonly time: string
  readonly event: string
  readonly outcome: Outcome
  readonly exchange?: string
  readonly principal?: { readonly id: string; readonly name: string }
  readonly address?: string
  readonly target?: Target
  readonly refusal?: string
  readonly durationMs?: number
  readonly bytes?: number
  readonly details?: Readonly<Record<string, unknown>>
}

/** Proof that an entry is durable. */
export interface Receipt {
  readonly seq: number
  readonly id: string
}

const longestFieldChars = 1024

function plain(text: string): string {
  const cut = text.length > longestFieldChars ? text.slice(0, longestFieldChars) : text
  return cut.isWellFormed() ? cut : cut.toWellFormed()
}

function amount(value: number): number {
  return Number.isFinite(value) ? value : 0
}

function writeTarget(target: Target): Target {
  const shared = { upstream: plain(target.upstream), kind: target.kind }
  // WHY: a resource URI comes from the caller and may carry credentials or an address.
  return target.name === undefined ? shared : { ...shared, name: plain(maskText(target.name)) }
}

/**
 * @param seq the place the entry will have
 * @returns the entry's id and its canonical JSON, without secrets
 */
export function writeBody(
  event: EventDefinition,
  fields: EntryFields,
  seq: number,
  nowMs: number,
): { id: string; body: string } {
  const id = createId(nowMs)
  const entry: Record<string, unknown> = { id, seq, time: new Date(nowMs).toISOString() }
  entry['event'] = event.name
  entry['outcome'] = fields.outcome
  if (fields.exchange !== undefined) entry['exchange'] = plain(fields.exchange)
  if (fields.principal !== undefined)
    entry['principal'] = { id: plain(fields.principal.id), name: plain(fields.principal.name) }
  if (fields.address !== undefined) entry['address'] = plain(fields.address)
  if (fields.target !== undefined) entry['target'] = writeTarget(fields.target)
  if (fields.refusal !== undefined) entry['refusal'] = plain(fields.refusal)
  if (fields.durationMs !== undefined) entry['durationMs'] = amount(fields.durationMs)
  if (fields.bytes !== undefined) entry['bytes'] = amount(fields.bytes)
  if (fields.details !== undefined) entry['details'] = sanitise(fields.details)
  return { id, body: canonicalize(entry) ?? '' }
}

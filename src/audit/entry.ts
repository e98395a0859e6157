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

const json = JSON.stringify

function writeTarget({ kind, name, upstream }: Target): string {
  // WHY: a resource URI comes from the caller and may carry credentials or an address.
  const named = name === undefined ? '' : `,"name":${json(plain(maskText(name)))}`
  return `{"kind":${json(kind)}${named},"upstream":${json(plain(upstream))}}`
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
  const { address, bytes, details, durationMs, exchange, outcome, principal, refusal, target } = fields
  const id = createId(nowMs)
  const write = (name: string, value: string) => `"${name}":${value},`
  const text = (name: string, value: string | undefined) => (value === undefined ? '' : write(name, json(plain(value))))
  const figure = (name: string, value: number | undefined) =>
    value === undefined ? '' : write(name, json(Number.isFinite(value) ? value : 0))
  // SPEC: RFC 8785, section 3.2.3: members in the order of their names; only `details` has names from outside.
  const body =
    text('address', address) +
    figure('bytes', bytes) +
    (details === undefined ? '' : write('details', canonicalize(sanitise(details)) ?? 'null')) +
    figure('durationMs', durationMs) +
    text('event', event.name) +
    text('exchange', exchange) +
    text('id', id) +
    text('outcome', outcome) +
    (principal === undefined
      ? ''
      : write('principal', `{"id":${json(plain(principal.id))},"name":${json(plain(principal.name))}}`)) +
    text('refusal', refusal) +
    figure('seq', seq) +
    (target === undefined ? '' : write('target', writeTarget(target)))
  return { id, body: `{${body}"time":"${new Date(nowMs).toISOString()}"}` }
}

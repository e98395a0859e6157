/**
 * What one line of the ledger says, and its one byte form: canonical JSON (RFC 8785).
 * Stops: secrets and personal data in details; two byte forms of one entry.
 * Trusts: the room that appends, for the fields it names.
 * Fails: never: what cannot be written is cut or replaced by a mark.
 */
import { createId, type Target } from '#kernel'

import type { EventDefinition } from './define-event.ts'
import { writeMasked } from './mask-text.ts'
import { writeSanitised } from './sanitise.ts'

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

const needsNoEscape = /^[ !#-[\]-~]*$/

/** @returns the text as JSON writes it, without the quotes */
function escape(text: string): string {
  const cut = text.length > longestFieldChars ? text.slice(0, longestFieldChars) : text
  // WHY: nearly all of these are ids and names; telling that nothing is escaped costs less than escaping.
  return needsNoEscape.test(cut) ? cut : JSON.stringify(cut.toWellFormed()).slice(1, -1)
}

function writeTarget({ kind, name, upstream }: Target): string {
  // WHY: a resource URI comes from the caller and may carry credentials or an address.
  const named = name === undefined ? '' : `,"name":${writeMasked(name, longestFieldChars)}`
  return `"target":{"kind":"${escape(kind)}"${named},"upstream":"${escape(upstream)}"},`
}

function figure(name: string, value: number | undefined): string {
  return value === undefined ? '' : `"${name}":${Number.isFinite(value) ? String(value) : '0'},`
}

let lastMs = Number.NaN
let lastTime = ''

function writeTime(nowMs: number): string {
  // WHY: many entries of one millisecond share the text of their time.
  if (nowMs !== lastMs) {
    lastMs = nowMs
    lastTime = new Date(nowMs).toISOString()
  }
  return lastTime
}

type Person = NonNullable<EntryFields['principal']>

interface WrittenPerson {
  readonly id: string
  readonly member: string
}

/** A caller is the same object from call to call, for as long as nothing changes about them. */
const people = new WeakMap<Person, WrittenPerson>()

function writePerson(person: Person): WrittenPerson {
  const known = people.get(person)
  if (known !== undefined) return known
  const id = escape(person.id)
  const written = { id, member: `"principal":{"id":"${id}","name":"${escape(person.name)}"},` }
  people.set(person, written)
  return written
}

/** An entry as the writing thread takes it. */
export interface Written {
  readonly id: string
  /** Canonical JSON, without secrets. */
  readonly body: string
  /** What it is searched by, in the order of `searched`: each as JSON without quotes, followed by a zero character. */
  readonly values: string
}

/** @param seq the place the entry will have */
export function writeBody(event: EventDefinition, fields: EntryFields, seq: number, nowMs: number): Written {
  const { address, bytes, details, durationMs, outcome, principal, target } = fields
  const id = createId(nowMs)
  const exchange = fields.exchange === undefined ? '' : escape(fields.exchange)
  const refusal = fields.refusal === undefined ? '' : escape(fields.refusal)
  const person = principal === undefined ? undefined : writePerson(principal)
  // SPEC: RFC 8785, section 3.2.3: members in the order of their names; only `details` has names from outside.
  const body =
    (address === undefined ? '{' : `{"address":"${escape(address)}",`) +
    figure('bytes', bytes) +
    (details === undefined ? '' : `"details":${writeSanitised(details)},`) +
    figure('durationMs', durationMs) +
    `"event":"${event.name}",` +
    (fields.exchange === undefined ? '' : `"exchange":"${exchange}",`) +
    `"id":"${id}","outcome":"${outcome}",` +
    (person?.member ?? '') +
    (fields.refusal === undefined ? '' : `"refusal":"${refusal}",`) +
    `"seq":${seq},` +
    (target === undefined ? '' : writeTarget(target)) +
    `"time":"${writeTime(nowMs)}"}`
  return { id, body, values: `${event.name}\0${person?.id ?? ''}\0${exchange}\0${refusal}\0` }
}

/**
 * Which call asks for what? The shapes that gateway, store and pages share.
 * Stops: what was given for one call letting another pass: everything that binds is compared in one place.
 * Trusts: the gateway for what the call is.
 * Fails: nothing here can fail.
 */
import { hash } from 'node:crypto'
import type { Principal, Target } from '#kernel'
import type { Remedy } from '../circumstances.ts'
import type { Rows } from '../snapshot/store.ts'

/** What one rule asks for, and the rule as it was written. */
export interface AskedRule extends Remedy {
  /** Changes when the rule does. */
  readonly fingerprint: string
}

/** One call that rules deny until people have agreed to it. */
export interface AskedCall {
  readonly principal: Principal
  readonly target: Target
  readonly permission: string
  /** SHA-256 of everything that the call says, base64url. */
  readonly hash: string
  /** The call, for people to read. */
  readonly text: string
  /** The snapshot by which it was denied. */
  readonly snapshot: number
  /** What has to be given: approvals, justifications and consents. */
  readonly remedies: readonly Remedy[]
}

/** Something that is not given yet. */
export interface Missing {
  readonly rule: string
  readonly kind: Remedy['kind']
  /** Of an approval: how many more have to approve. */
  readonly count: number
}

/** How long there is to use what was given. */
export const useWithinMs = 15 * 60_000
/** How long there is to give it, where the rule does not say. */
export const askWithinMs = 60 * 60_000
/** How long a consent is kept, where the rule does not say. */
export const consentWithinMs = 24 * 60 * 60_000
/** How long a denial holds, and a time-out. */
export const deniedForMs = 5 * 60_000
/** Calls of one person that wait at a time. */
export const mostWaiting = 10
/** UTF-16 units of a call that can be approved: as much as is shown. */
export const mostCallChars = 32_768
/** UTF-16 units of what somebody says about a call. */
export const mostSaidChars = 2_000
/** How long a call may go on that passed: as long as what a server wants to remember of it. */
export const goOnWithinMs = 60 * 60_000

export function callPlace(id: string): string {
  return `remedy_asks/sealed_call/${id}`
}

export function saidPlace(id: string, personId: string, rule: string): string {
  return `remedy_answers/sealed_text/${id}/${personId}/${rule}`
}

/** WHY: the tokens of an OAuth client change with every refresh; the client, and who acts by it, stay the same. */
export function boundTo({ client, credential, actors = [] }: Principal): string {
  const by = client === undefined ? credential.id : `client/${client.id}`
  return JSON.stringify([credential.kind, by, ...actors.map(({ id, client: through }) => [id, through])])
}

/** The rules in one order, whoever found them. */
export function inOrder<Ruled extends { readonly rule: string }>(rules: readonly Ruled[]): Ruled[] {
  return rules.toSorted((one, other) => (one.rule < other.rule ? -1 : 1))
}

export function hashOfRules(rules: readonly AskedRule[]): string {
  return hash('sha256', JSON.stringify(inOrder(rules).map(({ rule, fingerprint }) => [rule, fingerprint])), 'base64url')
}

/** What was asked for exactly this call, by exactly this client. */
export function sameCall(rows: Rows, { principal, target, permission, hash: callHash }: Omit<AskedCall, 'remedies'>) {
  return rows
    .selectFrom('remedy_asks')
    .selectAll()
    .where('person_id', '=', principal.id)
    .where('call_hash', '=', callHash)
    .where('bound_to', '=', boundTo(principal))
    .where('upstream', '=', target.upstream)
    .where('permission', '=', permission)
    .where('target_kind', '=', target.kind)
    .where('target_name', '=', target.name ?? '')
}

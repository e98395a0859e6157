/**
 * May somebody who cannot sign in any more be let in again? Started by an administrator, with a reason, for a short time;
 * for administrators only when a second administrator agrees.
 * Stops: a reset by oneself, by one administrator alone over another, twice with one link, or later than its time.
 * Trusts: the caller for the permission to act; who acted is kept with the reset and in the ledger.
 * Fails: closed; nothing is taken and no link is made without its entry.
 * @see ASVS 6.4.3, 6.4.4, 6.4.6; docs/decisions/0034-passkeys-and-recovery.md
 */
import { createId, type Refusal, isRefusal, refuse } from '#kernel'
import type { EntryFields, EventDefinition } from '#audit'
import { createToken, hashToken } from '../credentials/opaque-token.ts'
import { type EnrolmentLink, draftLink } from '../enrolment/links.ts'
import { resetApproved, resetCancelled, resetRefused, resetStarted, signInReset } from '../events.ts'
import { addNotice } from '../notices/notices.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { takeFactors } from '../people/take-factors.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { approvalsNeeded, isAdministrator } from './two-persons.ts'

const hourMs = 3_600_000
/** How long a second administrator has to agree. */
const approvalMs = 24 * hourMs
/** How long the person has to use the link. */
export const resetLinkMs = hourMs

/**
 * `password-lost`: the person proves an authenticator or recovery code and chooses a password. `factors-lost`: nothing is
 * left to prove; the organisation has made sure who they are, and they enrol anew.
 */
export type ResetKind = 'password-lost' | 'factors-lost'

/** What is shown of a reset. Times in wall-clock milliseconds. */
export interface ResetView {
  readonly id: string
  readonly person: Actor
  readonly kind: ResetKind
  readonly reason: string
  readonly startedBy: string
  readonly startedAt: number
  readonly expiresAt: number
  /** Ids of those who agreed, the one who started it first. */
  readonly approvedBy: readonly string[]
  readonly approvalsNeeded: number
}

export interface ResetLink extends EnrolmentLink {
  /** Where it leads: to a new password, or through the whole enrolment. */
  readonly leadsTo: 'recovery' | 'enrolment'
}

/** A reset, with the link once enough have agreed; the link is shown to whoever agreed last, to be handed over. */
export interface ResetStep {
  readonly reset: ResetView
  readonly link: ResetLink | undefined
}

export interface StartReset {
  readonly personId: string
  readonly kind: ResetKind
  /** How it was made sure who they are; kept. */
  readonly reason: string
  readonly by: Actor
}

export interface Resets {
  /** Ends an earlier reset of the person that was not used. */
  start(request: StartReset): Promise<ResetStep | Refusal>
  approve(id: string, by: Actor): Promise<ResetStep | Refusal>
  cancel(id: string, by: Actor): Promise<ResetView | Refusal>
  /** Those that are open, newest first. */
  list(): Promise<ResetView[]>
}

async function readResets(query: Query, nowMs: number, id?: string): Promise<ResetView[]> {
  const open = query
    .selectFrom('resets')
    .innerJoin('people', 'people.id', 'resets.person_id')
    .selectAll('resets')
    .select('people.name')
    .where('ended_at', 'is', null)
    .where('expires_at', '>', nowMs)
    .orderBy('resets.id', 'desc')
  const rows = await (id === undefined ? open : open.where('resets.id', '=', id)).execute()
  if (rows.length === 0) return []
  const approvals = await query
    .selectFrom('reset_approvals')
    .selectAll()
    .where(
      'reset_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('approved_at')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    person: { id: row.person_id, name: row.name },
    kind: row.kind,
    reason: row.reason,
    startedBy: row.started_by,
    startedAt: row.started_at,
    expiresAt: row.expires_at,
    approvedBy: approvals.filter((one) => one.reset_id === row.id).map((one) => one.approver_id),
    approvalsNeeded: row.approvals_needed,
  }))
}

interface Fresh {
  readonly token: string
  readonly enrolment: ReturnType<typeof draftLink>
  readonly nowMs: number
}

/** Secrets are made outside the transaction, which may run more than once. */
function fresh(parts: Parts, by: Actor): Fresh {
  const enrolment = draftLink(parts, { kind: 'invitation', roles: [], by })
  return { token: createToken('reset'), enrolment, nowMs: parts.clock.now() }
}

/** Enough have agreed: makes the link, and takes the factors where all are lost. */
async function complete(
  transaction: Query,
  reset: ResetView,
  { by, fresh: { token, enrolment, nowMs } }: { readonly by: Actor; readonly fresh: Fresh },
): Promise<ResetStep | Refusal> {
  const { id, person, kind } = reset
  if (kind === 'password-lost') {
    const expiresAt = nowMs + resetLinkMs
    const link = { token_hash: hashToken(token), expires_at: expiresAt }
    await transaction.updateTable('resets').set(link).where('id', '=', id).execute()
    return { reset: { ...reset, expiresAt }, link: { token, expiresAt, leadsTo: 'recovery' } }
  }
  const taken = await takeFactors(transaction, { personId: person.id, by, nowMs })
  if (isRefusal(taken)) return taken
  await enrolment.insert(transaction, person.id)
  await endReset(transaction, id, { reason: 'finished', nowMs })
  await addNotice(transaction, { personId: person.id, kind: 'reset-finished', nowMs })
  return { reset, link: { ...enrolment.link, leadsTo: 'enrolment' } }
}

async function endReset(transaction: Query, id: string, { reason, nowMs }: { reason: string; nowMs: number }) {
  const end = { ended_at: nowMs, ended_reason: reason, token_hash: null }
  const ended = transaction.updateTable('resets').set(end).where('id', '=', id).where('ended_at', 'is', null)
  return (await ended.executeTakeFirst()).numUpdatedRows === 1n
}

function tell(event: EventDefinition, by: Actor, { reset, link }: ResetStep): readonly [EventDefinition, EntryFields] {
  const { id, person, kind, reason, approvedBy } = reset
  const isTaken = link?.leadsTo === 'enrolment'
  const details = { reset: id, person: person.id, name: person.name, kind, reason, approvedBy }
  const principal = { id: by.id, name: by.name }
  return [isTaken ? signInReset : event, { principal, outcome: 'succeeded', details }]
}

/** Who may not act on a reset of this person, and why. */
async function refuseActor(
  transaction: Query,
  { personId, by, isTwo }: { readonly personId: string; readonly by: Actor; readonly isTwo: boolean },
): Promise<Refusal | undefined> {
  if (by.id === personId) return refuse(refusals.ownReset)
  return isTwo && !(await isAdministrator(transaction, by.id)) ? refuse(refusals.resetNeedsAdministrator) : undefined
}

async function start(parts: Parts, { personId, kind, reason, by }: StartReset): Promise<ResetStep | Refusal> {
  const made = fresh(parts, by)
  const { nowMs } = made
  const id = createId(nowMs)
  return recordChange<ResetStep>(parts, {
    async work(transaction) {
      const person = await transaction.selectFrom('people').selectAll().where('id', '=', personId).executeTakeFirst()
      if (person?.kind === 'service') return refuse(refusals.accountNoPerson)
      if (person?.status !== 'active' || person.password_hash === null) return refuse(refusals.personUnknown)
      const needed = kind === 'factors-lost' ? await approvalsNeeded(transaction, personId, nowMs) : 1
      const refusal = await refuseActor(transaction, { personId, by, isTwo: needed > 1 })
      if (refusal) return refusal
      const earlier = { ended_at: nowMs, ended_reason: 'replaced', token_hash: null }
      await transaction
        .updateTable('resets')
        .set(earlier)
        .where('person_id', '=', personId)
        .where('ended_at', 'is', null)
        .execute()
      const row = { id, person_id: personId, kind, reason, approvals_needed: needed, started_by: by.id }
      const times = { started_at: nowMs, expires_at: nowMs + approvalMs, ended_at: null, ended_reason: null }
      await transaction
        .insertInto('resets')
        .values({ ...row, ...times, token_hash: null })
        .execute()
      const approval = { reset_id: id, approver_id: by.id, approved_at: nowMs }
      await transaction.insertInto('reset_approvals').values(approval).execute()
      await addNotice(transaction, { personId, kind: 'reset-started', nowMs, details: { kind } })
      const [reset] = await readResets(transaction, nowMs, id)
      if (reset === undefined) throw new TypeError('a reset that was just made is there')
      return needed === 1 ? complete(transaction, reset, { by, fresh: made }) : { reset, link: undefined }
    },
    tell: (step) => tell(resetStarted, by, step),
  })
}

async function approve(parts: Parts, id: string, by: Actor): Promise<ResetStep | Refusal> {
  const made = fresh(parts, by)
  const { nowMs } = made
  return recordChange<ResetStep>(parts, {
    async work(transaction) {
      const [open] = await readResets(transaction, nowMs, id)
      if (open === undefined || open.approvedBy.length >= open.approvalsNeeded) return refuse(refusals.resetUnknown)
      const refusal = await refuseActor(transaction, { personId: open.person.id, by, isTwo: true })
      if (refusal) return refusal
      if (open.approvedBy.includes(by.id)) return refuse(refusals.resetNeedsAnother)
      // INVARIANT: whoever agreed before is still an administrator when it counts.
      for (const earlier of open.approvedBy) {
        if (!(await isAdministrator(transaction, earlier))) return refuse(refusals.resetUnknown)
      }
      const approval = { reset_id: id, approver_id: by.id, approved_at: nowMs }
      await transaction.insertInto('reset_approvals').values(approval).execute()
      const reset = { ...open, approvedBy: [...open.approvedBy, by.id] }
      const isEnough = reset.approvedBy.length >= reset.approvalsNeeded
      return isEnough ? complete(transaction, reset, { by, fresh: made }) : { reset, link: undefined }
    },
    tell: (step) => tell(resetApproved, by, step),
  })
}

function cancel(parts: Parts, id: string, by: Actor): Promise<ResetView | Refusal> {
  const nowMs = parts.clock.now()
  return recordChange<ResetView>(parts, {
    async work(transaction) {
      const [open] = await readResets(transaction, nowMs, id)
      const isEnded = open !== undefined && (await endReset(transaction, id, { reason: 'cancelled', nowMs }))
      return isEnded ? open : refuse(refusals.resetUnknown)
    },
    tell: (reset) => tell(resetCancelled, by, { reset, link: undefined }),
  })
}

export function createResets(parts: Parts): Resets {
  async function recorded<T>(by: Actor, details: Record<string, string>, attempt: Promise<T | Refusal>) {
    const answer = await attempt
    if (!isRefusal(answer)) return answer
    const principal = { id: by.id, name: by.name }
    await parts.ledger.append(resetRefused, { principal, outcome: 'refused', refusal: answer.code, details })
    return answer
  }

  return {
    start: (request) => recorded(request.by, { person: request.personId, kind: request.kind }, start(parts, request)),
    approve: (id, by) => recorded(by, { reset: id }, approve(parts, id, by)),
    cancel: (id, by) => recorded(by, { reset: id }, cancel(parts, id, by)),
    list: () => readResets(parts.database.query, parts.clock.now()),
  }
}

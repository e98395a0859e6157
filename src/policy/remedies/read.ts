/**
 * What do approvers, and the person whose call it is, see of a call that waits?
 * Stops: an approval of what was not seen; calls of one person burying those of others; calls shown to whoever has no say.
 * Trusts: the sealer: what does not open is not shown.
 * Fails: with nothing for what is another's, too old, answered and never was.
 */
import type { Principal } from '#kernel'
import { sql } from 'kysely'
import type { Rows } from '../snapshot/store.ts'
import { type AskedRule, callPlace, type Missing, saidPlace } from './asked-call.ts'
import { entryOf } from './ask.ts'
import { remedyEvents } from './events.ts'
import { countGiven } from './missing.ts'
import type { RemedyParts } from './parts.ts'
import { remedyRefusals } from './refusals.ts'
import { type Ask, rulesOf, standingFor } from './standing.ts'

/** What somebody said about a call. */
export interface Said {
  readonly name: string
  readonly deed: 'approved' | 'denied' | 'justified'
  /** The rule that asked for a justification; empty for an approver. */
  readonly rule: string
  readonly text: string
  /** Wall-clock milliseconds. */
  readonly at: number
}

/** One call that waits, as it is listed. */
export interface WaitingLine {
  readonly id: string
  readonly personName: string
  readonly clientName: string
  readonly upstream: string
  readonly kind: string
  readonly name: string
  readonly state: Ask['state']
  readonly createdAt: number
  readonly expiresAt: number
}

/** The same, completely. */
export interface WaitingCall extends WaitingLine {
  readonly personId: string
  readonly permission: string
  /** The whole call, as canonical JSON. */
  readonly text: string
  readonly callHash: string
  readonly snapshot: number
  readonly rules: readonly AskedRule[]
  readonly missing: readonly Missing[]
  readonly said: readonly Said[]
}

/** Of one list. */
export const mostListed = 50

function lineOf(ask: Ask): WaitingLine {
  return {
    id: ask.id,
    personName: ask.person_name,
    clientName: ask.client_name,
    upstream: ask.upstream,
    kind: ask.target_kind,
    name: ask.target_name,
    state: ask.state,
    createdAt: Number(ask.created_at),
    expiresAt: Number(ask.expires_at),
  }
}

export interface ReadRemedies {
  /**
   * The calls that this person may approve and has not answered: everybody's first one, then everybody's second; at most
   * 50.
   */
  list(principal: Principal): Promise<WaitingLine[]>
  /** A call that this person may approve. */
  show(id: string, principal: Principal): Promise<WaitingCall | undefined>
  /** A call of this person's own, whatever became of it. What is another's is put on record. */
  showOwn(id: string, principal: Principal): Promise<WaitingCall | undefined>
}

async function rolesOf(rows: Rows, personId: string): Promise<string[]> {
  const found = await rows.selectFrom('role_grants').select('role').where('person_id', '=', personId).execute()
  return found.map(({ role }) => role)
}

function waitingFor(
  rows: Rows,
  personId: string,
  { roles, nowMs }: { readonly roles: string[]; readonly nowMs: number },
) {
  const answered = rows.selectFrom('remedy_answers').select('ask_id').where('person_id', '=', personId)
  const programs = rows.selectFrom('service_accounts').select('person_id').where('owner_id', '=', personId)
  // WHY: whoever asks for much comes after those who ask for little.
  const turn = sql<number>`row_number() over (partition by person_id order by created_at, id)`.as('turn')
  const ranked = rows
    .selectFrom('remedy_asks')
    .selectAll()
    .select(turn)
    .where('state', '=', 'waiting')
    .where('expires_at', '>', nowMs)
    .where('person_id', '!=', personId)
    .where('person_id', 'not in', programs)
    .where('id', 'in', rows.selectFrom('remedy_approver_roles').select('ask_id').where('role', 'in', roles))
    .where('id', 'not in', answered)
  return rows
    .selectFrom(ranked.as('ranked'))
    .selectAll()
    .orderBy('turn')
    .orderBy('created_at')
    .limit(2 * mostListed)
}

/** Makes what tells all of a call. */
function createShow({ database, clock, sealer }: RemedyParts): (ask: Ask) => Promise<WaitingCall | undefined> {
  const open = (sealed: string, place: string): string | undefined => {
    const bytes = sealer.open(sealed, place)
    return bytes && Buffer.from(bytes).toString('utf8')
  }

  async function saidOf(ask: Ask): Promise<Said[]> {
    const rows = await database.query
      .selectFrom('remedy_answers')
      .selectAll()
      .where('ask_id', '=', ask.id)
      .orderBy('answered_at')
      .execute()
    return rows.map((row) => ({
      name: row.person_name,
      deed: row.deed,
      rule: row.rule,
      text: open(row.sealed_text, saidPlace(ask.id, row.person_id, row.rule)) ?? '',
      at: Number(row.answered_at),
    }))
  }

  return async (ask) => {
    const text = open(ask.sealed_call, callPlace(ask.id))
    if (text === undefined) return undefined
    const { missing } = await countGiven(database.query, ask, clock.now())
    const { person_id: personId, permission, call_hash: callHash } = ask
    const about = { personId, permission, callHash, snapshot: Number(ask.snapshot), rules: rulesOf(ask) }
    return { ...lineOf(ask), ...about, text, missing, said: await saidOf(ask) }
  }
}

export function createReadRemedies(parts: RemedyParts): ReadRemedies {
  const { database, clock } = parts
  const whole = createShow(parts)
  const find = (id: string) =>
    database.query.selectFrom('remedy_asks').selectAll().where('id', '=', id).executeTakeFirst()

  return {
    async list(principal) {
      const nowMs = clock.now()
      const roles = await rolesOf(database.query, principal.id)
      if (roles.length === 0) return []
      const found = await waitingFor(database.query, principal.id, { roles, nowMs }).execute()
      const mine: Ask[] = []
      for (const ask of found) {
        const standing = await standingFor(database.query, ask, { ids: [principal.id], nowMs })
        if (standing.has(principal.id)) mine.push(ask)
      }
      return mine.slice(0, mostListed).map(lineOf)
    },

    async show(id, principal) {
      const ask = await find(id)
      const nowMs = clock.now()
      if (ask === undefined || !['waiting', 'ready'].includes(ask.state) || Number(ask.expires_at) <= nowMs)
        return undefined
      const standing = await standingFor(database.query, ask, { ids: [principal.id], nowMs })
      return standing.has(principal.id) ? whole(ask) : undefined
    },

    async showOwn(id, principal) {
      const ask = await find(id)
      if (ask === undefined || ask.person_id === principal.id) return ask && whole(ask)
      const refusal = remedyRefusals.approvalUnknown.code
      await parts.ledger.append(remedyEvents.refused, { ...entryOf(ask, principal), outcome: 'refused', refusal })
      return undefined
    },
  }
}

/**
 * Does this session still hold, and who may end it? Random token, absolute and idle limits, ended at once.
 * Stops fixation (each sign-in makes a new one), use after sign-out, and sessions that live on by forgetting.
 * Trusts the server's clock and the database. Fails closed: an unknown, ended or idle session is one refusal.
 * @see ASVS 7.1.2, 7.2, 7.3, 7.4
 */
import type { EntryFields, EventDefinition } from '#audit'
import { createId, type Factor, type Refusal, isRefusal, refuse } from '#kernel'
import { sessionEnded } from '../events.ts'
import { createToken, hashToken } from './opaque-token.ts'
import type { Actor, Parts, Query } from '../parts.ts'
import { readFactors } from './principals.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'
import { endTerminals } from '../terminals/end-terminals.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** What is shown of a session. Times in wall-clock milliseconds. */
export interface SessionView {
  readonly id: string
  readonly personId: string
  readonly factors: readonly Factor[]
  readonly address: string
  readonly agent: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly expiresAt: number
}

export interface Sessions {
  /** Those that hold at this moment, newest first. */
  list(personId: string): Promise<SessionView[]>
  /**
   * Ends a session on the next request and on open streams.
   * @param ownerId when given, only a session of this person; another's is unknown
   */
  end(id: string, by: Actor, reason: string, ownerId?: string): Promise<SessionView | Refusal>
  /**
   * @param exceptId a session that goes on
   * @returns how many were ended
   */
  endAll(personId: string, by: Actor, exceptId?: string): Promise<number>
}

interface Row {
  readonly id: string
  readonly person_id: string
  readonly factors: string
  readonly address: string
  readonly agent: string
  readonly created_at: number
  readonly last_seen_at: number
  readonly expires_at: number
}

function viewOf(row: Row): SessionView {
  return {
    id: row.id,
    personId: row.person_id,
    factors: readFactors(row.factors),
    address: row.address,
    agent: row.agent,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
  }
}

/** Which limit a session has passed, if any. */
export function sessionLimit(
  row: Pick<Row, 'expires_at' | 'last_seen_at'>,
  { clock, settings }: Pick<Parts, 'clock' | 'settings'>,
): 'expired' | 'idle' | undefined {
  const now = clock.now()
  if (now >= row.expires_at) return 'expired'
  return now >= row.last_seen_at + settings.sessionIdleMinutes * minuteMs ? 'idle' : undefined
}

export interface NewSession {
  readonly personId: string
  readonly address: string
  readonly agent: string
}

/** Makes the token and the id; `insert` belongs into the transaction that spends the code. */
export function draftSession({ clock, settings }: Pick<Parts, 'clock' | 'settings'>, fresh: NewSession) {
  const now = clock.now()
  const token = createToken('session')
  const row = {
    id: createId(now),
    person_id: fresh.personId,
    address: fresh.address,
    agent: fresh.agent,
    created_at: now,
    last_seen_at: now,
    expires_at: now + settings.sessionHours * hourMs,
  }
  return {
    token,
    id: row.id,
    async insert(transaction: Query, proved: readonly Factor[]): Promise<SessionView> {
      const whole = { ...row, factors: JSON.stringify(proved) }
      await transaction
        .insertInto('sessions')
        .values({ ...whole, token_hash: hashToken(token), ended_at: null, ended_reason: null })
        .execute()
      return viewOf(whole)
    },
  }
}

/** Ends the open sessions of a person, terminals included, but one if asked, in a transaction that has its own entry. */
export async function endSessions(
  transaction: Query,
  ended: { personId: string; exceptId?: string; reason: string; nowMs: number },
): Promise<number> {
  const outcome = await transaction
    .updateTable('sessions')
    .set({ ended_at: ended.nowMs, ended_reason: ended.reason })
    .where('person_id', '=', ended.personId)
    .where('id', '!=', ended.exceptId ?? '')
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  return Number(outcome.numUpdatedRows) + (await endTerminals(transaction, ended))
}

/** Ends the oldest sessions of a person that hold, so that there are not more than allowed. @returns how many */
export async function endOldest(
  transaction: Query,
  { clock, settings }: Pick<Parts, 'clock' | 'settings'>,
  { personId, exceptId }: { readonly personId: string; readonly exceptId: string },
): Promise<number> {
  const nowMs = clock.now()
  const others = await transaction
    .selectFrom('sessions')
    .select('id')
    .where('person_id', '=', personId)
    .where('id', '!=', exceptId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', nowMs)
    .where('last_seen_at', '>', nowMs - settings.sessionIdleMinutes * minuteMs)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  const ids = others.slice(settings.sessionsPerPerson - 1).map(({ id }) => id)
  if (ids.length === 0) return 0
  const end = { ended_at: nowMs, ended_reason: 'too many sessions' }
  await transaction.updateTable('sessions').set(end).where('id', 'in', ids).execute()
  return ids.length
}

const columns = ['id', 'person_id', 'factors', 'address', 'agent', 'created_at', 'last_seen_at', 'expires_at'] as const

async function listSessions(parts: Parts, personId: string): Promise<SessionView[]> {
  const rows = await parts.database.query
    .selectFrom('sessions')
    .select(columns)
    .where('person_id', '=', personId)
    .where('ended_at', 'is', null)
    .orderBy('id', 'desc')
    .execute()
  return rows.filter((row) => sessionLimit(row, parts) === undefined).map(viewOf)
}

export function createSessions(parts: Parts): Sessions {
  const { clock } = parts
  return {
    list: (personId) => listSessions(parts, personId),

    end(id, by, reason, ownerId) {
      return recordChange<SessionView>(parts, {
        async work(transaction) {
          const found = transaction
            .selectFrom('sessions')
            .select(columns)
            .where('id', '=', id)
            .where('ended_at', 'is', null)
          const row = await (ownerId === undefined ? found : found.where('person_id', '=', ownerId)).executeTakeFirst()
          if (!row) return refuse(refusals.credentialUnknown)
          const end = { ended_at: clock.now(), ended_reason: reason }
          await transaction.updateTable('sessions').set(end).where('id', '=', id).execute()
          return viewOf(row)
        },
        tell: (view) => tellEnded(by, { credential: view.id, person: view.personId, reason }),
      })
    },

    async endAll(personId, by, exceptId) {
      const reason = exceptId === undefined ? 'signed out everywhere' : 'signed out everywhere else'
      const ended = await recordChange<number>(parts, {
        work: (transaction) =>
          endSessions(transaction, {
            personId,
            ...(exceptId !== undefined && { exceptId }),
            reason,
            nowMs: clock.now(),
          }),
        tell: (count) => (count === 0 ? undefined : tellEnded(by, { person: personId, count, reason })),
      })
      return isRefusal(ended) ? 0 : ended
    },
  }
}

function tellEnded(by: Actor, details: Record<string, string | number>): readonly [EventDefinition, EntryFields] {
  return [sessionEnded, { principal: { id: by.id, name: by.name }, outcome: 'succeeded', details }]
}

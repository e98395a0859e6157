/**
 * Does this session still hold, and who may end it? Random token, absolute and idle limits, ended at once.
 * Stops fixation (each sign-in makes a new one), use after sign-out, and sessions that live on by forgetting.
 * Trusts the server's clock and the database. Fails closed: an unknown, ended or idle session is one refusal.
 * @see ASVS 7.2, 7.3, 7.4. Concurrent sessions are not limited in number; each is listed and can be ended
 */
import { createId, type Factor, type Principal, type Refusal, isRefusal, refuse } from '#kernel'
import { sessionEnded } from '../events.ts'
import { createToken, hashToken, readToken } from './opaque-token.ts'
import { type Actor, type Parts, type Query, castellan } from '../parts.ts'
import { principalOf, readFactors, rolesOf } from './principals.ts'
import { recordChange } from '../record-change.ts'
import { refusals } from '../refusals.ts'

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
  /** @returns how many were ended */
  endAll(personId: string, by: Actor): Promise<number>
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

/** Ends the open sessions of a person, but one if asked, in a transaction that has its own entry. */
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
  return Number(outcome.numUpdatedRows)
}

export function createSessions(parts: Parts): Sessions {
  const { database, clock } = parts
  const columns = [
    'id',
    'person_id',
    'factors',
    'address',
    'agent',
    'created_at',
    'last_seen_at',
    'expires_at',
  ] as const

  return {
    async list(personId) {
      const rows = await database.query
        .selectFrom('sessions')
        .select(columns)
        .where('person_id', '=', personId)
        .where('ended_at', 'is', null)
        .orderBy('id', 'desc')
        .execute()
      return rows.filter((row) => sessionLimit(row, parts) === undefined).map(viewOf)
    },

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
        tell: (view) => [
          sessionEnded,
          {
            principal: { id: by.id, name: by.name },
            outcome: 'succeeded',
            details: { credential: view.id, person: view.personId, reason },
          },
        ],
      })
    },

    async endAll(personId, by) {
      const ended = await recordChange<number>(parts, {
        work: (transaction) =>
          endSessions(transaction, { personId, reason: 'signed out everywhere', nowMs: clock.now() }),
        tell: (count) =>
          count === 0
            ? undefined
            : [
                sessionEnded,
                {
                  principal: { id: by.id, name: by.name },
                  outcome: 'succeeded',
                  details: { person: personId, count, reason: 'signed out everywhere' },
                },
              ],
      })
      return isRefusal(ended) ? 0 : ended
    },
  }
}

/** Answers with the person behind a session token, and counts the use against the idle limit. */
export function createSessionAuthenticator(parts: Parts, sessions: Pick<Sessions, 'end'>) {
  const { database, clock } = parts

  async function touch(row: Pick<Row, 'id' | 'last_seen_at'>): Promise<void> {
    const now = clock.now()
    // WHY: at most once a minute, because each write ends every cache; idle time is then cut short, never stretched.
    if (now - row.last_seen_at < minuteMs) return
    const seen = database.query.updateTable('sessions').set({ last_seen_at: now }).where('id', '=', row.id)
    await seen.where('ended_at', 'is', null).where('last_seen_at', '<', now).execute()
  }

  return async function authenticateSession(token: string): Promise<Principal | Refusal> {
    const tokenHash = readToken('session', token)
    if (tokenHash === undefined) return refuse(refusals.sessionInvalid, { detail: { reason: 'malformed' } })
    const row = await database.query
      .selectFrom('sessions')
      .innerJoin('people', 'people.id', 'sessions.person_id')
      .select(['sessions.id', 'person_id', 'name', 'factors', 'last_seen_at', 'expires_at', 'ended_at', 'status'])
      .where('token_hash', '=', tokenHash)
      .executeTakeFirst()
    if (!row) return refuse(refusals.sessionInvalid, { detail: { reason: 'unknown' } })
    const detail = { credential: row.id, person: row.person_id }
    if (row.ended_at !== null) return refuse(refusals.sessionInvalid, { detail: { ...detail, reason: 'ended' } })
    if (row.status !== 'active') return refuse(refusals.sessionInvalid, { detail: { ...detail, reason: 'suspended' } })
    const limit = sessionLimit(row, parts)
    if (limit) {
      // INVARIANT: a session found to be over is ended for good, also if the clock is set back.
      await sessions.end(row.id, castellan, limit)
      return refuse(refusals.sessionInvalid, { detail: { ...detail, reason: limit } })
    }
    await touch(row)
    return principalOf('session', row, await rolesOf(database.query, row.person_id))
  }
}

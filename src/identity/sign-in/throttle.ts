/**
 * May this attempt be made at this moment? Counted before it is judged, so that parallel guesses count too.
 * Stops guessing per account and source, per source, per account from unfamiliar sources, and over all.
 * Stops lock-out by strangers: what fails elsewhere never delays a source the person has signed in from.
 * Trusts the database, shared by all nodes. Fails closed: an attempt that cannot be counted is not made.
 * @see ASVS 6.1.1, 6.3.1; NIST SP 800-63B-4, section 3.2.2 (at most 100 consecutive failures)
 */
import { createHash } from 'node:crypto'
import { type Refusal, refuse } from '#kernel'
import type { Parts, Query } from '../parts.ts'
import { refusals } from '../refusals.ts'

interface Rule {
  /** Attempts in the window after which the next ones wait. */
  readonly limit: number
  readonly windowMs: number
  /** How long the next attempt waits: after the limit is reached, after one more, and so on. */
  readonly waitsMs: readonly number[]
}

const minute = 60_000
const day = 24 * 60 * minute
/** How long a source stays familiar after the last sign-in from it. */
const familiarMs = 90 * day

/**
 * The limits. `pair` is an account from one source. `source` is one source, whoever it claims to be: it delays everyone
 * behind it, so it is looser. `account` and `everything` are a pace, not a lock, and only for sources that the person
 * has never signed in from. A single source always meets `pair` before `account`, so neither tells a known name.
 */
export const throttleRules = {
  pair: { limit: 5, windowMs: 5 * minute, waitsMs: [1, 2, 4, 8, 15].map((minutes) => minutes * minute) },
  source: { limit: 30, windowMs: 5 * minute, waitsMs: [1, 2, 4, 5].map((minutes) => minutes * minute) },
  account: { limit: 20, windowMs: 15 * minute, waitsMs: [15_000, 30_000] },
  everything: { limit: 500, windowMs: 5 * minute, waitsMs: [1000] },
} as const satisfies Record<string, Rule>

/**
 * Consecutive failures after which password and time-based code are not enough: a recovery code is. Counted per source
 * for sources the person has signed in from, and together for all others, so that strangers cannot cause it for a
 * source the person uses. A success ends both.
 */
export const mostConsecutiveFailures = 100

export interface Attempt {
  /** Canonical name, or an empty text for what cannot be a name. */
  readonly account: string
  readonly source: string
  readonly personId: string | undefined
  /** Whoever asks is signed in already: taken as familiar, and not remembered. */
  readonly isSignedIn?: boolean
}

export interface Turn {
  /** Failures in a row before this attempt. */
  readonly streak: number
  /** Forgives: the attempt was right. Part of the transaction that grants the session. */
  settle(transaction: Query): Promise<void>
}

export interface Throttle {
  /** Counts the attempt as failed until it is settled; refuses it, uncounted, while its source or account must wait. */
  take(attempt: Attempt): Promise<Turn | Refusal>
}

interface Counter {
  readonly key: string
  readonly rule?: Rule
}

function keyOf(kind: string, ...parts: readonly string[]): string {
  return `${kind}:${createHash('sha256').update(parts.join('\0')).digest('base64url')}`
}

function countersOf({ account, source, personId }: Attempt, isFamiliar: boolean) {
  const pair: Counter = { key: keyOf('pair', account, source), rule: throttleRules.pair }
  const bySource: Counter = { key: keyOf('source', source), rule: throttleRules.source }
  const strangers: readonly Counter[] = isFamiliar
    ? []
    : [
        { key: keyOf('account', account), rule: throttleRules.account },
        { key: 'everything', rule: throttleRules.everything },
      ]
  // WHY: unknown names share one row, so that rows that are never forgotten are as many as people.
  const elsewhere: Counter = { key: `${streaksOf(personId)}elsewhere` }
  const streak = isFamiliar ? { key: streaksOf(personId) + keyOf('from', source) } : elsewhere
  const all = [pair, bySource, ...strangers, streak]
  return { pair, streak, streaks: [streak, elsewhere], all, shared: [bySource, ...strangers.slice(1)], strangers }
}

function streaksOf(personId: string | undefined): string {
  return `streak:${personId ?? 'nobody'}:`
}

/** Ends every run of failures of a person: an admin vouches for them. */
export async function forgiveStreaks(transaction: Query, personId: string): Promise<void> {
  await transaction
    .deleteFrom('throttles')
    .where('key', 'like', `${streaksOf(personId)}%`)
    .execute()
}

interface Row {
  readonly failures: number
  readonly window_started_at: number
  readonly blocked_until: number
}

function count({ key, rule }: Counter, row: Row | undefined, now: number): Row & { key: string } {
  const since = Math.max(row?.window_started_at ?? 0, row?.blocked_until ?? 0)
  const isFresh = row === undefined || (rule !== undefined && since < now - rule.windowMs)
  const failures = isFresh ? 1 : row.failures + 1
  const over = rule === undefined ? -1 : failures - rule.limit
  const waitMs = over < 0 ? 0 : (rule?.waitsMs[over] ?? rule?.waitsMs.at(-1) ?? 0)
  return {
    key,
    failures,
    window_started_at: isFresh ? now : row.window_started_at,
    blocked_until: waitMs === 0 ? 0 : now + waitMs,
  }
}

/** The row that remembers that a person has signed in from a source. */
function familiarKey({ personId, source }: Attempt): string {
  return `familiar:${personId ?? 'nobody'}:${keyOf('from', source)}`
}

async function isFamiliarSource(transaction: Query, attempt: Attempt, now: number): Promise<boolean> {
  const row = await transaction
    .selectFrom('throttles')
    .select('window_started_at')
    .where('key', '=', familiarKey(attempt))
    .executeTakeFirst()
  return row !== undefined && row.window_started_at > now - familiarMs
}

async function remember(transaction: Query, attempt: Attempt, now: number): Promise<void> {
  const row = { key: familiarKey(attempt), failures: 0, window_started_at: now, blocked_until: 0 }
  await transaction
    .insertInto('throttles')
    .values(row)
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ window_started_at: now }))
    .execute()
}

async function settle(transaction: Query, counters: ReturnType<typeof countersOf>): Promise<void> {
  const ended = [counters.pair, ...counters.streaks, ...counters.strangers.slice(0, 1)].map(({ key }) => key)
  await transaction.deleteFrom('throttles').where('key', 'in', ended).execute()
  for (const { key, rule } of counters.shared) {
    const row = await transaction.selectFrom('throttles').selectAll().where('key', '=', key).executeTakeFirst()
    if (!row || row.failures < 1) continue
    // WHY: only this attempt is forgiven; a success of one's own must not buy guesses at others.
    const failures = row.failures - 1
    const waits = rule !== undefined && failures >= rule.limit ? row.blocked_until : 0
    await transaction.updateTable('throttles').set({ failures, blocked_until: waits }).where('key', '=', key).execute()
  }
}

export function createThrottle({ database, clock }: Pick<Parts, 'database' | 'clock'>): Throttle {
  let taken = 0

  async function forget(transaction: Query, now: number): Promise<void> {
    const old = transaction.deleteFrom('throttles')
    await old
      .where('key', 'not like', 'streak:%')
      .where('key', 'not like', 'familiar:%')
      .where('window_started_at', '<', now - day)
      .where('blocked_until', '<', now - day)
      .execute()
    await old
      .where('key', 'like', 'familiar:%')
      .where('window_started_at', '<', now - familiarMs)
      .execute()
  }

  async function countAll(transaction: Query, counters: readonly Counter[], rows: readonly (Row & { key: string })[]) {
    for (const counter of counters) {
      const { key, ...next } = count(
        counter,
        rows.find((row) => row.key === counter.key),
        clock.now(),
      )
      await transaction
        .insertInto('throttles')
        .values({ key, ...next })
        .onConflict((conflict) => conflict.column('key').doUpdateSet(next))
        .execute()
    }
  }

  return {
    async take(attempt) {
      const now = clock.now()
      const isForgetting = taken++ % 256 === 0
      return database.transaction<Turn | Refusal>(async (transaction) => {
        if (isForgetting) await forget(transaction, now)
        const isKnownHere = await isFamiliarSource(transaction, attempt, now)
        const counters = countersOf(attempt, isKnownHere || attempt.isSignedIn === true)
        const keys = counters.all.map(({ key }) => key)
        const rows = await transaction.selectFrom('throttles').selectAll().where('key', 'in', keys).execute()
        const blockedUntil = Math.max(0, ...rows.map((row) => row.blocked_until))
        if (blockedUntil > now) {
          return refuse(refusals.signInThrottled, { retryAfterSeconds: Math.ceil((blockedUntil - now) / 1000) })
        }
        await countAll(transaction, counters.all, rows)
        return {
          streak: rows.find((row) => row.key === counters.streak.key)?.failures ?? 0,
          async settle(granting) {
            await settle(granting, counters)
            if (!attempt.isSignedIn) await remember(granting, attempt, clock.now())
          },
        }
      })
    },
  }
}

/**
 * Which legacy session does a request without one go through?
 *
 * Stops: a handshake for every call; two owners, or clients with different capabilities, in one session; sessions that
 * pile up or outlive their use.
 * Trusts: the caller to give back what it took, and the transport to tell when it ended a session by itself.
 * Fails: at the bound of sessions with a clear answer (503); an upstream that opens none is a Fault.
 * @see MCP 2025-11-25, lifecycle; docs/decisions/0023-bridging-lies-below-the-guards.md
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { Fault, type Clock } from '#kernel'
import { type Bounds, endIdle, type Guest, fullFor, leastMissed } from '../room.ts'
import {
  emptyAnswer,
  type EndSignal,
  type Exchange,
  identityOf,
  type UpstreamAnswer,
  type UpstreamRecord,
} from '../transports/transport.ts'
import { openSession, PooledSession } from './session.ts'

export interface PoolLimits {
  readonly maxSessions: number
  readonly maxSessionsPerOwner: number
  /** Sessions of one client that takes each for itself alone. */
  readonly maxAlone: number
  readonly idleMs: number
}

const defaultPoolLimits: PoolLimits = {
  maxSessions: 1_024,
  maxSessionsPerOwner: 64,
  maxAlone: 8,
  idleMs: 10 * 60_000,
}

export interface Wanted {
  readonly upstream: UpstreamRecord
  readonly ownerId: string
  readonly capabilities: Record<string, unknown>
  readonly deadlineMs: number
  readonly signal: EndSignal
  /** Nobody else's call may be open in the session meanwhile. */
  readonly isAlone: boolean
  /** Only listens: others call in the session as if nobody was there. */
  readonly isListening: boolean
}

/** A session for as long as it is needed. */
export interface Lease {
  readonly session: PooledSession
  /** Whether somebody else's call is open in it. */
  isShared(): boolean
  /** Gives it back; more than once is once. */
  end(): void
  /** The upstream has ended the session: nobody gets it again. */
  drop(): void
}

export interface Pool {
  /** @returns a lease, or the answer that says why there is none. @throws Fault `upstream.misbehaved` */
  take(wanted: Wanted): Promise<Lease | UpstreamAnswer>
  forget(upstream: string): Promise<void>
  /** Those that are being opened included. */
  count(): number
  close(): Promise<void>
}

export interface PoolNeeds {
  readonly exchange: Exchange
  readonly clock: Clock
  readonly limits?: Partial<PoolLimits>
  /** Told that an upstream answered the handshake with an error: perhaps it has none. */
  readonly onUnopened?: (upstream: string) => void
}

interface Entry extends Guest {
  readonly key: string
  readonly upstream: string
  readonly opening: Promise<PooledSession | UpstreamAnswer>
  session: PooledSession | undefined
  callers: number
  listeners: number
}

/** INVARIANT: the same capabilities have the same key, in whatever order they were written, and however long they are. */
function keyOf({ upstream, ownerId, capabilities }: Wanted): string {
  const declared = createHash('sha256').update(canonicalize(capabilities) ?? '')
  return `${identityOf(upstream)}\n${ownerId}\n${declared.digest('base64url')}`
}

/** Rejects with a Fault as soon as the signal tells that nobody waits. */
async function whileWanted<T>(promise: Promise<T>, signal: EndSignal): Promise<T> {
  const { promise: left, reject } = Promise.withResolvers<never>()
  const leave = (): void => reject(new Fault('upstream.cancelled', 'the exchange was cancelled'))
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  try {
    return await Promise.race([promise, left])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

function usedBy({ callers, listeners }: Entry): 'nobody' | 'listeners' | 'callers' {
  if (callers > 0) return 'callers'
  return listeners > 0 ? 'listeners' : 'nobody'
}

const isIdle = ({ callers, listeners, session }: Entry): boolean =>
  callers === 0 && listeners === 0 && session !== undefined

class SessionPool implements Pool {
  readonly #needs: PoolNeeds
  readonly #limits: PoolLimits
  readonly #bounds: Bounds
  readonly #entries = new Set<Entry>()
  readonly #sweeper: NodeJS.Timeout
  #isClosed = false

  constructor(needs: PoolNeeds) {
    this.#needs = needs
    this.#limits = { ...defaultPoolLimits, ...needs.limits }
    this.#bounds = { most: this.#limits.maxSessions, mostPerOwner: this.#limits.maxSessionsPerOwner }
    this.#sweeper = endIdle<Entry>({
      clock: needs.clock,
      idleMs: this.#limits.idleMs,
      guests: () => this.#entries,
      isUsed: (entry) => !isIdle(entry),
      end: (entry) => this.#end(entry),
    })
  }

  async take(wanted: Wanted): Promise<Lease | UpstreamAnswer> {
    if (this.#isClosed) throw new Fault('upstream.unreachable', 'the gateway is closing')
    const entry = this.#find(wanted) ?? this.#open(wanted)
    if (entry === undefined) return emptyAnswer(503, 'overloaded')
    const who = wanted.isListening ? 'listeners' : 'callers'
    entry[who] += 1
    try {
      const session = await whileWanted(entry.opening, wanted.signal)
      if (session instanceof PooledSession) return this.#lease(entry, session, who)
      entry[who] -= 1
      return session
    } catch (error) {
      entry[who] -= 1
      throw error
    }
  }

  /** Drops an upstream's sessions. WHY: without a word to it; its address may be somebody else's by then. */
  async forget(upstream: string): Promise<void> {
    for (const entry of this.#entries) if (entry.upstream === upstream) this.#entries.delete(entry)
  }

  count(): number {
    return this.#entries.size
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#sweeper)
    const sessions = [...this.#entries].flatMap(({ session }) => (session === undefined ? [] : [session.end()]))
    this.#entries.clear()
    await Promise.all(sessions)
  }

  #find(wanted: Wanted): Entry | undefined {
    const key = keyOf(wanted)
    const own = [...this.#entries].filter((entry) => entry.key === key)
    return wanted.isAlone ? own.find(({ callers }) => callers === 0) : own[0]
  }

  #open(wanted: Wanted): Entry | undefined {
    const key = keyOf(wanted)
    const { upstream, ownerId } = wanted
    const alike = [...this.#entries].filter((entry) => entry.key === key)
    if (alike.length >= this.#limits.maxAlone || !this.#makeRoom(ownerId)) return undefined
    const { promise: opening, resolve } = Promise.withResolvers<PooledSession | UpstreamAnswer>()
    const lastUsedAt = this.#needs.clock.now()
    const entry: Entry = {
      key,
      upstream: upstream.name,
      ownerId,
      opening,
      session: undefined,
      callers: 0,
      listeners: 0,
      lastUsedAt,
    }
    this.#entries.add(entry)
    resolve(this.#begin(wanted, entry))
    opening.then(
      (session) => {
        if (!(session instanceof PooledSession)) return void this.#entries.delete(entry)
        entry.session = session
        // WHY: the upstream was forgotten while it opened the session.
        if (!this.#entries.has(entry)) void session.end()
      },
      () => void this.#entries.delete(entry),
    )
    return entry
  }

  async #begin(wanted: Wanted, entry: Entry): Promise<PooledSession | UpstreamAnswer> {
    const { upstream, ownerId, capabilities, deadlineMs } = wanted
    const keeper = { usedBy: () => usedBy(entry), ended: () => void this.#entries.delete(entry) }
    const opened = await openSession(this.#needs.exchange, { upstream, ownerId, capabilities, deadlineMs, keeper })
    if (opened !== undefined) return opened
    this.#needs.onUnopened?.(upstream.name)
    throw new Fault('upstream.misbehaved', 'the upstream opens no session')
  }

  #lease(entry: Entry, session: PooledSession, who: 'callers' | 'listeners'): Lease {
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      entry[who] -= 1
      entry.lastUsedAt = this.#needs.clock.now()
    }
    return {
      session,
      isShared: () => entry.callers > 1,
      end,
      drop: () => {
        this.#entries.delete(entry)
        end()
      },
    }
  }

  /** Whether one more session may be opened. At a bound the longest unused one ends, whoever has it: nobody notices. */
  #makeRoom(ownerId: string): boolean {
    const full = fullFor(ownerId, this.#entries, this.#bounds)
    if (full === undefined) return true
    const isCandidate = (entry: Entry): boolean => full === 'everybody' || entry.ownerId === ownerId
    const leaving = leastMissed(this.#entries, (entry) => (isIdle(entry) && isCandidate(entry) ? 0 : undefined))
    if (leaving === undefined) return false
    this.#end(leaving)
    return true
  }

  #end(entry: Entry): void {
    this.#entries.delete(entry)
    void entry.session?.end()
  }
}

/** Sessions by upstream, owner and client capabilities, opened once and used by all requests that fit. */
export function createPool(needs: PoolNeeds): Pool {
  return new SessionPool(needs)
}

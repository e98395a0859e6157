/**
 * Which legacy sessions are there on this side, and whose are they?
 *
 * Stops: a session used by somebody else or at another upstream, guessed ids, sessions that pile up or never end.
 * Trusts: the gateway's word on who the owner is.
 * Fails: what is not the owner's own session never existed. At the bound, the owner's own longest unused one ends first.
 * @see MCP 2025-11-25, session management
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '#kernel'
import type { Discovered, Envelope, Introduction, Message } from '#protocol'
import { endIdle, fullFor, type Guest, leastMissed } from '../room.ts'
import type { EndSignal, UpstreamRequest } from '../transports/transport.ts'
import type { FaceLimits } from './face.ts'

/** An open stream of news. */
export interface News {
  /** Resolves once the stream tells of what the session is subscribed to; rejects with a Fault when it cannot. */
  change(): Promise<void>
}

export interface FaceSession extends Guest {
  readonly id: string
  readonly upstream: string
  readonly introduction: Introduction
  /** What the server can do. */
  readonly offered: Discovered['capabilities']
  readonly ended: EndSignal
  /** Each request in flight by the id that the client's side gave it, and how to withdraw it. */
  readonly inFlight: Map<string | number, () => void>
  /** Each question to the client by its id, and who waits for the answer. */
  readonly asked: Map<string, (answer: Message) => void>
  readonly subscriptions: Set<string>
  /** What the client set; undefined as long as it has not. */
  logLevel: string | undefined
  news: News | undefined
}

interface Held extends FaceSession {
  readonly end: () => void
}

/** WHY: a server of a legacy revision decides what it logs to a client that says nothing; this one must be told. */
const levelUnlessSet = 'info'

/** What each modern request of the session says of its client. */
export function envelopeOf({ introduction, offered, logLevel }: FaceSession): Envelope {
  const level = logLevel ?? (offered['logging'] === undefined ? undefined : levelUnlessSet)
  return {
    clientCapabilities: JSON.stringify(introduction.capabilities),
    clientInfo: introduction.clientInfo,
    logLevel: level,
  }
}

export interface FaceSessions {
  /** Opens a session for the request's owner and upstream; undefined when there is no room. */
  open(
    request: UpstreamRequest,
    introduction: Introduction,
    offered: Discovered['capabilities'],
  ): FaceSession | undefined
  /** The session that the request names, if it is its owner's and its upstream's. */
  find(request: UpstreamRequest): FaceSession | undefined
  end(session: FaceSession): void
  endAll(upstream?: string): void
  count(): number
  close(): void
}

function isBusy({ inFlight, news }: FaceSession): boolean {
  return inFlight.size > 0 || news !== undefined
}

/** WHY: a part of a text keeps the whole of it in the memory, here for as long as the session. */
function ownText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text).toString()
}

function openSession(request: UpstreamRequest, introduction: Introduction, offered: Discovered['capabilities']) {
  const ended = new AbortController()
  const session: Held = {
    // INVARIANT: 256 random bits, bound to owner and upstream.
    id: randomBytes(32).toString('base64url'),
    upstream: request.upstream.name,
    ownerId: request.ownerId,
    introduction: { ...introduction, clientInfo: ownText(introduction.clientInfo) },
    offered,
    ended: ended.signal,
    inFlight: new Map(),
    asked: new Map(),
    subscriptions: new Set(),
    logLevel: undefined,
    news: undefined,
    lastUsedAt: 0,
    end: () => ended.abort(),
  }
  return session
}

export function createFaceSessions({ clock, limits }: { clock: Clock; limits: FaceLimits }): FaceSessions {
  const sessions = new Map<string, Held>()

  function end({ id }: FaceSession): void {
    const session = sessions.get(id)
    sessions.delete(id)
    session?.end()
  }

  /** INVARIANT: one owner never ends another's: a session that has ended is one that its client has lost. */
  function makeRoom(ownerId: string): boolean {
    const { maxSessions: most, maxSessionsPerOwner: mostPerOwner } = limits
    if (fullFor(ownerId, sessions.values(), { most, mostPerOwner }) === undefined) return true
    const leaving = leastMissed(sessions.values(), (one) => (one.ownerId === ownerId && !isBusy(one) ? 0 : undefined))
    if (leaving === undefined) return false
    end(leaving)
    return true
  }

  const sweeper = endIdle<Held>({
    clock,
    idleMs: limits.sessionIdleMs,
    guests: () => sessions.values(),
    isUsed: isBusy,
    end,
  })

  return {
    open(request, introduction, offered) {
      if (!makeRoom(request.ownerId)) return undefined
      const session = openSession(request, introduction, offered)
      session.lastUsedAt = clock.now()
      sessions.set(session.id, session)
      return session
    },
    find({ sessionId, ownerId, upstream }) {
      const session = sessionId === undefined ? undefined : sessions.get(sessionId)
      // INVARIANT: somebody else's session and one that never was get the same answer.
      if (session === undefined || session.ownerId !== ownerId || session.upstream !== upstream.name) return undefined
      session.lastUsedAt = clock.now()
      return session
    },
    end,
    endAll(upstream) {
      for (const session of sessions.values()) {
        if (upstream === undefined || session.upstream === upstream) end(session)
      }
    },
    count: () => sessions.size,
    close: () => clearInterval(sweeper),
  }
}

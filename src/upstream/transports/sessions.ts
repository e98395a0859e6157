/**
 * Whose session is this, and with whom does it speak?
 *
 * Stops: two owners sharing a session, a session used by somebody else, sessions that pile up or outlive their use.
 * Trusts: the plug that starts the other side.
 * Fails: at the bound what nobody misses makes way, then the owner's own longest unused session; where all are in use the
 * answer is 503. Another side that ends takes only its own session with it.
 * @see MCP 2025-11-25, session management: a server without sessions of its own is served as one that has them
 */
import { randomBytes } from 'node:crypto'
import { Fault, type Clock } from '#kernel'
import { isProblem, readUpstreamMessage } from '#protocol'
import { type Bounds, endIdle, fullFor, leastMissed } from '../room.ts'
import { Conversation, type Hearing, type Peer } from './conversation.ts'
import {
  emptyAnswer,
  identityOf,
  jsonAnswer,
  type Keeper,
  type UpstreamAnswer,
  type UpstreamLimits,
  type UpstreamRequest,
} from './transport.ts'

export interface SessionsOptions extends Bounds {
  readonly clock: Clock
  readonly limits: UpstreamLimits
  readonly idleMs: number
  /** Put before the 256 random bits of each session id. */
  readonly idPrefix?: string
  /** Starts the other side of a new session. */
  readonly begin: (request: UpstreamRequest, hearing: Hearing) => Peer
}

interface Session {
  readonly key: string
  readonly upstream: string
  /** Of the record that it was begun for. */
  readonly identity: string
  readonly ownerId: string
  readonly conversation: Conversation
  /** Absent where a client holds the session. */
  readonly keeper: Keeper | undefined
  /** Whether it was asked what it was begun for. */
  isBegun: boolean
  lastUsedAt: number
}

/** One that waits for room. */
interface Opening {
  readonly upstream: string
  isForgotten: boolean
}

/** WHY: all that a modern server has to know comes with each request, so its process can be started again at any time. */
const ofNobody: Keeper = { usedBy: () => 'nobody', ended: () => undefined }

const ended = (says: string) => new Fault('upstream.unreachable', says)

/** Sessions with servers that speak on one line, each with an other side of its own. */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #sessions = new Map<string, Session>()
  readonly #openings = new Set<Opening>()
  readonly #ending = new Map<Session, Promise<void>>()
  readonly #sweeper: NodeJS.Timeout
  #isClosed = false

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#sweeper = endIdle<Session>({
      clock: options.clock,
      idleMs: options.idleMs,
      guests: () => this.#sessions.values(),
      isUsed: ({ conversation, keeper }) =>
        conversation.isAsked || (conversation.isBusy && keeper?.usedBy() !== 'nobody'),
      end: (session) => void this.#end(session, 'the session was idle'),
    })
  }

  /** INVARIANT: what is still ending takes its place, so it counts. */
  get count(): number {
    return this.#sessions.size + this.#ending.size
  }

  /** Serves a request of a revision with sessions. */
  async exchange(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { message, httpMethod, sessionId } = request
    if (this.#isClosed) throw ended('the gateway is closing')
    if (httpMethod === 'POST' && message?.kind === 'request' && message.method === 'initialize') {
      return this.#open(request)
    }
    if (sessionId === undefined) return emptyAnswer(400)
    const session = this.#sessions.get(sessionId)
    const isOwn = session?.ownerId === request.ownerId && session.identity === identityOf(request.upstream)
    // INVARIANT: somebody else's session, one with another server of the name, and one that never was get the same answer.
    if (session === undefined || !isOwn) {
      return emptyAnswer(404, 'session-ended')
    }
    if (httpMethod === 'POST') return this.#ask(session, request)
    session.lastUsedAt = this.#options.clock.now()
    if (httpMethod === 'GET') return session.conversation.listen(request.signal) ?? emptyAnswer(409)
    await this.#end(session, 'the session was ended')
    return emptyAnswer(204)
  }

  /** Serves a request of a revision without sessions: all of one owner speak with the same other side. */
  async exchangeShared(request: UpstreamRequest): Promise<UpstreamAnswer> {
    if (this.#isClosed) throw ended('the gateway is closing')
    const key = JSON.stringify([identityOf(request.upstream), request.ownerId])
    if (request.httpMethod === 'DELETE') return this.#leave(key)
    if (request.httpMethod !== 'POST') return emptyAnswer(405)
    const session = this.#sessions.get(key) ?? (await this.#startWithin(key, request))
    if (session === undefined) return emptyAnswer(503, 'overloaded')
    return this.#ask(session, request)
  }

  /** Ends every session of an upstream that was removed. */
  async forget(upstream: string): Promise<void> {
    for (const opening of this.#openings) if (opening.upstream === upstream) opening.isForgotten = true
    const sessions = [...this.#sessions.values()].filter((session) => session.upstream === upstream)
    await Promise.all(sessions.map((session) => this.#end(session, 'the upstream was removed')))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#sweeper)
    await Promise.all([...this.#sessions.values()].map((session) => this.#end(session, 'the gateway is closing')))
    await Promise.all(this.#ending.values())
  }

  async #open(request: UpstreamRequest): Promise<UpstreamAnswer> {
    // INVARIANT: the session id is 256 random bits and is bound to its owner.
    const key = `${this.#options.idPrefix ?? ''}${randomBytes(32).toString('base64url')}`
    const session = await this.#startWithin(key, request)
    if (session === undefined) return emptyAnswer(503, 'overloaded')
    try {
      const opened = await openedBy(await this.#ask(session, request))
      if (opened.isOpen) return { ...opened.answer, sessionId: session.key }
      void this.#end(session, 'the session did not open')
      return opened.answer
    } catch (error) {
      void this.#end(session, 'the session did not open')
      throw error
    }
  }

  /** Ends the other side that all of one owner speak with, unless it is spoken with. */
  async #leave(key: string): Promise<UpstreamAnswer> {
    const session = this.#sessions.get(key)
    if (session?.isBegun === true && !session.conversation.isBusy) await this.#end(session, 'nobody speaks with it')
    return emptyAnswer(204)
  }

  #ask(session: Session, request: UpstreamRequest): Promise<UpstreamAnswer> {
    session.isBegun = true
    session.lastUsedAt = this.#options.clock.now()
    return session.conversation.exchange(request)
  }

  #start(key: string, request: UpstreamRequest): Session {
    if (this.#isClosed) throw ended('the gateway is closing')
    const { limits, begin, clock } = this.#options
    const { upstream, ownerId, era } = request
    const isShared = era === 'modern'
    const onEnd = (): void => {
      if (this.#sessions.get(key)?.conversation !== conversation) return
      this.#sessions.delete(key)
      session.keeper?.ended()
    }
    const conversation = new Conversation({ limits, isShared, onEnd }, (hearing) => begin(request, hearing))
    const session: Session = {
      key,
      upstream: upstream.name,
      identity: identityOf(upstream),
      ownerId,
      conversation,
      keeper: isShared ? ofNobody : request.keeper,
      isBegun: false,
      lastUsedAt: clock.now(),
    }
    this.#sessions.set(key, session)
    return session
  }

  /** Starts a session once there is room for it; undefined when nothing makes way. */
  async #startWithin(key: string, request: UpstreamRequest): Promise<Session | undefined> {
    const { ownerId, upstream } = request
    const opening: Opening = { upstream: upstream.name, isForgotten: false }
    this.#openings.add(opening)
    try {
      for (;;) {
        // WHY: what is still ending takes its place until it has ended.
        const full = fullFor(ownerId, [...this.#sessions.values(), ...this.#ending.keys()], this.#options)
        // INVARIANT: nothing is waited for between this look and the start, so that no two take the same place.
        if (full === undefined) return this.#start(key, request)
        const leaving = leastMissed(this.#sessions.values(), (session) => missedBy(session, ownerId, full))
        const left = leaving === undefined ? this.#leaving(ownerId, full) : this.#end(leaving, 'its place was needed')
        if (left === undefined) return undefined
        await left
        if (opening.isForgotten) throw ended('the upstream was removed')
        if (request.signal.aborted) throw new Fault('upstream.cancelled', 'the exchange was cancelled')
        const begun = this.#sessions.get(key)
        if (begun !== undefined) return begun
      }
    } finally {
      this.#openings.delete(opening)
    }
  }

  /** Resolves when one that is ending already has left its place; undefined when there is none. */
  #leaving(ownerId: string, full: 'owner' | 'everybody'): Promise<void> | undefined {
    const ending = [...this.#ending].filter(([session]) => full === 'everybody' || session.ownerId === ownerId)
    return ending.length === 0 ? undefined : Promise.race(ending.map(([, left]) => left))
  }

  async #end(session: Session, says: string): Promise<void> {
    if (this.#sessions.get(session.key) === session) {
      this.#sessions.delete(session.key)
      session.keeper?.ended()
    }
    const ending = session.conversation.peer.stop(ended(says))
    this.#ending.set(session, ending)
    await ending
    this.#ending.delete(session)
  }
}

/**
 * How much a session would be missed if it made way for one of this owner; undefined where it must not. What no client holds
 * comes first, whoever has it; of an owner's own sessions those that are listened to come last.
 */
function missedBy(session: Session, ownerId: string, full: 'owner' | 'everybody'): number | undefined {
  const { conversation, keeper, isBegun } = session
  const use = keeper?.usedBy()
  // INVARIANT: a call that is under way keeps its session, also while it waits for its client's answer.
  if (!isBegun || conversation.isAsked || use === 'callers') return undefined
  const isOwn = session.ownerId === ownerId
  if (use === 'nobody') {
    if (isOwn) return 0
    return full === 'everybody' ? 1 : undefined
  }
  // INVARIANT: one owner never ends what another one would miss.
  if (!isOwn) return undefined
  // WHY: who listens begins another session; who is refused has none.
  return conversation.isBusy ? 3 : 2
}

/** A handshake that was answered with an error opened nothing. */
async function openedBy(answer: UpstreamAnswer): Promise<{ isOpen: boolean; answer: UpstreamAnswer }> {
  if (answer.kind !== 'json') return { isOpen: true, answer }
  for await (const frame of answer.frames) {
    const message = readUpstreamMessage(frame.body)
    const isOpen = !isProblem(message) && Object.hasOwn(message.json, 'result')
    return { isOpen, answer: jsonAnswer(answer.status, frame.body) }
  }
  return { isOpen: false, answer }
}

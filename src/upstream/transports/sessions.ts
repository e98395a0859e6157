/**
 * Whose session is this, and with whom does it speak?
 *
 * Stops: two owners sharing a session, a session used by somebody else, sessions that pile up or outlive their use.
 * Trusts: the plug that starts the other side.
 * Fails: at the bound of sessions the answer is 503; another side that ends takes only its own session with it.
 * @see MCP 2025-11-25, session management: a server without sessions of its own is served as one that has them
 */
import { randomBytes } from 'node:crypto'
import { Fault, type Clock } from '#kernel'
import { isProblem, readUpstreamMessage } from '#protocol'
import { Conversation, type Hearing, type Peer } from './conversation.ts'
import { emptyAnswer, jsonAnswer, type UpstreamAnswer, type UpstreamLimits, type UpstreamRequest } from './transport.ts'

export interface SessionsOptions {
  readonly clock: Clock
  readonly limits: UpstreamLimits
  readonly most: number
  readonly mostPerOwner: number
  readonly idleMs: number
  /** Put before the 256 random bits of each session id. */
  readonly idPrefix?: string
  /** Starts the other side of a new session. */
  readonly begin: (request: UpstreamRequest, hearing: Hearing) => Peer
}

interface Session {
  readonly key: string
  readonly upstream: string
  readonly ownerId: string
  readonly conversation: Conversation
  lastUsedAt: number
}

const ended = (says: string) => new Fault('upstream.unreachable', says)

/** Sessions with servers that speak on one line, each with an other side of its own. */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #sessions = new Map<string, Session>()
  readonly #ending = new Map<Session, Promise<void>>()
  readonly #sweeper: NodeJS.Timeout
  #isClosed = false

  constructor(options: SessionsOptions) {
    this.#options = options
    const everyMs = Math.min(30_000, Math.max(50, options.idleMs / 4))
    this.#sweeper = setInterval(() => this.#endIdle(), everyMs).unref()
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
    // INVARIANT: somebody else's session and one that never was get the same answer.
    if (session === undefined || session.ownerId !== request.ownerId || session.upstream !== request.upstream.name) {
      return emptyAnswer(404, 'session-ended')
    }
    session.lastUsedAt = this.#options.clock.now()
    if (httpMethod === 'POST') return session.conversation.exchange(request)
    if (httpMethod === 'GET') return session.conversation.listen(request.signal) ?? emptyAnswer(409)
    await this.#end(session, 'the session was ended')
    return emptyAnswer(204)
  }

  /** Serves a request of a revision without sessions: all of one owner speak with the same other side. */
  async exchangeShared(request: UpstreamRequest): Promise<UpstreamAnswer> {
    if (this.#isClosed) throw ended('the gateway is closing')
    const key = JSON.stringify([request.upstream.name, request.ownerId])
    if (request.httpMethod === 'DELETE') return this.#leave(key)
    if (request.httpMethod !== 'POST') return emptyAnswer(405)
    if (!this.#sessions.has(key) && !(await this.#makeRoom(request.ownerId))) return emptyAnswer(503, 'overloaded')
    const session = this.#sessions.get(key) ?? this.#start(key, request)
    session.lastUsedAt = this.#options.clock.now()
    return session.conversation.exchange(request)
  }

  /** Ends every session of an upstream that was removed. */
  async forget(upstream: string): Promise<void> {
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
    if (!(await this.#makeRoom(request.ownerId))) return emptyAnswer(503, 'overloaded')
    // INVARIANT: the session id is 256 random bits and is bound to its owner.
    const key = `${this.#options.idPrefix ?? ''}${randomBytes(32).toString('base64url')}`
    const session = this.#start(key, request)
    try {
      const answer = await session.conversation.exchange(request)
      const opened = await openedBy(answer)
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
    if (session?.conversation.isBusy === false) await this.#end(session, 'nobody speaks with it')
    return emptyAnswer(204)
  }

  #start(key: string, request: UpstreamRequest): Session {
    if (this.#isClosed) throw ended('the gateway is closing')
    const { limits, begin, clock } = this.#options
    const { upstream, ownerId, era } = request
    const onEnd = (): void => {
      if (this.#sessions.get(key)?.conversation === conversation) this.#sessions.delete(key)
    }
    const options = { limits, isShared: era === 'modern', onEnd }
    const conversation = new Conversation(options, (hearing) => begin(request, hearing))
    const session = { key, upstream: upstream.name, ownerId, conversation, lastUsedAt: clock.now() }
    this.#sessions.set(key, session)
    return session
  }

  /**
   * Whether the owner may have another session. At a bound, the owner's own longest unused one ends first: one owner
   * never ends another's. Those that are still ending count.
   */
  async #makeRoom(ownerId: string): Promise<boolean> {
    const { most, mostPerOwner } = this.#options
    for (;;) {
      const own = [...this.#sessions.values()].filter((session) => session.ownerId === ownerId)
      const ending = [...this.#ending.keys()].filter((session) => session.ownerId === ownerId)
      const total = this.#sessions.size + this.#ending.size
      if (own.length + ending.length < mostPerOwner && total < most) return true
      // WHY: one that is only listened to ends before a new one is refused; who listens begins another.
      const unasked = own.filter(({ conversation }) => !conversation.isAsked)
      const idle = unasked.filter(({ conversation }) => !conversation.isBusy)
      const [oldest] = (idle.length > 0 ? idle : unasked).sort((one, other) => one.lastUsedAt - other.lastUsedAt)
      if (oldest === undefined) return false
      await this.#end(oldest, 'the owner opened another session')
    }
  }

  #endIdle(): void {
    const latest = this.#options.clock.now() - this.#options.idleMs
    for (const session of this.#sessions.values()) {
      if (session.conversation.isBusy) session.lastUsedAt = this.#options.clock.now()
      else if (session.lastUsedAt <= latest) void this.#end(session, 'the session was idle')
    }
  }

  async #end(session: Session, says: string): Promise<void> {
    if (this.#sessions.get(session.key) === session) this.#sessions.delete(session.key)
    const ending = session.conversation.peer.stop(ended(says))
    this.#ending.set(session, ending)
    await ending
    this.#ending.delete(session)
  }
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

/**
 * How is an upstream reached that is a local process?
 *
 * Stops: two owners sharing a child, a session used by somebody else, children that pile up or outlive their use.
 * Trusts: the record's command, which an admin approved.
 * Fails: at the bound of children the answer is 503; a child that dies takes only its own session with it.
 * @see MCP 2025-11-25, transports: this serves the child as a Streamable HTTP server would
 */
import { randomBytes } from 'node:crypto'
import { Fault, type Clock } from '#kernel'
import { isProblem, readUpstreamMessage } from '#protocol'
import {
  emptyAnswer,
  jsonAnswer,
  type Transport,
  type UpstreamAnswer,
  type UpstreamLimits,
  type UpstreamRequest,
} from '../transport.ts'
import type { ChildEnd } from './child.ts'
import { Conversation } from './conversation.ts'
import { createReaper } from './reaper.ts'

/** Something that happened to a child, for the ledger. */
export interface ChildNews {
  readonly upstream: string
  readonly ownerId: string
  readonly pid: number | undefined
  /** Absent when it started. */
  readonly end?: ChildEnd
}

export interface StdioOptions {
  readonly clock: Clock
  readonly limits: UpstreamLimits
  readonly workFolder: string
  readonly onNews: (news: ChildNews) => void
}

interface Session {
  readonly key: string
  readonly upstream: string
  readonly ownerId: string
  readonly conversation: Conversation
  lastUsedAt: number
}

const ended = (says: string) => new Fault('upstream.unreachable', says)

class StdioTransport implements Transport {
  readonly #options: StdioOptions
  readonly #reaper = createReaper()
  readonly #sessions = new Map<string, Session>()
  readonly #ending = new Map<Session, Promise<void>>()
  readonly #sweeper: NodeJS.Timeout
  #isClosed = false

  constructor(options: StdioOptions) {
    this.#options = options
    const everyMs = Math.min(30_000, Math.max(50, options.limits.childIdleMs / 4))
    this.#sweeper = setInterval(() => this.#endIdle(), everyMs).unref()
  }

  async exchange(request: UpstreamRequest): Promise<UpstreamAnswer> {
    if (this.#isClosed) throw ended('the gateway is closing')
    if (request.era === 'modern') return this.#exchangeModern(request)
    const { message, httpMethod, sessionId } = request
    if (httpMethod === 'POST' && message?.kind === 'request' && message.method === 'initialize') {
      return this.#openSession(request)
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

  async forget(upstream: string): Promise<void> {
    const sessions = [...this.#sessions.values()].filter((session) => session.upstream === upstream)
    await Promise.all(sessions.map((session) => this.#end(session, 'the upstream was removed')))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#sweeper)
    await Promise.all([...this.#sessions.values()].map((session) => this.#end(session, 'the gateway is closing')))
    await Promise.all(this.#ending.values())
    this.#reaper.close()
  }

  async #openSession(request: UpstreamRequest): Promise<UpstreamAnswer> {
    if (!(await this.#makeRoom(request.ownerId))) return emptyAnswer(503, 'overloaded')
    // INVARIANT: the session id is 256 random bits and is bound to its owner.
    const session = this.#start(randomBytes(32).toString('base64url'), request)
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

  async #exchangeModern(request: UpstreamRequest): Promise<UpstreamAnswer> {
    if (request.httpMethod !== 'POST') return emptyAnswer(405)
    const key = JSON.stringify([request.upstream.name, request.ownerId])
    if (!this.#sessions.has(key) && !(await this.#makeRoom(request.ownerId))) return emptyAnswer(503, 'overloaded')
    const session = this.#sessions.get(key) ?? this.#start(key, request)
    session.lastUsedAt = this.#options.clock.now()
    return session.conversation.exchange(request)
  }

  #start(key: string, { upstream, ownerId, era }: UpstreamRequest): Session {
    if (this.#isClosed) throw ended('the gateway is closing')
    const { limits, workFolder, onNews, clock } = this.#options
    const about = { upstream: upstream.name, ownerId }
    const conversation = new Conversation({
      record: upstream,
      workFolder,
      limits,
      reaper: this.#reaper,
      isShared: era === 'modern',
      onExit: (end) => {
        if (this.#sessions.get(key)?.conversation === conversation) this.#sessions.delete(key)
        onNews({ ...about, pid: conversation.child.pid, end })
      },
    })
    const session = { key, upstream: upstream.name, ownerId, conversation, lastUsedAt: clock.now() }
    this.#sessions.set(key, session)
    onNews({ ...about, pid: conversation.child.pid })
    return session
  }

  /**
   * Whether the owner may have another child. At a bound, the owner's own longest unused child ends first: one owner
   * never ends another's. Children that are still ending count.
   */
  async #makeRoom(ownerId: string): Promise<boolean> {
    const { maxChildren, maxChildrenPerOwner } = this.#options.limits
    for (;;) {
      const own = [...this.#sessions.values()].filter((session) => session.ownerId === ownerId)
      const ending = [...this.#ending.keys()].filter((session) => session.ownerId === ownerId)
      const total = this.#sessions.size + this.#ending.size
      if (own.length + ending.length < maxChildrenPerOwner && total < maxChildren) return true
      const idle = own.filter((session) => !session.conversation.isBusy)
      const oldest = idle.sort((one, other) => one.lastUsedAt - other.lastUsedAt)[0]
      if (oldest === undefined) return false
      await this.#end(oldest, 'the owner opened another session')
    }
  }

  #endIdle(): void {
    const latest = this.#options.clock.now() - this.#options.limits.childIdleMs
    for (const session of this.#sessions.values()) {
      if (session.conversation.isBusy) session.lastUsedAt = this.#options.clock.now()
      else if (session.lastUsedAt <= latest) void this.#end(session, 'the session was idle')
    }
  }

  async #end(session: Session, says: string): Promise<void> {
    if (this.#sessions.get(session.key) === session) this.#sessions.delete(session.key)
    const ending = session.conversation.child.stop(ended(says))
    this.#ending.set(session, ending)
    await ending
    this.#ending.delete(session)
  }
}

/** A handshake that the child answered with an error opened nothing. */
async function openedBy(answer: UpstreamAnswer): Promise<{ isOpen: boolean; answer: UpstreamAnswer }> {
  if (answer.kind !== 'json') return { isOpen: true, answer }
  for await (const frame of answer.frames) {
    const message = readUpstreamMessage(frame.body)
    const isOpen = !isProblem(message) && Object.hasOwn(message.json, 'result')
    return { isOpen, answer: jsonAnswer(answer.status, frame.body) }
  }
  return { isOpen: false, answer }
}

/** The transport for upstreams with a command: one child for each legacy session, one for each owner else. */
export function createStdio(options: StdioOptions): Transport {
  return new StdioTransport(options)
}

/**
 * What does a legacy session tell outside of the answers to its calls, and who listens?
 *
 * Stops: a stream for each listener where a session has one; subscriptions that outlive the last one who wanted them;
 * listeners that read too slowly filling the memory.
 * Trusts: the session to be the listeners' own.
 * Fails: when the stream ends, every listener is told, and asks again.
 * @see MCP 2025-11-25, Streamable HTTP, GET; resources, subscriptions
 */
import { isProblem, jsonRpcError, type Message, readUpstreamMessage } from '#protocol'
import type { PooledSession } from '../pool/session.ts'

export interface Listener {
  onNews(message: Message): void
  /** The session tells nothing any more. */
  onEnd(): void
}

/** A call that the session's own stream may have a question for. */
export interface Caller {
  hear(question: Message): void
}

/** How long the stream stays open for the next call. */
const lingerMs = 30_000
const subscribeTimeoutMs = 30_000
/** WHY: servers that have no such stream say so at once; many that have one say nothing until there are news. */
const openWithinMs = 1_000
const dayMs = 24 * 60 * 60_000

/** The news of one session, for all who listen. */
export class News {
  readonly #session: PooledSession
  readonly #listeners = new Set<Listener>()
  readonly #subscribers = new Map<string, number>()
  readonly #callers = new Set<Caller>()
  #lingering: NodeJS.Timeout | undefined
  #stream: { readonly ending: AbortController; readonly isOpen: Promise<boolean> } | undefined
  #asked = 0

  constructor(session: PooledSession) {
    this.#session = session
  }

  /** Opens the session's stream of news unless it is open. @returns whether the server has one */
  open(): Promise<boolean> {
    this.#stream ??= this.#begin()
    return this.#stream.isOpen
  }

  join(listener: Listener): void {
    this.#listeners.add(listener)
  }

  /** @param uris that the listener had subscribed to */
  leave(listener: Listener, uris: readonly string[]): void {
    if (!this.#listeners.delete(listener)) return
    for (const uri of uris) this.#unsubscribe(uri)
    this.#rest()
  }

  /** WHY: servers ask on the session's own stream, too; it has to be open before the call that they ask about. */
  async callWith(caller: Caller): Promise<void> {
    this.#callers.add(caller)
    clearTimeout(this.#lingering)
    await this.open()
  }

  /** The call is over. */
  callOver(caller: Caller): void {
    if (!this.#callers.delete(caller) || this.#callers.size > 0) return
    clearTimeout(this.#lingering)
    this.#lingering = setTimeout(() => this.#rest(), lingerMs).unref()
  }

  /** Ends the stream when it is there for nobody. */
  #rest(): void {
    // WHY: a child writes what is news whether anybody listens or not, and asks for an answer there.
    if (this.#listeners.size > 0 || this.#callers.size > 0 || this.#session.isOneLine) return
    this.#stream?.ending.abort()
    this.#stream = undefined
  }

  /** Subscribes to a resource for one more listener. @returns whether the server took it */
  async subscribe(uri: string): Promise<boolean> {
    const count = this.#subscribers.get(uri) ?? 0
    this.#subscribers.set(uri, count + 1)
    if (count > 0 || (await this.#ask('resources/subscribe', uri))) return true
    this.#subscribers.delete(uri)
    return false
  }

  /** A notification that came with something else. */
  tell(message: Message): void {
    for (const listener of this.#listeners) listener.onNews(message)
  }

  #unsubscribe(uri: string): void {
    const count = (this.#subscribers.get(uri) ?? 0) - 1
    if (count > 0) return void this.#subscribers.set(uri, count)
    this.#subscribers.delete(uri)
    void this.#ask('resources/unsubscribe', uri)
  }

  async #ask(method: string, uri: string): Promise<boolean> {
    const id = `castellan-news-${(this.#asked += 1)}`
    const signal = AbortSignal.timeout(subscribeTimeoutMs)
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params: { uri } }))
    const message = { kind: 'request' as const, id, method }
    const part = { httpMethod: 'POST' as const, message, body, signal, deadlineMs: subscribeTimeoutMs }
    try {
      const { frames } = await this.#session.exchange(part)
      for await (const frame of frames) {
        const read = frame.body === '' ? undefined : readUpstreamMessage(frame.body)
        if (read === undefined || isProblem(read) || read.kind !== 'response' || read.id !== id) continue
        return Object.hasOwn(read.json, 'result')
      }
      return false
    } catch {
      return false
    }
  }

  #begin() {
    const ending = new AbortController()
    const { promise: isOpen, resolve } = Promise.withResolvers<boolean>()
    const timer = setTimeout(resolve, openWithinMs, true)
    void this.#read(ending, resolve).finally(() => {
      clearTimeout(timer)
      resolve(false)
      if (this.#stream?.ending !== ending) return
      this.#stream = undefined
      for (const listener of this.#listeners) listener.onEnd()
    })
    return { ending, isOpen }
  }

  async #read({ signal }: AbortController, opened: (isOpen: boolean) => void): Promise<void> {
    try {
      const answer = await this.#session.exchange({ httpMethod: 'GET', signal, deadlineMs: dayMs })
      if (answer.kind !== 'stream') return
      opened(true)
      for await (const { body } of answer.frames) {
        const message = body === '' ? undefined : readUpstreamMessage(body)
        if (message === undefined || isProblem(message)) continue
        if (message.kind === 'notification') this.tell(message)
        else if (message.kind === 'request') this.#answer(message, signal)
      }
    } catch {
      // WHY: how it ended makes no difference to those who listen: they are told that it did.
    }
  }

  /**
   * SPEC: 2026-07-28 asks clients in the middle of their calls only. INVARIANT: a question that names no call is put to
   * the only one there is, and to nobody when there are several.
   */
  #answer(question: Message, signal: AbortSignal): void {
    const { id = '', method } = question
    const [caller, ...others] = this.#callers
    if (method !== 'ping' && caller !== undefined && others.length === 0) return caller.hear(question)
    const pong = JSON.stringify({ jsonrpc: '2.0', id, result: {} })
    const text = method === 'ping' ? pong : jsonRpcError(id, -32601, 'clients are asked in the middle of their calls')
    void this.#session.tell({ kind: 'response', id }, text, signal)
  }
}

/** The news of each session. */
export function createNewsDesk(): (session: PooledSession) => News {
  const desk = new WeakMap<PooledSession, News>()
  return (session) => {
    const news = desk.get(session) ?? new News(session)
    desk.set(session, news)
    return news
  }
}

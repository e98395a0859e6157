/**
 * One legacy session at an upstream: how is it opened, and how is something said in it?
 *
 * Stops: requests outside of the session that they belong to, and with a revision that was not agreed on.
 * Trusts: nothing that the upstream answers to the handshake but that it is the answer.
 * Fails: an upstream that opens no session is a Fault, or is answered with what it answered.
 * @see MCP 2025-11-25, lifecycle; Streamable HTTP, sessions
 */
import { Fault } from '#kernel'
import { isObject, isProblem, type Message, namesModernEra, readUpstreamMessage } from '#protocol'
import { idPrefix } from '../transports/http-sse/http-sse.ts'
import type {
  EndSignal,
  Exchange,
  Keeper,
  UpstreamAnswer,
  UpstreamRecord,
  UpstreamRequest,
} from '../transports/transport.ts'

/** The newest revision with sessions, which is asked for. */
const askedRevision = '2025-11-25'
const clientInfo = { name: 'castellan', version: '1' }

/** Of log messages, all of them first. SPEC: MCP 2025-11-25, logging. */
export const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']

/** What is said in a session; the rest is the session's own. */
export type SessionPart = Pick<UpstreamRequest, 'httpMethod' | 'message' | 'body' | 'signal' | 'deadlineMs'> & {
  readonly maxAnswerBytes?: number | undefined
  readonly lastEventId?: string | undefined
  readonly traceparent?: string | undefined
}

interface SessionFacts {
  readonly upstream: UpstreamRecord
  readonly ownerId: string
  readonly id: string | undefined
  /** The result of `initialize`. */
  readonly opened: Record<string, unknown>
  readonly revision: string
}

/** A session that is open at an upstream. */
export class PooledSession {
  readonly upstream: UpstreamRecord
  readonly ownerId: string
  readonly id: string | undefined
  readonly opened: Record<string, unknown>
  readonly revision: string
  readonly #exchange: Exchange
  #level = levels.length

  constructor(exchange: Exchange, { upstream, ownerId, id, opened, revision }: SessionFacts) {
    this.#exchange = exchange
    this.upstream = upstream
    this.ownerId = ownerId
    this.id = id
    this.opened = opened
    this.revision = revision
  }

  /** Whether all that the server says comes on one line, so that a question of it names no call. */
  get isOneLine(): boolean {
    return this.upstream.transport === 'stdio' || this.id?.startsWith(idPrefix) === true
  }

  /** Whether the server said that it can do this. */
  offers(capability: string, feature?: string): boolean {
    const offered = isObject(this.opened['capabilities']) ? this.opened['capabilities'][capability] : undefined
    return isObject(offered) && (feature === undefined || offered[feature] === true)
  }

  /** Makes the server tell at least what this level asks for. SPEC: the level is the session's, so it only ever falls. */
  async hear(level: string, signal: EndSignal): Promise<void> {
    const asked = levels.indexOf(level)
    if (asked === -1 || asked >= this.#level || !this.offers('logging')) return
    this.#level = asked
    const id = `castellan-level-${asked}`
    const method = 'logging/setLevel'
    const text = JSON.stringify({ jsonrpc: '2.0', id, method, params: { level } })
    await this.tell({ kind: 'request', id, method }, text, signal)
  }

  /** Says something in the session. Throws at once, or rejects, with a Fault. */
  exchange({ lastEventId, traceparent, maxAnswerBytes, ...part }: SessionPart): Promise<UpstreamAnswer> {
    return this.#exchange({
      ...part,
      upstream: this.upstream,
      ownerId: this.ownerId,
      era: 'legacy',
      sessionId: this.id,
      headers: {
        'mcp-protocol-version': this.revision,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        ...(traceparent === undefined ? {} : { traceparent }),
      },
      ...(maxAnswerBytes === undefined ? {} : { maxAnswerBytes }),
    })
  }

  /** Sends a notification or a response; resolves when it was taken, and when it was not. */
  async tell(message: Pick<Message, 'kind' | 'id' | 'method'>, text: string, signal: EndSignal): Promise<void> {
    try {
      const body = Buffer.from(text)
      const answer = await this.exchange({ httpMethod: 'POST', message, body, signal, deadlineMs: tellTimeoutMs })
      // WHY: whoever is told something answers that it was taken; a stream instead might never end.
      for await (const frame of answer.frames) if (frame !== undefined) break
    } catch {
      // WHY: what is lost by it, the one who waits for the consequence notices.
    }
  }

  /** Ends it at the upstream. */
  async end(): Promise<void> {
    if (this.id === undefined) return
    const signal = AbortSignal.timeout(endTimeoutMs)
    try {
      const answer = await this.exchange({ httpMethod: 'DELETE', signal, deadlineMs: endTimeoutMs })
      for await (const frame of answer.frames) void frame
    } catch {
      // WHY: a session that cannot be ended, the upstream ends by itself sooner or later.
    }
  }
}

const tellTimeoutMs = 10_000
const endTimeoutMs = 2_000
/** Of what a server says of itself: it is kept for as long as its session. */
const maxOpenedBytes = 512 * 1024

export interface Opening {
  readonly upstream: UpstreamRecord
  readonly ownerId: string
  /** As `initialize` declares them. */
  readonly capabilities: Record<string, unknown>
  readonly deadlineMs: number
  readonly keeper: Keeper
}

async function resultOf(answer: UpstreamAnswer, id: string): Promise<Record<string, unknown> | undefined> {
  for await (const frame of answer.frames) {
    const message = frame.body === '' ? undefined : readUpstreamMessage(frame.body)
    if (message === undefined || isProblem(message) || message.kind !== 'response' || message.id !== id) continue
    const { result } = message.json
    return isObject(result) ? result : undefined
  }
  return undefined
}

type Shaken = UpstreamAnswer | { readonly answer: UpstreamAnswer; readonly opened: Record<string, unknown> | undefined }

/** Asks `initialize`. @returns what the server says of itself, or its answer when that describes the way to it */
async function shakeHands(exchange: Exchange, { capabilities, deadlineMs, ...opening }: Opening): Promise<Shaken> {
  const id = 'castellan-initialize'
  const params = { protocolVersion: askedRevision, capabilities, clientInfo }
  const ended = new AbortController()
  // WHY: a server that says something in a while, and never what it was asked, would keep everybody who waits.
  const timer = setTimeout(() => ended.abort(), deadlineMs)
  try {
    const answer = await exchange({
      ...opening,
      era: 'legacy',
      httpMethod: 'POST',
      message: { kind: 'request', id, method: 'initialize', params },
      body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: 'initialize', params })),
      headers: {},
      signal: ended.signal,
      deadlineMs,
      maxAnswerBytes: maxOpenedBytes,
    })
    return answer.hopProblem === undefined ? { answer, opened: await resultOf(answer, id) } : answer
  } catch (thrown) {
    if (!ended.signal.aborted) throw thrown
    throw new Fault('upstream.timeout', 'the handshake did not end in time', { cause: thrown })
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Opens a session: `initialize`, then `notifications/initialized`.
 * @returns the session, what the upstream answered when it describes the way to it, or undefined: it opens none
 */
export async function openSession(
  exchange: Exchange,
  { upstream, ownerId, capabilities, deadlineMs, keeper }: Opening,
): Promise<PooledSession | UpstreamAnswer | undefined> {
  const shaken = await shakeHands(exchange, { upstream, ownerId, capabilities, deadlineMs, keeper })
  if (!('opened' in shaken)) return shaken
  const { answer, opened } = shaken
  if (opened === undefined) return undefined
  const revision = opened['protocolVersion']
  if (typeof revision !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(revision) || namesModernEra(revision)) {
    throw new Fault('upstream.misbehaved', 'the handshake agrees on no revision')
  }
  const session = new PooledSession(exchange, { upstream, ownerId, id: answer.sessionId, opened, revision })
  const told = { jsonrpc: '2.0', method: 'notifications/initialized' }
  const { signal } = new AbortController()
  await session.tell({ kind: 'notification', method: told.method }, JSON.stringify(told), signal)
  return session
}

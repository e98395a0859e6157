/**
 * What an upstream is, and what one exchange with it takes and gives.
 *
 * Stops: answers whose kind, size or silence nobody bounds.
 * Trusts: records, because only an admin writes them. Nothing that an upstream answers is trusted.
 * Fails: with `Fault`s `upstream.unreachable`, `upstream.timeout`, `upstream.misbehaved`, `upstream.answer-too-large`.
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import type { Era, Frame, Message } from '#protocol'

/** One place at which an upstream answers over HTTP. */
export interface UpstreamEndpoint {
  /** 8 lower-case letters and digits; unique for its upstream. */
  readonly id: string
  readonly url: string
  /** 1 to 100: its share of what several endpoints take. */
  readonly weight: number
  readonly region?: string
}

/** An MCP server behind Castellan, as an admin added it. */
export interface UpstreamRecord {
  readonly name: string
  readonly transport: 'stdio' | 'http'
  /** The argument vector of a stdio upstream; no shell ever sees it. */
  readonly command?: readonly string[]
  /** Of the oldest endpoint. */
  readonly url?: string
  /** Of an http upstream, 1 to 16, the oldest first; where it is absent, `url` is the only one. */
  readonly endpoints?: readonly UpstreamEndpoint[]
  /** Set for a stdio child on top of PATH, HOME and LANG. May hold credentials: never show the values. */
  readonly environment: Readonly<Record<string, string>>
  readonly isDemo: boolean
}

const identities = new WeakMap<UpstreamRecord, string>()

/**
 * Names the server that a record leads to: the same for records that say the same, another one after any change of what is
 * run or where it is. A digest, because the environment may hold credentials.
 */
export function identityOf(record: UpstreamRecord): string {
  const known = identities.get(record)
  if (known !== undefined) return known
  const { name, transport, command, url, environment } = record
  const text = canonicalize({ name, transport, command, url, environment }) ?? ''
  const identity = createHash('sha256').update(text).digest('base64url')
  identities.set(record, identity)
  return identity
}

/** Who keeps a session that no client holds, so that it can be opened again without anybody noticing. */
export interface Keeper {
  /** Who would miss the session if it ended at this moment. */
  usedBy(): 'nobody' | 'listeners' | 'callers'
  /** Told once the session takes nothing more. */
  ended(): void
}

/**
 * Tells once that an exchange is over before its answer is. The part of `AbortSignal` that is needed, which by itself is
 * dear to make for each call.
 */
export interface EndSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once: true }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export interface UpstreamRequest {
  readonly upstream: UpstreamRecord
  /** The principal's id: children and sessions of two owners never mix. */
  readonly ownerId: string
  readonly era: Era
  readonly httpMethod: 'POST' | 'GET' | 'DELETE'
  /** The upstream's own session id, as an earlier answer gave it. */
  readonly sessionId?: string | undefined
  /** What `body` holds. `params` is used to find a progress token. */
  readonly message?: { [Part in 'kind' | 'id' | 'method' | 'params']?: Message[Part] | undefined } | undefined
  readonly body?: Buffer | undefined
  /** By lower-case name; anything that is not an MCP header is left behind. */
  readonly headers: Readonly<Record<string, string>>
  readonly signal: EndSignal
  /** Longest silence: until the answer starts and between two frames of it. Streams that wait for news have no limit. */
  readonly deadlineMs: number
  /** Largest answer in all, JSON or stream; the limits' own unless given. Streams that wait for news have none. */
  readonly maxAnswerBytes?: number
  /** Of a handshake: who keeps the session that it opens; a client, where it is absent. */
  readonly keeper?: Keeper | undefined
}

/**
 * A status that describes the way to the upstream, not the caller's request: the caller gets Castellan's own words.
 * `cancelled`: the caller withdrew the request, so that there is no response.
 */
export type HopProblem = 'credentials-refused' | 'session-ended' | 'overloaded' | 'failed' | 'cancelled'

interface AnyAnswer {
  readonly status: number
  /** Set when the upstream opened a session with this answer. */
  readonly sessionId?: string
  /** Ends normally, or throws a `Fault`. Leaving the loop early lets go of the upstream's stream. */
  readonly frames: AsyncIterable<Frame>
  readonly hopProblem?: HopProblem
  /** Set on what was asked of a server of 2026-07-28 for a legacy client; definitions of tools are still the server's. */
  readonly isTranslated?: true
}

/** `json` is exactly one frame, already complete; `empty` none; `stream` any number, as they come. */
export type UpstreamAnswer = AnyAnswer &
  (
    | { readonly kind: 'empty' | 'stream'; readonly only?: undefined }
    | { readonly kind: 'json'; /** The one frame, for whoever does not want to wait for it. */ readonly only: Frame }
  )

/** Asks an upstream. Throws at once, or rejects, with a Fault. The one shape of every layer between gateway and wire. */
export type Exchange = (request: UpstreamRequest) => Promise<UpstreamAnswer>

/** Sizes and times that bound every exchange. */
export interface UpstreamLimits {
  /** One JSON answer, one event or one line of a child. */
  readonly maxMessageBytes: number
  /** One answer in all. */
  readonly maxAnswerBytes: number
  /** Frames waiting for a slow caller before the upstream is held back. */
  readonly maxQueuedBytes: number
  readonly connectTimeoutMs: number
  readonly maxChildren: number
  readonly maxChildrenPerOwner: number
  readonly childIdleMs: number
  /** Event streams to servers of 2024-11-05, each of one session. */
  readonly maxEventChannels: number
  readonly maxEventChannelsPerOwner: number
  readonly eventChannelIdleMs: number
  /** Between SIGTERM and SIGKILL. */
  readonly killAfterMs: number
}

export const defaultLimits: UpstreamLimits = {
  maxMessageBytes: 10 * 1024 * 1024,
  maxAnswerBytes: 64 * 1024 * 1024,
  maxQueuedBytes: 1024 * 1024,
  connectTimeoutMs: 10_000,
  maxChildren: 64,
  maxChildrenPerOwner: 16,
  childIdleMs: 10 * 60_000,
  maxEventChannels: 1_024,
  maxEventChannelsPerOwner: 64,
  eventChannelIdleMs: 10 * 60_000,
  killAfterMs: 2_000,
}

/** A way to reach upstreams. Plugs in `transports/`. */
export interface Transport {
  /** Throws at once, or rejects, with a Fault. */
  exchange(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** Ends every session, child and connection of an upstream that was removed. */
  forget(upstream: string): Promise<void>
  close(): Promise<void>
}

/** A transport that keeps sessions between requests. */
export interface SessionTransport extends Transport {
  /** How many there are at this moment, those that are still ending included. */
  sessionCount(): number
}

class NoFrames implements AsyncIterable<Frame> {
  async *[Symbol.asyncIterator](): AsyncGenerator<Frame> {}
}

class OneFrame implements AsyncIterable<Frame> {
  readonly frame: Frame

  constructor(frame: Frame) {
    this.frame = frame
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Frame> {
    yield this.frame
  }
}

const noFrames = new NoFrames()

/** An answer without a message. */
export function emptyAnswer(status: number, hopProblem?: HopProblem): UpstreamAnswer {
  return { status, kind: 'empty', frames: noFrames, ...(hopProblem === undefined ? {} : { hopProblem }) }
}

/** An answer of one complete message. */
export function jsonAnswer(status: number, body: string, sessionId?: string): UpstreamAnswer {
  const only = { body }
  const frames = new OneFrame(only)
  return sessionId === undefined
    ? { status, kind: 'json', frames, only }
    : { status, kind: 'json', frames, only, sessionId }
}

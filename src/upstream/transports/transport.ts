/**
 * What an upstream is, and what one exchange with it takes and gives.
 *
 * Stops: answers whose kind, size or silence nobody bounds.
 * Trusts: records, because only an admin writes them. Nothing that an upstream answers is trusted.
 * Fails: with `Fault`s `upstream.unreachable`, `upstream.timeout`, `upstream.misbehaved`.
 */
import type { Era, Frame, Message } from '#protocol'

/** An MCP server behind Castellan, as an admin added it. */
export interface UpstreamRecord {
  readonly name: string
  readonly transport: 'stdio' | 'http'
  /** The argument vector of a stdio upstream; no shell ever sees it. */
  readonly command?: readonly string[]
  readonly url?: string
  /** Set for a stdio child on top of PATH, HOME and LANG. May hold credentials: never show the values. */
  readonly environment: Readonly<Record<string, string>>
  readonly isDemo: boolean
}

export interface UpstreamRequest {
  readonly upstream: UpstreamRecord
  /** The principal's id: children and sessions of two owners never mix. */
  readonly ownerId: string
  readonly era: Era
  readonly httpMethod: 'POST' | 'GET' | 'DELETE'
  /** The upstream's own session id, as an earlier answer gave it. */
  readonly sessionId?: string
  /** What `body` holds. `params` is used to find a progress token. */
  readonly message?: Pick<Message, 'kind' | 'id' | 'method' | 'params'>
  readonly body?: Buffer
  /** By lower-case name; anything that is not an MCP header is left behind. */
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Longest silence: until the answer starts and between two frames of it. Streams that wait for news have no limit. */
  readonly deadlineMs: number
}

/**
 * A status that describes the way to the upstream, not the caller's request: the caller gets Castellan's own words.
 * `cancelled`: the caller withdrew the request, so that there is no response.
 */
export type HopProblem = 'credentials-refused' | 'session-ended' | 'overloaded' | 'failed' | 'cancelled'

export interface UpstreamAnswer {
  readonly status: number
  /** Set when the upstream opened a session with this answer. */
  readonly sessionId?: string
  /** `json` is exactly one frame, already complete; `empty` none; `stream` any number, as they come. */
  readonly kind: 'empty' | 'json' | 'stream'
  /** Ends normally, or throws a `Fault`. Leaving the loop early lets go of the upstream's stream. */
  readonly frames: AsyncIterable<Frame>
  readonly hopProblem?: HopProblem
}

/** Sizes and times that bound every exchange. */
export interface UpstreamLimits {
  /** One JSON answer, one event or one line of a child. */
  readonly maxMessageBytes: number
  /** Frames waiting for a slow caller before the upstream is held back. */
  readonly maxQueuedBytes: number
  readonly connectTimeoutMs: number
  readonly maxChildren: number
  readonly maxChildrenPerOwner: number
  readonly childIdleMs: number
  /** Between SIGTERM and SIGKILL. */
  readonly killAfterMs: number
}

export const defaultLimits: UpstreamLimits = {
  maxMessageBytes: 10 * 1024 * 1024,
  maxQueuedBytes: 1024 * 1024,
  connectTimeoutMs: 10_000,
  maxChildren: 64,
  maxChildrenPerOwner: 16,
  childIdleMs: 10 * 60_000,
  killAfterMs: 2_000,
}

/** A way to reach upstreams. Plugs in `transports/`. */
export interface Transport {
  exchange(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** Ends every session, child and connection of an upstream that was removed. */
  forget(upstream: string): Promise<void>
  close(): Promise<void>
}

async function* noFrames(): AsyncGenerator<Frame> {}

/** An answer without a message. */
export function emptyAnswer(status: number, hopProblem?: HopProblem): UpstreamAnswer {
  return { status, kind: 'empty', frames: noFrames(), ...(hopProblem === undefined ? {} : { hopProblem }) }
}

/** WHY: most answers are one message, and a generator would cost more than all else that is done with it here. */
function oneFrame(frame: Frame): AsyncIterable<Frame> {
  let isRead = false
  const next = async (): Promise<IteratorResult<Frame, undefined>> => {
    if (isRead) return { done: true, value: undefined }
    isRead = true
    return { done: false, value: frame }
  }
  return { [Symbol.asyncIterator]: () => ({ next }) }
}

/** An answer of one complete message. */
export function jsonAnswer(status: number, body: string, sessionId?: string): UpstreamAnswer {
  return { status, kind: 'json', frames: oneFrame({ body }), ...(sessionId === undefined ? {} : { sessionId }) }
}

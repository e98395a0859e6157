/** What the proof of revocation and the process that makes its load tell each other. */

/** How a stream is opened: a session's GET, a tool call, a subscription, the event stream of 2024-11-05; the last two at `/mcp`. */
export type StreamKind = 'session' | 'call' | 'subscription' | 'old-wire' | 'joint-session' | 'joint-subscription'

export interface StreamPlan {
  readonly kind: StreamKind
  /** Origin of the node that is asked. */
  readonly origin: string
  /** Of the server. */
  readonly server: string
  readonly token: string
}

/** Somebody who asks again and again, whatever the answers are. */
export interface CallerPlan {
  readonly origin: string
  /** Of a server: a tool is called. A path of the admin API that is read, where it begins with a slash. */
  readonly server: string
  readonly token: string
}

/** What one revocation ends, or what none may disturb. */
export interface Group {
  readonly group: string
  readonly host: string
  readonly streams: readonly StreamPlan[]
  readonly callers: readonly CallerPlan[]
}

export type Order =
  | { readonly do: 'open'; readonly plan: Group }
  /** Answered when every stream has ended and no call was accepted for a while; the group is given up then. */
  | { readonly do: 'settle'; readonly group: string }
  | { readonly do: 'report'; readonly group: string }

/** Times are milliseconds of the wall clock, with fractions, comparable between processes of one machine. */
export interface StreamEnd {
  readonly kind: StreamKind
  readonly closedAt: number | null
  readonly lastByteAt: number
}

export interface Told {
  readonly group: string
  /** What could not be opened, or did not end in time. */
  readonly problems: readonly string[]
  readonly streams: readonly StreamEnd[]
  /** Streams that were let in again after they had ended. */
  readonly reopened: number
  readonly accepted: number
  readonly refused: number
  readonly lastAcceptedAt: number
  /** Of the load process, as a share of one core since it began. */
  readonly cpuShare: number
  /** By how much its event loop was late, at most, in milliseconds. */
  readonly latenessMs: number
}

/** The wall clock, with fractions of a millisecond. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now()
}

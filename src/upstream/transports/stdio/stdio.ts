/**
 * How is an upstream reached that is a local process?
 *
 * Stops: two owners sharing a child, children that pile up or outlive their use.
 * Trusts: the record's command, which an admin approved.
 * Fails: at the bound of children the answer is 503; a child that dies takes only its own session with it, and its owner
 * gets another one after a pause that grows with each crash.
 * @see MCP 2025-11-25, transports: this serves the child as a Streamable HTTP server would
 */
import type { Clock } from '#kernel'
import type { Hearing, Peer } from '../conversation.ts'
import { Sessions } from '../sessions.ts'
import type { SessionTransport, UpstreamLimits, UpstreamRequest } from '../transport.ts'
import { Child, type ChildEnd } from './child.ts'
import { createReaper } from './reaper.ts'
import { Restarts } from './restarts.ts'

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
  readonly settings: { readonly current: { readonly eventsPerSecond: number } }
  readonly workFolder: string
  readonly onNews: (news: ChildNews) => void
}

/** The transport for upstreams with a command: one child for each legacy session, one for each owner else. */
export function createStdio({ clock, limits, settings, workFolder, onNews }: StdioOptions): SessionTransport {
  const reaper = createReaper()
  const restarts = new Restarts(clock)

  function begin({ upstream, ownerId }: UpstreamRequest, { onMessage, onEnd }: Hearing): Peer {
    const about = { upstream: upstream.name, ownerId }
    const startedAt = clock.now()
    restarts.check(upstream.name, ownerId)
    const onExit = (end: ChildEnd): void => {
      if (end.isCrash) restarts.crashed(upstream.name, ownerId, startedAt)
      onEnd(end.fault)
      onNews({ ...about, pid: child.pid, end })
    }
    const child = new Child({ record: upstream, workFolder, limits, settings, reaper, onLine: onMessage, onExit })
    onNews({ ...about, pid: child.pid })
    return child
  }

  const { maxChildren, maxChildrenPerOwner, childIdleMs } = limits
  const sessions = new Sessions({
    clock,
    limits,
    most: maxChildren,
    mostPerOwner: maxChildrenPerOwner,
    idleMs: childIdleMs,
    begin,
  })

  return {
    exchange: (request) => (request.era === 'modern' ? sessions.exchangeShared(request) : sessions.exchange(request)),
    sessionCount: () => sessions.count,
    forget: async (upstream) => {
      await sessions.forget(upstream)
      restarts.forget(upstream)
    },
    close: async () => {
      await sessions.close()
      reaper.close()
    },
  }
}

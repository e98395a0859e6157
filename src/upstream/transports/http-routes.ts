/**
 * Over which connections is an upstream with a URL reached?
 *
 * Stops: one upstream's slow streams from taking the connections of another, or of its own calls; HTTP/2; long headers.
 * Trusts: the record's URL, validated when an admin added it.
 * Fails: a record without a URL is a Fault.
 */
import { Pool } from 'undici'
import { Fault } from '#kernel'
import type { UpstreamLimits, UpstreamRecord } from './transport.ts'

export interface HttpRoute {
  readonly path: string
  readonly calls: Pool
  /** For answers that stay open, so that they never starve calls of connections. */
  readonly streams: Pool
}

export interface HttpRoutes {
  to(record: UpstreamRecord): HttpRoute
  /** Ends every connection to an upstream that was removed. */
  forget(upstream: string): Promise<void>
  close(): Promise<void>
}

/** Opens connections to an origin, as many as they are needed up to a number. */
export function openPool(origin: string, connections: number, limits: UpstreamLimits): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16 * 1024,
    connect: { timeout: limits.connectTimeoutMs },
    allowH2: false,
  })
}

function openRoute(record: UpstreamRecord, limits: UpstreamLimits): HttpRoute {
  if (record.url === undefined) throw new Fault('upstream.unreachable', 'the upstream has no URL')
  const url = new URL(record.url)
  return {
    path: url.pathname + url.search,
    calls: openPool(url.origin, 128, limits),
    streams: openPool(url.origin, 1024, limits),
  }
}

/** Keeps two pools of connections for each upstream. */
export function createHttpRoutes(limits: UpstreamLimits): HttpRoutes {
  const routes = new Map<string, { url: string | undefined; route: HttpRoute }>()

  async function forget(upstream: string): Promise<void> {
    const known = routes.get(upstream)
    routes.delete(upstream)
    const gone = new Fault('upstream.unreachable', 'the upstream was removed')
    if (known !== undefined) await Promise.all([known.route.calls.destroy(gone), known.route.streams.destroy(gone)])
  }

  return {
    to(record) {
      const known = routes.get(record.name)
      if (known !== undefined && known.url === record.url) return known.route
      if (known !== undefined) void forget(record.name)
      const route = openRoute(record, limits)
      routes.set(record.name, { url: record.url, route })
      return route
    },
    forget,
    close: async () => {
      await Promise.all([...routes.keys()].map(forget))
    },
  }
}

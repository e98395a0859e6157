/**
 * How is an upstream reached over Streamable HTTP?
 *
 * Stops: the caller's credentials, cookies and forwarding headers from travelling on; redirects; one upstream's slow
 * streams from taking the connections of another.
 * Trusts: the record's URL, validated when an admin added it.
 * Fails: with a Fault; a request is never sent twice.
 */
import { Pool, type Dispatcher } from 'undici'
import { Fault } from '#kernel'
import type { Transport, UpstreamAnswer, UpstreamLimits, UpstreamRecord, UpstreamRequest } from '../transport.ts'
import { SilenceWatch } from './silence.ts'
import { UpstreamResponse } from './upstream-response.ts'

interface Route {
  readonly path: string
  readonly calls: Pool
  /** For answers that stay open, so that they never starve calls of connections. */
  readonly streams: Pool
}

const forwarded = new Set(['mcp-protocol-version', 'mcp-method', 'mcp-name', 'last-event-id', 'traceparent'])

function openPool(origin: string, connections: number, limits: UpstreamLimits): Pool {
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

function openRoute(record: UpstreamRecord, limits: UpstreamLimits): Route {
  if (record.url === undefined) throw new Fault('upstream.unreachable', 'the upstream has no URL')
  const url = new URL(record.url)
  return {
    path: url.pathname + url.search,
    calls: openPool(url.origin, 128, limits),
    streams: openPool(url.origin, 1024, limits),
  }
}

/** The headers that travel on: MCP's own, our place in a trace, and nothing else. */
function headersFor(request: UpstreamRequest): Record<string, string> {
  const headers: Record<string, string> = {
    // WHY: SPEC asks clients for both types; what the caller wrote, e.g. `*/*`, is refused by common servers.
    accept: request.httpMethod === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
    'user-agent': 'castellan',
  }
  for (const name in request.headers) {
    const value = request.headers[name]
    if (value !== undefined && (forwarded.has(name) || name.startsWith('mcp-param-'))) headers[name] = value
  }
  if (request.body !== undefined) headers['content-type'] = 'application/json'
  if (request.sessionId !== undefined) headers['mcp-session-id'] = request.sessionId
  return headers
}

function isLongLived(request: UpstreamRequest): boolean {
  return request.httpMethod === 'GET' || request.message?.method === 'subscriptions/listen'
}

interface Sending {
  readonly limits: UpstreamLimits
  readonly silence: SilenceWatch
}

function send(route: Route, request: UpstreamRequest, { limits, silence }: Sending): Promise<UpstreamAnswer> {
  if (request.signal.aborted) throw new Fault('upstream.cancelled', 'the exchange was cancelled')
  const options: Dispatcher.DispatchOptions = {
    method: request.httpMethod,
    path: route.path,
    headers: headersFor(request),
    body: request.body ?? null,
  }
  const response = new UpstreamResponse(request, limits, silence)
  const pool = isLongLived(request) ? route.streams : route.calls
  try {
    pool.dispatch(options, response)
  } catch (error) {
    // WHY: what cannot be sent at all, such as a header with control characters, is thrown instead of reported.
    response.fail(error)
  }
  return response.answer
}

/** The transport for upstreams with a URL: one pool of connections for each upstream. */
export function createStreamableHttp({ limits }: { limits: UpstreamLimits }): Transport {
  const silence = new SilenceWatch()
  const sending = { limits, silence }
  const routes = new Map<string, { url: string | undefined; route: Route }>()

  async function forget(upstream: string): Promise<void> {
    const known = routes.get(upstream)
    routes.delete(upstream)
    const gone = new Fault('upstream.unreachable', 'the upstream was removed')
    if (known !== undefined) await Promise.all([known.route.calls.destroy(gone), known.route.streams.destroy(gone)])
  }

  function routeTo(record: UpstreamRecord): Route {
    const known = routes.get(record.name)
    if (known !== undefined && known.url === record.url) return known.route
    if (known !== undefined) void forget(record.name)
    const route = openRoute(record, limits)
    routes.set(record.name, { url: record.url, route })
    return route
  }

  return {
    exchange: (request) => send(routeTo(request.upstream), request, sending),
    forget,
    close: async () => {
      silence.close()
      await Promise.all([...routes.keys()].map(forget))
    },
  }
}

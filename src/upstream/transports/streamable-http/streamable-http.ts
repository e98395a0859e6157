/**
 * How is an upstream reached over Streamable HTTP?
 *
 * Stops: the caller's credentials, cookies and forwarding headers from travelling on; redirects; one upstream's slow
 * streams from taking the connections of another.
 * Trusts: the URL, validated when an admin added it.
 * Fails: with a Fault; what is sent once more is decided by the hop alone.
 */
import type { Dispatcher, Pool } from 'undici'
import { Fault } from '#kernel'
import { ByteShare } from '../byte-share.ts'
import { openPool } from '../http-routes.ts'
import type { UpstreamAnswer, UpstreamLimits, UpstreamRequest } from '../transport.ts'
import type { Hop } from './hop.ts'
import { SilenceWatch } from './silence.ts'
import { type Reader, UpstreamResponse } from './upstream-response.ts'

/** One address: its connections, and exchanges over them. */
export interface Place {
  /** Throws at once, or rejects, with a Fault. @param hop told how the exchange goes */
  exchange(request: UpstreamRequest, hop?: Hop): Promise<UpstreamAnswer>
  /** As `exchange`, on connections that calls do not take. */
  check(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** Ends streams that wait for news; calls under way are finished. */
  close(): Promise<void>
  /** Ends everything. */
  destroy(): Promise<void>
}

export interface StreamableHttpOptions {
  readonly limits: UpstreamLimits
  readonly settings: {
    readonly current: Reader['settings']['current'] & { /** For calls. */ readonly connections: number }
  }
}

const forwarded = new Set(['mcp-protocol-version', 'mcp-method', 'mcp-name', 'last-event-id', 'traceparent'])

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

interface Sending extends Reader {
  readonly pool: Pool
  readonly path: string
}

function send(request: UpstreamRequest, sending: Sending): Promise<UpstreamAnswer> {
  if (request.signal.aborted) throw new Fault('upstream.cancelled', 'the exchange was cancelled')
  const options: Dispatcher.DispatchOptions = {
    method: request.httpMethod,
    path: sending.path,
    headers: headersFor(request),
    body: request.body ?? null,
  }
  const response = new UpstreamResponse(request, sending)
  try {
    sending.pool.dispatch(options, response)
  } catch (error) {
    // WHY: what cannot be sent at all, such as a header with control characters, is thrown instead of reported.
    response.fail(error)
  }
  return response.answer
}

const streamConnections = 1_024
const gone = new Fault('upstream.unreachable', 'the endpoint was removed')

function openPlace(address: string, { limits, settings }: StreamableHttpOptions, silence: SilenceWatch): Place {
  const { origin, pathname, search } = new URL(address)
  const path = pathname + search
  const bytes = new ByteShare(settings.current.eventsPerSecond)
  const reader = { limits, settings, silence, bytes }
  let connections = settings.current.connections
  let calls = openPool(origin, connections, limits)
  /** For answers that stay open, so that they never starve calls of connections. */
  const streams = openPool(origin, streamConnections, limits)

  /** Of other sizes, with calls that are still under way. */
  const retired = new Set<Pool>()

  function callPool(): Pool {
    if (settings.current.connections === connections) return calls
    connections = settings.current.connections
    const before = calls
    retired.add(before)
    void before.close().finally(() => retired.delete(before))
    calls = openPool(origin, connections, limits)
    return calls
  }

  return {
    exchange: (request, hop) =>
      send(request, { ...reader, hop, path, pool: isLongLived(request) ? streams : callPool() }),
    check: (request) => send(request, { ...reader, path, pool: streams }),
    close: async () => {
      await Promise.all([calls.close(), streams.destroy(gone)])
    },
    destroy: async () => {
      await Promise.all([...retired, calls, streams].map((pool) => pool.destroy(gone)))
    },
  }
}

/** The transport for upstreams with a URL: connections of its own for each address. */
export function createStreamableHttp(options: StreamableHttpOptions): { open(url: string): Place; close(): void } {
  const silence = new SilenceWatch()
  return { open: (url) => openPlace(url, options, silence), close: () => silence.close() }
}

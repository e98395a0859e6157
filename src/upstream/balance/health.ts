/**
 * Is an endpoint alive?
 *
 * Stops: endpoints that nobody asked for long being found dead by a caller; checks of all of them at one moment.
 * Trusts: any answer that is not an error of the server's own: whether it is a good one, calls find out.
 * Fails: what cannot be asked is not alive.
 * @see MCP 2026-07-28, server/discover: asked without a session, so that none is left behind
 */
import { Fault } from '#kernel'
import { metaKeys } from '#protocol'
import type { Place } from '../transports/streamable-http/streamable-http.ts'
import type { UpstreamRequest } from '../transports/transport.ts'

const deadlineMs = 5_000
const soonMs = 1_000
const revision = '2026-07-28'
const method = 'server/discover'

const params = {
  _meta: {
    [metaKeys.protocolVersion]: revision,
    [metaKeys.clientCapabilities]: {},
    [metaKeys.clientInfo]: { name: 'castellan', version: '1' },
  },
}

const question: Omit<UpstreamRequest, 'signal'> = {
  upstream: { name: 'health', transport: 'http', environment: {}, isDemo: false },
  ownerId: 'castellan',
  era: 'modern',
  httpMethod: 'POST',
  message: { kind: 'request', id: 'health', method, params },
  body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 'health', method, params })),
  headers: { 'mcp-protocol-version': revision, 'mcp-method': method },
  deadlineMs,
  maxAnswerBytes: 1024 * 1024,
}

/** Asks once. Never throws. */
export async function checkHealth(place: Place): Promise<{ readonly isAlive: boolean; readonly cause: string }> {
  try {
    const { status, frames } = await place.check({ ...question, signal: AbortSignal.timeout(2 * deadlineMs) })
    // WHY: the frames of an endless answer are left, which closes it.
    for await (const frame of frames) if (frame.body !== '') break
    return { isAlive: status < 500, cause: String(status) }
  } catch (error) {
    return { isAlive: false, cause: error instanceof Fault ? error.code : 'upstream.unreachable' }
  }
}

export interface HealthChecks<T> {
  add(endpoint: T): void
  remove(endpoint: T): void
  /** Checks it out of turn. */
  soon(endpoint: T): void
  close(): void
}

/** Checks each endpoint at its own times, about once in `healthMs`. The process ends without waiting for one. */
export function createHealthChecks<T>(
  settings: { readonly current: { readonly healthMs: number } },
  check: (endpoint: T) => Promise<void>,
): HealthChecks<T> {
  const timers = new Map<T, NodeJS.Timeout>()

  function remove(endpoint: T): void {
    clearTimeout(timers.get(endpoint))
    timers.delete(endpoint)
  }

  function schedule(endpoint: T, afterMs: number): void {
    clearTimeout(timers.get(endpoint))
    const run = async (): Promise<void> => {
      await check(endpoint)
      if (timers.has(endpoint)) schedule(endpoint, jittered())
    }
    timers.set(endpoint, setTimeout(() => void run(), afterMs).unref())
  }

  /** WHY: gateways that were started together would else ask together for ever. */
  function jittered(): number {
    return settings.current.healthMs * (0.85 + 0.3 * Math.random())
  }

  return {
    add: (endpoint) => schedule(endpoint, jittered()),
    remove,
    soon(endpoint) {
      if (timers.has(endpoint)) schedule(endpoint, Math.min(soonMs, settings.current.healthMs))
    },
    close() {
      for (const endpoint of timers.keys()) remove(endpoint)
    },
  }
}

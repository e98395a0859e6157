/**
 * Does the server at this URL speak the HTTP with SSE of 2024-11-05, and how is it reached then?
 *
 * Stops: a server of another kind being asked twice for every handshake; sessions of two owners meeting.
 * Trusts: what the server answered, for as long as a verdict holds.
 * Fails: what is no such server is answered as Streamable HTTP answered; refused credentials and broken servers are
 * never taken for an old one.
 * @see MCP 2025-06-18 and 2025-11-25, Streamable HTTP, backwards compatibility
 */
import { Fault, type Clock } from '#kernel'
import { errorCodes, isObject, isProblem, readUpstreamMessage } from '#protocol'
import type { Hearing } from '../conversation.ts'
import { createHttpRoutes } from '../http-routes.ts'
import type { PaceNeeds } from '../pace.ts'
import { Sessions } from '../sessions.ts'
import type { SessionTransport, Transport, UpstreamAnswer, UpstreamLimits, UpstreamRequest } from '../transport.ts'
import { noEventStream, openEventChannel } from './event-channel.ts'

export interface HttpSseOptions {
  /** The transport that is tried first, and for all but old servers. */
  readonly streamable: Transport
  readonly clock: Clock
  readonly limits: UpstreamLimits
  readonly settings: PaceNeeds['settings']
}

interface Verdict {
  readonly isOld: boolean
  readonly until: number
}

const verdictMs = 10 * 60_000
const mostVerdicts = 4_096
/** Tells sessions over an event channel, on which everything comes on one line, from those that a server opened itself. */
export const idPrefix = 'castellan-event-channel-'
const ownStatuses = new Set([401, 403, 407, 408, 429])
const modernErrors: ReadonlySet<unknown> = new Set([
  errorCodes.headerMismatch,
  errorCodes.missingCapability,
  errorCodes.unsupportedVersion,
])

function isHandshake({ era, httpMethod, message }: UpstreamRequest): boolean {
  return era === 'legacy' && httpMethod === 'POST' && message?.method === 'initialize'
}

/** Whether the answer comes from somebody who reads JSON-RPC where it was posted, and so is no old server. */
function isReader({ only }: UpstreamAnswer, { message }: UpstreamRequest): boolean {
  if (only === undefined) return false
  const read = readUpstreamMessage(only.body)
  if (isProblem(read) || read.kind !== 'response') return false
  const { error } = read.json
  return read.id === message?.id || (isObject(error) && modernErrors.has(error['code']))
}

/** SPEC: up to 2025-06-18 any 4xx tells of an old server, from 2025-11-25 on 400, 404 and 405. */
function mayBeOld(answer: UpstreamAnswer, request: UpstreamRequest): boolean {
  const { status } = answer
  const revision = request.message?.params?.['protocolVersion']
  const isStrict = typeof revision === 'string' && revision >= '2025-11-25'
  const isTold = isStrict ? [400, 404, 405].includes(status) : status >= 400 && status < 500 && !ownStatuses.has(status)
  return isTold && !isReader(answer, request)
}

function isNoOldServer(error: unknown): boolean {
  return error instanceof Fault && error.code === noEventStream
}

/** Which servers turned out to be old ones, for a while. */
function createVerdicts(clock: Clock) {
  const verdicts = new Map<string, Verdict>()
  return {
    set(key: string, isOld: boolean): void {
      verdicts.delete(key)
      verdicts.set(key, { isOld, until: clock.now() + verdictMs })
      if (verdicts.size > mostVerdicts) verdicts.delete(verdicts.keys().next().value ?? '')
    },
    /** Undefined where there is none. */
    on(key: string): boolean | undefined {
      const verdict = verdicts.get(key)
      return verdict !== undefined && verdict.until > clock.now() ? verdict.isOld : undefined
    },
    forget(prefix: string): void {
      for (const key of verdicts.keys()) if (key.startsWith(prefix)) verdicts.delete(key)
    },
  }
}

/** The transport for upstreams with a URL: Streamable HTTP, and HTTP with SSE where a server knows nothing newer. */
export function createHttpSse({ streamable, clock, limits, settings }: HttpSseOptions): SessionTransport {
  const routes = createHttpRoutes(limits)
  const verdicts = createVerdicts(clock)
  const sessions = new Sessions({
    clock,
    limits,
    most: limits.maxEventChannels,
    mostPerOwner: limits.maxEventChannelsPerOwner,
    idleMs: limits.eventChannelIdleMs,
    idPrefix,
    begin: ({ upstream }: UpstreamRequest, hearing: Hearing) => {
      const { url = '' } = upstream
      return openEventChannel({ url, route: routes.to(upstream), limits, settings, ...hearing })
    },
  })

  /** What the server answers as an old one; undefined when it is none. */
  async function askAsOld(request: UpstreamRequest, key: string): Promise<UpstreamAnswer | undefined> {
    try {
      const answer = await sessions.exchange(request)
      if (answer.sessionId !== undefined) verdicts.set(key, true)
      return answer
    } catch (error) {
      if (!isNoOldServer(error)) throw error
      verdicts.set(key, false)
      return undefined
    }
  }

  async function shakeHands(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { name, url } = request.upstream
    const key = `${name}\n${url ?? ''}`
    if (verdicts.on(key) === true) {
      const answer = await askAsOld(request, key)
      if (answer !== undefined) return answer
    }
    const answer = await streamable.exchange(request)
    if (!mayBeOld(answer, request) || verdicts.on(key) === false) return answer
    return (await askAsOld(request, key)) ?? answer
  }

  return {
    exchange(request) {
      if (request.sessionId?.startsWith(idPrefix) === true) return sessions.exchange(request)
      return isHandshake(request) ? shakeHands(request) : streamable.exchange(request)
    },
    sessionCount: () => sessions.count,
    async forget(upstream) {
      verdicts.forget(`${upstream}\n`)
      await Promise.all([streamable.forget(upstream), sessions.forget(upstream).then(() => routes.forget(upstream))])
    },
    async close() {
      await Promise.all([streamable.close(), sessions.close().then(() => routes.close())])
    },
  }
}

/**
 * Does this upstream speak the era of its client, or does a face have to translate?
 *
 * Stops: a request in an era that its server does not know; a call repeated because the first try was in the wrong one.
 * Trusts: the guards above; what they decided on is what is translated.
 * Fails: as the transport below fails; an upstream whose era cannot be found out is not guessed at.
 * @see MCP 2026-07-28, backward compatibility; docs/decisions/0023-bridging-lies-below-the-guards.md
 */
import type { Clock, Sealer } from '#kernel'
import { type Era, isObject, isProblem, namesModernEra, readUpstreamMessage } from '#protocol'
import { createPool, type PoolLimits } from '../pool/pool.ts'
import type { Exchange, Transport, UpstreamAnswer, UpstreamRecord, UpstreamRequest } from '../transports/transport.ts'
import { createEras, type Eras, isModernAnswer } from './eras.ts'
import { createLegacyFace } from './legacy-face.ts'
import { createModernFace, type RefusedQuestion } from './modern-face.ts'
import type { ParkingLimits } from './modern-parking.ts'

export interface BridgeNeeds {
  /** Reaches upstreams in the era of the request, whatever they speak. */
  readonly exchange: Exchange
  readonly clock: Clock
  readonly sealer: Sealer
  /** Names this process: calls that wait for answers wait here. */
  readonly node: string
  readonly limits?: Partial<PoolLimits & ParkingLimits>
  readonly onRefused?: (refused: RefusedQuestion) => void
}

const meetTimeoutMs = 5_000
/** WHY: a session that its client holds and no server knows of costs little, and its client notices that it has ended. */
const idleTimesOfFace = 6

/** Requests that change nothing, so that one more is no harm. */
const harmless = new Set([
  'server/discover',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'prompts/list',
])

/** Whether an answer to `initialize` opens no session of a revision that has them. */
function opensNothing({ error, result }: Record<string, unknown>): boolean {
  const revision = isObject(result) ? result['protocolVersion'] : undefined
  return isObject(error) || typeof revision !== 'string' || namesModernEra(revision)
}

/** Whether a server of the modern era alone could have answered a legacy request like this. */
function isDoubtful({ status, hopProblem, only }: UpstreamAnswer, { upstream, message }: UpstreamRequest): boolean {
  if (message?.method === 'initialize' && status < 400) {
    const answered = only === undefined ? undefined : readUpstreamMessage(only.body)
    return answered !== undefined && !isProblem(answered) && opensNothing(answered.json)
  }
  // WHY: a child has neither statuses nor sessions; those of its transport are Castellan's own.
  if (upstream.transport === 'stdio') return false
  return hopProblem === undefined ? status >= 400 : hopProblem === 'session-ended'
}

export interface Bridge extends Transport {
  /** Finds out what an upstream speaks before a call has to wait for it; never rejects. */
  meet(upstream: UpstreamRecord, ownerId: string): Promise<void>
  /** Sessions of modern clients with legacy servers, and of legacy clients before modern ones. */
  sessionCounts(): { readonly pooled: number; readonly face: number }
}

interface Parts {
  readonly direct: Exchange
  readonly eras: Eras
  readonly faces: Readonly<Record<Era, Transport>>
}

/** WHY: a server of the modern era alone refuses what has no envelope, so nothing is done twice. */
async function tryLegacy({ direct, eras, faces }: Parts, request: UpstreamRequest): Promise<UpstreamAnswer> {
  const answer = await direct(request)
  if (isDoubtful(answer, request)) {
    const found = await eras.probe(request).catch(() => undefined)
    if (found !== 'modern') return answer
    const isBoth = await eras.opensSessions(request)
    if (isBoth !== undefined) eras.learn(request.upstream, 'legacy', isBoth)
    return isBoth === false ? faces.legacy.exchange(request) : answer
  }
  if (answer.kind === 'json' || answer.sessionId !== undefined) eras.learn(request.upstream, 'legacy', true)
  return answer
}

async function tryModern({ direct, eras, faces }: Parts, request: UpstreamRequest): Promise<UpstreamAnswer> {
  const { method = '' } = request.message ?? {}
  if (request.upstream.transport === 'http' && harmless.has(method)) {
    const answer = await direct(request)
    if (answer.hopProblem !== undefined) return answer
    if (answer.only !== undefined && isModernAnswer(answer.only.body)) {
      eras.learn(request.upstream, 'modern', true)
      return answer
    }
    for await (const frame of answer.frames) if (frame.body !== '') break
  }
  const found = await eras.probe(request)
  if (found === 'modern') return direct(request)
  return found === 'legacy' ? faces.modern.exchange(request) : found
}

/** The transport that serves every client by every upstream. */
export function createBridge(needs: BridgeNeeds): Bridge {
  const { exchange: direct, clock, node } = needs
  const eras = createEras({ exchange: direct, clock })
  const pool = createPool({ ...needs, onUnopened: (name) => eras.forget(name) })
  const idleMs = needs.limits?.idleMs
  const faceLimits = idleMs === undefined ? {} : { sessionIdleMs: idleTimesOfFace * idleMs }
  const faces = {
    modern: createModernFace({ ...needs, pool }),
    legacy: createLegacyFace({ exchange: direct, clock, node, onRefused: needs.onRefused, limits: faceLimits }),
  }
  const parts: Parts = { direct, eras, faces }

  return {
    exchange(request) {
      const isSpoken = eras.speaks(request)
      if (isSpoken === true) return direct(request)
      if (isSpoken === false) return faces[request.era].exchange(request)
      return request.era === 'legacy' ? tryLegacy(parts, request) : tryModern(parts, request)
    },
    async meet(upstream, ownerId) {
      // WHY: to ask a child, one has to be started; that is done for who needs the answer.
      if (upstream.transport === 'stdio') return
      const { signal } = new AbortController()
      const asked = { upstream, ownerId, httpMethod: 'POST' as const, headers: {}, signal, deadlineMs: meetTimeoutMs }
      await eras.probe({ ...asked, era: 'modern' }).catch(() => undefined)
    },
    sessionCounts: () => ({ pooled: pool.count(), face: faces.legacy.sessionCount() }),
    async forget(upstream) {
      eras.forget(upstream)
      await Promise.all([faces.modern.forget(upstream), faces.legacy.forget(upstream)])
      await pool.forget(upstream)
    },
    async close() {
      await Promise.all([faces.modern.close(), faces.legacy.close()])
      await pool.close()
    },
  }
}

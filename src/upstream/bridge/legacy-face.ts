/**
 * How is whatever speaks 2026-07-28 reached by a client of a legacy revision?
 *
 * Stops: sessions of somebody else, answers to questions nobody asked, what only one side's revision has reaching the other.
 * Trusts: the gateway to have authenticated, decided and recorded; the session id to be the sealed one it opened.
 * Fails: as a Streamable HTTP server of 2025-11-25 would: 400 without a session, 404 for one that is not the owner's.
 * @see MCP 2025-11-25 and 2026-07-28; docs/decisions/0024-a-legacy-session-over-a-stateless-server.md
 */
import type { Clock } from '#kernel'
import { errorCodes, isProblem, jsonRpcError, type Message, readMessage } from '#protocol'
import {
  emptyAnswer,
  type Exchange,
  jsonAnswer,
  type SessionTransport,
  type UpstreamAnswer,
  type UpstreamRequest,
} from '../transports/transport.ts'
import { callModern } from '../legacy-face/call.ts'
import { defaultFaceLimits, type Face, type FaceLimits } from '../legacy-face/face.ts'
import { shakeHands } from '../legacy-face/handshake.ts'
import { createMirrorBook } from '../legacy-face/mirror-book.ts'
import { canSubscribe, openNews } from '../legacy-face/news.ts'
import { createFaceSessions, type FaceSession } from '../legacy-face/sessions.ts'
import type { RefusedQuestion } from './modern-face.ts'

export interface LegacyFaceNeeds {
  /** Takes requests of 2026-07-28. */
  readonly exchange: Exchange
  readonly clock: Clock
  /** Distinguishes processes, so that ids of two gateways never meet at one upstream. */
  readonly node: string
  readonly limits?: Partial<FaceLimits>
  /** For a modern side whose tools are judged already; else whoever compares them with approved ones translates them. */
  readonly translatesDefinitions?: boolean
  readonly onRefused?: ((refused: RefusedQuestion) => void) | undefined
}

interface Asked {
  readonly request: UpstreamRequest
  readonly message: Message
}

/** Of a resource that a session is subscribed to. */
const maxUriChars = 2_048

const levels = new Set(['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'])

/** What has the same meaning on both sides, apart from its clothes. */
const passed = new Set([
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'prompts/list',
  'prompts/get',
  'completion/complete',
])

const done = ({ id }: Message): UpstreamAnswer => jsonAnswer(200, JSON.stringify({ jsonrpc: '2.0', id, result: {} }))

const wrong = ({ id }: Message, code: number, says: string): UpstreamAnswer =>
  jsonAnswer(200, jsonRpcError(id, code, says))

function setLevel(session: FaceSession, message: Message): UpstreamAnswer {
  if (session.offered['logging'] === undefined) return wrong(message, errorCodes.methodNotFound, 'method not found')
  const level = message.params?.['level']
  if (typeof level !== 'string' || !levels.has(level)) {
    return wrong(message, errorCodes.invalidParams, '`level` is not a log level')
  }
  session.logLevel = level
  return done(message)
}

async function changeSubscription(face: Face, session: FaceSession, message: Message): Promise<UpstreamAnswer> {
  const uri = message.name
  if (!canSubscribe(session)) return wrong(message, errorCodes.methodNotFound, 'method not found')
  if (uri === undefined || uri === '' || uri.length > maxUriChars) {
    return wrong(message, errorCodes.invalidParams, '`uri` is missing or too long')
  }
  const { subscriptions } = session
  const isAsked = message.method === 'resources/subscribe'
  if (isAsked === subscriptions.has(uri)) return done(message)
  if (isAsked && subscriptions.size >= face.limits.maxSubscriptions) {
    return wrong(message, errorCodes.invalidParams, 'this session is subscribed to as many resources as it can be')
  }
  if (isAsked) subscriptions.add(uri)
  else subscriptions.delete(uri)
  try {
    await session.news?.change()
    return done(message)
  } catch (thrown) {
    if (isAsked) subscriptions.delete(uri)
    else subscriptions.add(uri)
    throw thrown
  }
}

function answerRequest(face: Face, session: FaceSession, asked: Asked): UpstreamAnswer | Promise<UpstreamAnswer> {
  const { message } = asked
  const { method = '' } = message
  if (passed.has(method)) return callModern(face, session, asked)
  if (method === 'ping') return done(message)
  if (method === 'logging/setLevel') return setLevel(session, message)
  if (method === 'resources/subscribe' || method === 'resources/unsubscribe') {
    return changeSubscription(face, session, message)
  }
  return wrong(message, errorCodes.methodNotFound, 'method not found')
}

/** SPEC: what needs no answer is accepted, also when it comes too late to mean anything. */
function take(session: FaceSession, message: Message): UpstreamAnswer {
  const accepted = emptyAnswer(202)
  if (message.kind === 'response') {
    session.asked.get(String(message.id))?.(message)
    return accepted
  }
  const requestId = message.params?.['requestId']
  if (message.method !== 'notifications/cancelled') return accepted
  if (typeof requestId === 'string' || typeof requestId === 'number') session.inFlight.get(requestId)?.()
  return accepted
}

/** The face of 2025-03-26 to 2025-11-25 before whatever speaks 2026-07-28. */
export function createLegacyFace({ exchange, clock, node, ...given }: LegacyFaceNeeds): SessionTransport {
  const limits = { ...defaultFaceLimits, ...given.limits }
  const translatesDefinitions = given.translatesDefinitions ?? false
  const sessions = createFaceSessions({ clock, limits })
  const mirrors = createMirrorBook(clock)
  let count = 0
  const nextId = (): string => `${node}-l${(count += 1).toString(36)}`
  const onRefused = given.onRefused ?? (() => undefined)
  const face: Face = { exchange, limits, mirrors, nextId, translatesDefinitions, onRefused }

  function post(session: FaceSession, asked: Asked): UpstreamAnswer | Promise<UpstreamAnswer> {
    return asked.message.kind === 'request' ? answerRequest(face, session, asked) : take(session, asked.message)
  }

  return {
    async exchange(request) {
      const { httpMethod, body, sessionId } = request
      const read = httpMethod === 'POST' && body !== undefined ? readMessage(body) : undefined
      if (httpMethod === 'POST' && (read === undefined || isProblem(read))) return emptyAnswer(400)
      const message = read as Message | undefined
      if (message?.method === 'initialize') return shakeHands(face, sessions, { request, message })
      if (sessionId === undefined) return emptyAnswer(400)
      const session = sessions.find(request)
      if (session === undefined) return emptyAnswer(404, 'session-ended')
      if (message !== undefined) return post(session, { request, message })
      if (httpMethod === 'GET') return openNews(face, session, request)
      sessions.end(session)
      return emptyAnswer(204)
    },
    sessionCount: () => sessions.count(),
    async forget(upstream) {
      sessions.endAll(upstream)
      mirrors.forgetAll(upstream)
    },
    async close() {
      sessions.endAll()
      sessions.close()
    },
  }
}

/**
 * What the parts of the legacy face share: the modern side, its ids, and the bounds of everything.
 *
 * Stops: sessions, subscriptions, rounds of questions and waiting without bound.
 * Trusts: the exchange below to be any server of 2026-07-28, or what stands for several.
 * Fails: with the Faults of the exchange below.
 */
import { Fault } from '#kernel'
import { isProblem, type Message, readMessage, readUpstreamMessage } from '#protocol'
import type { EndSignal, Exchange, UpstreamAnswer, UpstreamRequest } from '../transports/transport.ts'
import type { RefusedQuestion } from '../bridge/modern-face.ts'
import type { MirrorBook } from './mirror-book.ts'

export interface FaceLimits {
  readonly maxSessions: number
  readonly maxSessionsPerOwner: number
  /** After which a session ends in which nothing is asked, open or listened to. */
  readonly sessionIdleMs: number
  /** How often one request may come back with questions. */
  readonly maxRounds: number
  /** Questions asked together. */
  readonly maxQuestions: number
  /** For all answers of one round. */
  readonly roundTimeoutMs: number
  /** For the roots, which a client tells by itself without asking a person. */
  readonly rootsTimeoutMs: number
  /** Before a request that asks for nothing is repeated. */
  readonly pauseMs: number
  /** Resources of which one session is told. */
  readonly maxSubscriptions: number
  /** Frames waiting for a slow listener before the modern side is held back. */
  readonly maxQueuedBytes: number
}

export const defaultFaceLimits: FaceLimits = {
  maxSessions: 4_096,
  maxSessionsPerOwner: 256,
  sessionIdleMs: 60 * 60_000,
  maxRounds: 10,
  maxQuestions: 32,
  roundTimeoutMs: 600_000,
  rootsTimeoutMs: 30_000,
  pauseMs: 200,
  maxSubscriptions: 256,
  maxQueuedBytes: 1024 * 1024,
}

export interface Face {
  readonly exchange: Exchange
  readonly limits: FaceLimits
  /** Fresh: never used before towards the modern side. */
  readonly nextId: () => string
  readonly mirrors: MirrorBook
  /** Whether definitions of tools are translated here; not where they are compared with approved ones above. */
  readonly translatesDefinitions: boolean
  /** Told of each question that is not put to its client. */
  readonly onRefused: (refused: RefusedQuestion) => void
}

/** The Fault of a modern side that answers as no server of the revision does. */
export function misbehaved(says: string): Fault {
  return new Fault('upstream.misbehaved', says)
}

const busyForSeconds = 2

/** The Fault of an answer without a message, where the client has been answered already or waits for something else. */
export function brokenHop({ status, hopProblem }: UpstreamAnswer): Fault {
  const says = `the upstream answered ${status} without a message`
  if (hopProblem === 'overloaded') return new Fault('upstream.busy', says, { retryAfterSeconds: busyForSeconds })
  return hopProblem === 'credentials-refused' ? new Fault('upstream.credentials-refused', says) : misbehaved(says)
}

/** A message that was just written here. */
export function written(text: string): Message {
  const message = readMessage(text)
  if (isProblem(message)) throw misbehaved(`the request cannot be translated: ${message.problem}`)
  return message
}

interface Onward {
  /** Of 2026-07-28. */
  readonly message: Message
  readonly headers: Readonly<Record<string, string>>
  readonly signal: EndSignal
}

/** The request to the modern side that stands for a legacy one. */
export function onward(request: UpstreamRequest, { message, headers, signal }: Onward): UpstreamRequest {
  const { upstream, ownerId, deadlineMs, maxAnswerBytes } = request
  const { kind, id, method, params } = message
  const trace = request.headers['traceparent']
  return {
    upstream,
    ownerId,
    era: 'modern',
    httpMethod: 'POST',
    message: { kind, id, method, params },
    body: Buffer.from(message.text),
    headers: trace === undefined ? headers : { ...headers, traceparent: trace },
    signal,
    deadlineMs,
    ...(maxAnswerBytes === undefined ? {} : { maxAnswerBytes }),
  }
}

/** A message of the modern side; undefined for what is none. */
export function heard(body: string): Message | undefined {
  const message = body === '' ? { problem: '', code: 0 } : readUpstreamMessage(body)
  return isProblem(message) ? undefined : message
}

/** Whether a message answers the request with this id; an error without an id does, where nothing else was asked. */
export function isResponseTo(message: Message, id: string, isAlone: boolean): boolean {
  if (message.kind !== 'response') return false
  return message.id === id || (isAlone && message.id === undefined)
}

/** The response among all that an answer brings; undefined when it ends without one. */
export async function responseOf(answer: UpstreamAnswer, id: string): Promise<Message | undefined> {
  for await (const { body } of answer.frames) {
    const message = heard(body)
    if (message !== undefined && isResponseTo(message, id, answer.kind === 'json')) return message
  }
  return undefined
}

/**
 * What does the client answer to the questions that a server asks before it goes on?
 *
 * Stops: questions of a kind the client did not declare, addresses that are neither https nor this machine, answers from
 * another session, waiting without end.
 * Trusts: the session that a posted answer came with; never the answer's content.
 * Fails: with a Refusal that becomes the end of the call; the questions still open are withdrawn.
 * @see MCP 2025-11-25, elicitation, sampling, roots; 2026-07-28, multi round-trip requests
 */
import { randomUUID } from 'node:crypto'
import { Fault, refuse, type Refusal } from '#kernel'
import {
  addressOf,
  canBeAsked,
  capabilityFor,
  type Frame,
  type InputRequest,
  isObject,
  isSafeAddress,
  legacyAsk,
  type Message,
  spanOf,
} from '#protocol'
import { upstreamRefusals } from '../refusals.ts'
import type { EndSignal } from '../transports/transport.ts'
import type { FaceLimits } from './face.ts'
import type { FaceSession } from './sessions.ts'

interface Question {
  readonly id: string
  readonly request: InputRequest
  /** Names the opening of an address. */
  readonly elicitationId: string
}

export interface ClientAnswers {
  /** `[key, result]`, the result as it was posted. */
  readonly responses: readonly (readonly [string, string])[]
  /** Addresses that the person agreed to open, by their names. */
  readonly opened: readonly string[]
}

interface Client {
  readonly session: FaceSession
  readonly signal: EndSignal
  readonly limits: Pick<FaceLimits, 'roundTimeoutMs' | 'rootsTimeoutMs'>
  /** Told of what the client is not asked, and why. */
  readonly onRefused: (method: string, problem: string) => void
}

function whyNot({ session, onRefused }: Client, requests: readonly InputRequest[]): Refusal | undefined {
  const { capabilities, revision } = session.introduction
  for (const request of requests) {
    const address = addressOf(request)
    const capability = capabilityFor(request).join('.')
    // SPEC: before 2025-11-25 a client cannot be sent to an address.
    if (!canBeAsked(capabilities, request) || (address !== undefined && revision < '2025-11-25')) {
      onRefused(request.method, 'the client did not declare that it can be asked this')
      return refuse(upstreamRefusals.inputUndeclared, { names: { capability } })
    }
    if (address === undefined || isSafeAddress(address)) continue
    onRefused(request.method, 'the address is not one that a person is sent to')
    return refuse(upstreamRefusals.inputUnsafe)
  }
  return undefined
}

function ask({ id, request, elicitationId }: Question, { introduction }: FaceSession): Frame {
  return { body: legacyAsk(request, { id, elicitationId, revision: introduction.revision }) }
}

function withdrawn({ id }: Question): Frame {
  const params = { requestId: id, reason: 'the answer is not waited for any more' }
  return { body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }) }
}

function problemOf(answer: Message, { method }: InputRequest): Refusal | undefined {
  const { result, error } = answer.json
  if (isObject(result)) return undefined
  const says = isObject(error) && typeof error['message'] === 'string' ? error['message'] : 'no result'
  return refuse(upstreamRefusals.inputRefused, { names: { method, problem: says } })
}

function read(questions: readonly Question[], answers: ReadonlyMap<string, Message>): ClientAnswers | Refusal {
  const responses: [string, string][] = []
  const opened: string[] = []
  for (const question of questions) {
    const answer = answers.get(question.id)
    if (answer === undefined) continue
    const problem = problemOf(answer, question.request)
    if (problem !== undefined) return problem
    const span = spanOf(answer.text, ['result'])
    if (span !== undefined) responses.push([question.request.key, answer.text.slice(...span)])
    const { result } = answer.json
    const isAccepted = isObject(result) && result['action'] === 'accept'
    if (isAccepted && addressOf(question.request) !== undefined) opened.push(question.elicitationId)
  }
  const open = questions.find(({ id }) => !answers.has(id))
  if (open === undefined) return { responses, opened }
  return refuse(upstreamRefusals.inputUnanswered, { names: { method: open.request.method } })
}

/** Resolves when all answers are there, one of them is an error, the time is over, or the request is. */
function waitForAnswers(questions: readonly Question[], { session, signal, limits }: Client) {
  const answers = new Map<string, Message>()
  const { promise, resolve } = Promise.withResolvers<void>()
  const done = (): void => resolve()
  const timer = setTimeout(done, limits.roundTimeoutMs)
  const areRootsOpen = (): boolean =>
    questions.some(({ id, request }) => request.method === 'roots/list' && !answers.has(id))
  // WHY: the gateway withholds this question from whoever shares no roots, and then nobody ever answers it.
  const rootsTimer = setTimeout(() => {
    if (areRootsOpen()) done()
  }, limits.rootsTimeoutMs)
  signal.addEventListener('abort', done, { once: true })
  for (const { id } of questions) {
    session.asked.set(id, (answer) => {
      answers.set(id, answer)
      if (answers.size === questions.length || !Object.hasOwn(answer.json, 'result')) done()
    })
  }
  return {
    answers,
    promise,
    stop() {
      clearTimeout(timer)
      clearTimeout(rootsTimer)
      signal.removeEventListener('abort', done)
      for (const { id } of questions) session.asked.delete(id)
    },
  }
}

/** Asks everything at once, and waits. Yields what the client is sent meanwhile. */
export async function* askClient(
  client: Client,
  requests: readonly InputRequest[],
): AsyncGenerator<Frame, ClientAnswers | Refusal> {
  const problem = whyNot(client, requests)
  if (problem !== undefined) return problem
  if (requests.length === 0) return { responses: [], opened: [] }
  const questions = requests.map((request) => ({ id: randomUUID(), request, elicitationId: randomUUID() }))
  const waiting = waitForAnswers(questions, client)
  try {
    for (const question of questions) yield ask(question, client.session)
    await waiting.promise
  } finally {
    waiting.stop()
  }
  if (client.signal.aborted) throw new Fault('upstream.cancelled', 'the exchange was cancelled')
  for (const question of questions) if (!waiting.answers.has(question.id)) yield withdrawn(question)
  return read(questions, waiting.answers)
}

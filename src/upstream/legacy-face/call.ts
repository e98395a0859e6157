/**
 * How does a request of a legacy session become one of 2026-07-28, and its answer the other way round?
 *
 * Stops: ids, envelopes and errors of one side reaching the other; a request that asks back for ever.
 * Trusts: nothing the modern side answers; the gateway inspects what comes out of here as any upstream's answer.
 * Fails: with a Fault before the answer starts, or ends the frames with one after it.
 * @see MCP 2026-07-28, multi round-trip requests; docs/decisions/0024-a-legacy-session-over-a-stateless-server.md
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, isRefusal, refuse, type Refusal } from '#kernel'
import {
  answeredRequest,
  errorCodes,
  type Frame,
  type InputRequired,
  isObject,
  jsonRpcError,
  kindOfResult,
  legacyDefinitions,
  legacyNotification,
  legacyResponse,
  type Message,
  mirroredHeaders,
  modernRequest,
  readInputRequired,
  withIdText,
} from '#protocol'
import { upstreamRefusals } from '../refusals.ts'
import { emptyAnswer, jsonAnswer, type UpstreamAnswer, type UpstreamRequest } from '../transports/transport.ts'
import { askClient, type ClientAnswers } from './ask-client.ts'
import { brokenHop, type Face, heard, isResponseTo, misbehaved, onward, written } from './face.ts'
import { envelopeOf, type FaceSession } from './sessions.ts'
import { type Stop, stopWith } from './stop.ts'

interface Call {
  readonly face: Face
  readonly session: FaceSession
  readonly request: UpstreamRequest
  /** As the legacy side sent it. */
  readonly message: Message
  readonly id: string | number
  readonly method: string
  readonly stop: Stop
  release(): void
}

/** One request to the modern side, and what came of it so far. */
interface Round {
  readonly message: Message
  readonly answer: UpstreamAnswer
}

const asksBack = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** SPEC: 2026-07-28: a client that is told its headers do not fit asks for the tools again, and calls once more. */
function isMismatch({ kind, status, only }: UpstreamAnswer): boolean {
  if (kind !== 'json' || status !== 400) return false
  const error = heard(only.body)?.json['error']
  return isObject(error) && error['code'] === errorCodes.headerMismatch
}

async function send({ face, session, request, stop }: Call, message: Message): Promise<UpstreamAnswer> {
  const { signal } = stop
  const needsMirrors = message.method === 'tools/call' && request.upstream.transport !== 'stdio'
  const asker = { request, session, signal }
  const mirrors = needsMirrors ? await face.mirrors.of(face, asker, message.name ?? '') : []
  return face.exchange(onward(request, { message, headers: mirroredHeaders(message, mirrors), signal }))
}

async function ask(call: Call, message: Message): Promise<Round> {
  const answer = await send(call, message)
  if (message.method !== 'tools/call' || !isMismatch(answer)) return { message, answer }
  call.face.mirrors.forget(call.session)
  const again = written(withIdText(message, call.face.nextId()))
  return { message: again, answer: await send(call, again) }
}

function nameOf({ message }: Round): string {
  return String(message.id)
}

/** Passes what comes before the response. @returns the response */
async function* passUntilResponse(round: Round): AsyncGenerator<Frame, Message> {
  const { answer } = round
  for await (const { body } of answer.frames) {
    const message = heard(body)
    if (message === undefined) continue
    if (isResponseTo(message, nameOf(round), answer.kind === 'json')) return message
    // SPEC: 2026-07-28: a server sends no requests; what else is no notification answers something else.
    if (message.kind === 'notification') yield { body: legacyNotification(message) }
  }
  throw misbehaved('the answer ended without a response')
}

/** What the server asks for instead of answering; undefined for an answer. */
function questionsIn(response: Message, { method, face }: Call): InputRequired | undefined {
  const { result } = response.json
  if (!isObject(result)) return undefined
  const kind = kindOfResult(result)
  if (kind === 'complete') return undefined
  const required = kind === 'input-required' && asksBack.has(method) ? readInputRequired(response) : undefined
  if (required === undefined) throw misbehaved('the result is of a kind that was not asked for')
  if (required.requests.length > face.limits.maxQuestions) throw misbehaved('the server asks too much at once')
  return required
}

/** The end of a request that cannot go on: of a tool, in the words that the model reads. */
function failure({ id, method }: Call, { says, hint, code }: Refusal): string {
  if (method !== 'tools/call') return jsonRpcError(id, errorCodes.internalError, says, { code, hint })
  const result = { content: [{ type: 'text', text: `${says}; ${hint}` }], isError: true }
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

function translated(call: Call, response: Message): string {
  const { id, method, session, face } = call
  const told = legacyResponse(response, { id, method })
  if (method !== 'tools/list') return told
  face.mirrors.learn(session, response)
  return face.translatesDefinitions ? legacyDefinitions(told) : told
}

async function askAgain(call: Call, { message }: Round, asked: InputRequired, answers: ClientAnswers): Promise<Round> {
  const { face, stop } = call
  // WHY: a server that only wants to be asked again has no client to wait for.
  if (asked.requests.length === 0) {
    await sleep(face.limits.pauseMs)
    if (stop.signal.aborted) throw new Fault('upstream.cancelled', 'the exchange was cancelled')
  }
  const given = { responses: answers.responses, stateText: asked.stateText }
  const round = await ask(call, written(answeredRequest(message, face.nextId(), given)))
  const { hopProblem, kind } = round.answer
  if (hopProblem === undefined && kind !== 'empty') return round
  throw brokenHop(round.answer)
}

function completion(elicitationId: string): Frame {
  const params = { elicitationId }
  return { body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/elicitation/complete', params }) }
}

/** @param first the response to the first round, where it is there already */
async function* converse(call: Call, begun: Round, first?: Message): AsyncGenerator<Frame> {
  const { face, session, stop, request } = call
  const opened: string[] = []
  let round = begun
  const onRefused = (method: string, problem: string): void =>
    face.onRefused({ upstream: request.upstream.name, ownerId: request.ownerId, method, problem })
  const client = { session, signal: stop.signal, limits: face.limits, onRefused }
  try {
    for (let number = 0; ; number += 1) {
      const response = number === 0 && first !== undefined ? first : yield* passUntilResponse(round)
      const asked = questionsIn(response, call)
      if (asked === undefined) {
        for (const elicitationId of opened) yield completion(elicitationId)
        yield { body: translated(call, response) }
        return
      }
      const isEndless = number === face.limits.maxRounds
      const answers = isEndless ? refuse(upstreamRefusals.inputEndless) : yield* askClient(client, asked.requests)
      if (isRefusal(answers)) {
        yield { body: failure(call, answers) }
        return
      }
      opened.push(...answers.opened)
      round = await askAgain(call, round, asked, answers)
    }
  } catch (thrown) {
    // SPEC: JSON-RPC of MCP, cancellation: what the client withdrew is not answered.
    if (!stop.isWithdrawn) throw thrown
  } finally {
    call.release()
  }
}

const streamOf = (frames: AsyncIterable<Frame>): UpstreamAnswer => ({
  status: 200,
  kind: 'stream',
  frames,
  isTranslated: true,
})

/** The answer as the legacy side gets it: one message where nothing has to be asked or told before. */
function answerOf(call: Call, round: Round): UpstreamAnswer {
  const { answer } = round
  if (answer.hopProblem !== undefined) {
    call.release()
    return emptyAnswer(answer.status, answer.hopProblem)
  }
  if (answer.kind === 'stream') return streamOf(converse(call, round))
  const response = answer.kind === 'json' ? heard(answer.only.body) : undefined
  if (response === undefined || !isResponseTo(response, nameOf(round), true)) {
    throw misbehaved(`the upstream answered ${answer.status} without a response`)
  }
  if (questionsIn(response, call) !== undefined) {
    return streamOf(converse(call, round, response))
  }
  call.release()
  // SPEC: before 2026-07-28 an error in band is a 200; a 404 would say that the session is gone.
  return { ...jsonAnswer(200, translated(call, response)), isTranslated: true }
}

/** Carries out a request of a session on the modern side. */
export async function callModern(
  face: Face,
  session: FaceSession,
  { request, message }: { readonly request: UpstreamRequest; readonly message: Message },
): Promise<UpstreamAnswer> {
  const { id = '', method = '' } = message
  const stop = stopWith([request.signal, session.ended])
  const release = (): void => {
    session.inFlight.delete(id)
    stop.release()
  }
  // WHY: an answer that nobody begins to read would otherwise keep its place in the session.
  stop.signal.addEventListener('abort', release, { once: true })
  const call: Call = { face, session, request, message, id, method, stop, release }
  session.inFlight.set(id, stop.withdraw)
  try {
    return answerOf(call, await ask(call, written(modernRequest(message, envelopeOf(session), face.nextId()))))
  } catch (thrown) {
    release()
    if (stop.isWithdrawn) return emptyAnswer(202, 'cancelled')
    throw thrown
  }
}

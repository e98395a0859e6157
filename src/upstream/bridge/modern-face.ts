/**
 * How does a client of 2026-07-28 use a server that has sessions only?
 *
 * Stops: the envelope, mirrored headers and progress tokens of one client reaching the server or another client; errors
 * of the server's hop being taken for the client's own.
 * Trusts: the guards above to have decided on every request, retries with answers included.
 * Fails: with the protocol's own errors; what describes the way to the server is handed up as it is.
 * @see MCP 2026-07-28 and 2025-11-25; docs/decisions/0023-bridging-lies-below-the-guards.md
 */
import { Fault, type Clock, type Sealer } from '#kernel'
import {
  addressesIn,
  addressOf,
  discoverResponse,
  errorCodes,
  type Frame,
  inputRequiredResponse,
  isObject,
  isProblem,
  isSafeAddress,
  jsonRpcError,
  legacyRequest,
  mayBeAsked,
  type Message,
  metaKeys,
  modernResponse,
  readMessage,
  readUpstreamMessage,
  statusOfResponse,
} from '#protocol'
import type { Lease, Pool } from '../pool/pool.ts'
import {
  emptyAnswer,
  jsonAnswer,
  type Transport,
  type UpstreamAnswer,
  type UpstreamRequest,
} from '../transports/transport.ts'
import { type Asked, Call, type Step } from './modern-call.ts'
import { listen } from './modern-listen.ts'
import { createNewsDesk } from './modern-news.ts'
import { createParking, type Parking, type ParkingLimits } from './modern-parking.ts'
import { isAskedDuring } from './modern-questions.ts'

/** A question of a server that was not put to its client. */
export interface RefusedQuestion {
  readonly upstream: string
  readonly ownerId: string
  readonly method: string
  readonly problem: string
}

export interface ModernFaceNeeds {
  readonly pool: Pool
  readonly sealer: Sealer
  readonly clock: Clock
  readonly node: string
  readonly limits?: Partial<ParkingLimits> | undefined
  readonly onRefused?: (refused: RefusedQuestion) => void
}

/** SPEC: a call asks its client for more so many times at most; the libraries stop at ten. */
const maxRounds = 10

/** Capabilities that both eras have and mean alike. */
const shared = ['roots', 'sampling', 'elicitation']

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

function capabilitiesOf(message: Message): Record<string, unknown> {
  const meta = message.params?.['_meta']
  const declared = isObject(meta) ? meta[metaKeys.clientCapabilities] : undefined
  if (!isObject(declared)) return {}
  return Object.fromEntries(shared.flatMap((name) => (isObject(declared[name]) ? [[name, declared[name]]] : [])))
}

function askedOf({ body, ownerId, signal, deadlineMs }: UpstreamRequest): Asked | undefined {
  const message = body === undefined ? undefined : readMessage(body)
  if (message === undefined || isProblem(message) || message.kind !== 'request') return undefined
  const { id, method } = message
  if (id === undefined || method === undefined) return undefined
  return { message, id, method, ownerId, capabilities: capabilitiesOf(message), signal, deadlineMs }
}

function answerOf(text: string): UpstreamAnswer {
  const message = readUpstreamMessage(text)
  return jsonAnswer(isProblem(message) ? 200 : statusOfResponse(message.json), text)
}

const refused = (id: string | number, code: number, says: string): string => jsonRpcError(id, code, says)

/** Whether the person did not open the address that the server sent them to. */
function isDeclined({ params }: Message): boolean {
  const given = params?.['inputResponses']
  return !isObject(given) || Object.values(given).some((answer) => !isObject(answer) || answer['action'] !== 'accept')
}

class ModernFace implements Transport {
  readonly #needs: ModernFaceNeeds
  readonly #parking: Parking
  readonly #newsOf = createNewsDesk()
  /** Calls that can be cancelled by a notification. */
  readonly #open = new Map<string, Call>()

  constructor(needs: ModernFaceNeeds) {
    this.#needs = needs
    this.#parking = createParking(needs)
  }

  async exchange(request: UpstreamRequest): Promise<UpstreamAnswer> {
    if (request.httpMethod !== 'POST') return emptyAnswer(405)
    const asked = askedOf(request)
    if (asked === undefined) return this.#hear(request)
    if (asked.message.params?.['requestState'] !== undefined) return this.#goOn(request, asked)
    if (passed.has(asked.method)) return this.#call(request, asked)
    if (asked.method !== 'server/discover' && asked.method !== 'subscriptions/listen') {
      return answerOf(refused(asked.id, errorCodes.methodNotFound, 'method not found'))
    }
    const lease = await this.#take(request, asked)
    if (!('session' in lease)) return lease
    if (asked.method === 'subscriptions/listen') return listen(asked, lease, this.#newsOf(lease.session))
    lease.end()
    return answerOf(discoverResponse(asked.id, lease.session.opened))
  }

  async forget(upstream: string): Promise<void> {
    this.#parking.forget(upstream)
  }

  async close(): Promise<void> {
    this.#parking.close()
  }

  /** SPEC: the revision has no notifications to a server but over stdio; a cancellation is understood all the same. */
  #hear({ message, body, ownerId }: UpstreamRequest): UpstreamAnswer {
    const read = message?.method === 'notifications/cancelled' && body !== undefined ? readMessage(body) : undefined
    const id = read === undefined || isProblem(read) ? undefined : read.params?.['requestId']
    const cancelled = new Fault('upstream.cancelled', 'the client cancelled the request')
    this.#open.get(`${ownerId}\n${String(id)}`)?.cancel(cancelled)
    return emptyAnswer(202)
  }

  async #take(
    { upstream, ownerId }: UpstreamRequest,
    { method, capabilities, deadlineMs, signal }: Asked,
  ): Promise<Lease | UpstreamAnswer> {
    const isListening = method === 'subscriptions/listen'
    // WHY: what a child asks names no call: only while one call is open can it be told whose question it is.
    const isAlone = upstream.transport === 'stdio' && Object.keys(capabilities).length > 0 && !isListening
    const wanted = { upstream, ownerId, capabilities, deadlineMs, signal, isAlone, isListening }
    const taken = await this.#needs.pool.take(wanted)
    // WHY: questions that a client never came back to would keep all children of its owner.
    const isFull = isAlone && !('session' in taken) && taken.hopProblem === 'overloaded'
    return isFull && this.#parking.giveWay(ownerId, upstream.name) ? this.#needs.pool.take(wanted) : taken
  }

  async #call(request: UpstreamRequest, asked: Asked): Promise<UpstreamAnswer> {
    for (let isAgain = false; ; isAgain = true) {
      const lease = await this.#take(request, asked)
      if (!('session' in lease)) return lease
      const call = this.#begin(lease, asked)
      const isAskable = Object.keys(asked.capabilities).length > 0 && isAskedDuring(asked.method)
      if (isAskable && !lease.session.isOneLine) await this.#newsOf(lease.session).callWith(call)
      const problem = await this.#send(call, request, asked).catch((thrown: unknown) => {
        call.finish()
        throw thrown
      })
      if (problem === undefined) return this.#serve(call, asked)
      if (problem.hopProblem === 'session-ended') lease.drop()
      call.finish()
      if (problem.hopProblem !== 'session-ended') return problem
      if (isAgain) throw new Fault('upstream.misbehaved', 'the upstream ends its sessions at once')
    }
  }

  #begin(lease: Lease, asked: Asked): Call {
    const { name } = lease.session.upstream
    const news = this.#newsOf(lease.session)
    if (lease.session.isOneLine) void news.open()
    const call: Call = new Call({
      lease,
      asked,
      onOver: () => news.callOver(call),
      mayAsk: (call) => this.#parking.reserve(call),
      onNews: (message) => news.tell(message),
      onRefused: (method, problem) => {
        this.#needs.onRefused?.({ upstream: name, ownerId: asked.ownerId, method, problem })
      },
    })
    return call
  }

  async #send(call: Call, request: UpstreamRequest, asked: Asked): Promise<UpstreamAnswer | undefined> {
    const meta = asked.message.params?.['_meta']
    const level = isObject(meta) ? meta[metaKeys.logLevel] : undefined
    if (typeof level === 'string') await call.lease.session.hear(level, asked.signal)
    const traceparent = request.headers['traceparent']
    return call.send(legacyRequest(asked.message, asked.id), { maxAnswerBytes: request.maxAnswerBytes, traceparent })
  }

  /** The answer to a call from here on: one message, or a stream when something comes before it. */
  async #serve(call: Call, asked: Asked): Promise<UpstreamAnswer> {
    const key = `${asked.ownerId}\n${asked.id}`
    this.#open.set(key, call)
    const over = (): void => {
      asked.signal.removeEventListener('abort', over)
      this.#open.delete(key)
    }
    // WHY: a stream that nobody begins to read never ends by itself.
    asked.signal.addEventListener('abort', over, { once: true })
    try {
      const step = await call.step()
      if (step.kind === 'note')
        return { status: 200, kind: 'stream', frames: this.#stream(call, asked, { step, over }) }
      over()
      return answerOf(this.#close(call, asked, step))
    } catch (thrown) {
      over()
      throw thrown
    }
  }

  async *#stream(call: Call, asked: Asked, from: { step: Step; over: () => void }): AsyncGenerator<Frame> {
    let isAnswered = false
    try {
      let { step } = from
      while (step.kind === 'note') {
        yield step.frame
        step = await call.step()
      }
      const body = this.#close(call, asked, step)
      isAnswered = true
      yield { body }
    } finally {
      from.over()
      if (!isAnswered) call.cancel(new Fault('upstream.cancelled', 'nobody reads the answer'))
    }
  }

  /** The last message of an answer: the response, or what the client has to answer first. */
  #close(call: Call, asked: Asked, step: Exclude<Step, { kind: 'note' }>): string {
    const { session } = call.lease
    const { serverInfo } = session.opened
    if (step.kind === 'ask') return this.#ask(call, asked)
    call.finish()
    const addresses = addressesIn(step.message)
    if (addresses.length > 0) return this.#openFirst(call, asked, addresses)
    return modernResponse(step.message, { id: asked.id, method: asked.method, name: asked.message.name }, serverInfo)
  }

  #ask(call: Call, asked: Asked): string {
    call.rounds += 1
    if (call.rounds > maxRounds) {
      call.cancel(new Fault('upstream.misbehaved', 'the call asks too often'))
      return refused(asked.id, errorCodes.internalError, 'the server asked for more too often')
    }
    const { upstream, opened } = call.lease.session
    const { questions } = call
    const requestState = this.#parking.park(call, upstream.name, asked)
    return inputRequiredResponse(asked.id, questions, { requestState, serverInfo: opened['serverInfo'] })
  }

  /** SPEC: 2025-11-25: an address has to be opened before the request is repeated; the session has nothing to wait for. */
  #openFirst(call: Call, asked: Asked, questions: ReturnType<typeof addressesIn>): string {
    const { upstream, opened } = call.lease.session
    const isAllowed = questions.every(
      (question) => isSafeAddress(addressOf(question) ?? '') && mayBeAsked(asked.capabilities, question),
    )
    if (!isAllowed) {
      const problem = 'the client cannot be sent to the address'
      this.#needs.onRefused?.({
        upstream: upstream.name,
        ownerId: asked.ownerId,
        method: 'elicitation/create',
        problem,
      })
      return refused(asked.id, errorCodes.internalError, 'the server asks for something that this client cannot do')
    }
    const requestState = this.#parking.mark(upstream.name, asked)
    return inputRequiredResponse(asked.id, questions, { requestState, serverInfo: opened['serverInfo'] })
  }

  async #goOn(request: UpstreamRequest, asked: Asked): Promise<UpstreamAnswer> {
    const { name } = request.upstream
    const call = this.#parking.take(name, asked)
    if (call === 'repeat') {
      if (!isDeclined(asked.message)) return this.#call(request, asked)
      return answerOf(refused(asked.id, errorCodes.internalError, 'what the server asked for was declined'))
    }
    if (call === undefined) {
      return answerOf(refused(asked.id, errorCodes.invalidParams, '`requestState` is not one that can be gone on from'))
    }
    await call.resume(asked)
    if (call.questions.length > 0 && !call.isOver) return answerOf(this.#ask(call, asked))
    return this.#serve(call, asked)
  }
}

/** The transport that makes servers with sessions look as if they spoke 2026-07-28. */
export function createModernFace(needs: ModernFaceNeeds): Transport {
  return new ModernFace(needs)
}

/**
 * One call of a modern client under way in a legacy session: what does its server say, and what does it want to know?
 *
 * Stops: log messages and progress that nobody asked for, answers to other calls, servers that are silent for too long.
 * Trusts: the pool's lease to keep the session open while the call is.
 * Fails: with a Fault; a call that nobody waits for any more is cancelled at the server under the id that it has there.
 * @see MCP 2025-11-25, cancellation, progress; MCP 2026-07-28, Streamable HTTP
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '#kernel'
import {
  applyEdits,
  errorCodes,
  type Frame,
  type InputRequest,
  isObject,
  isProblem,
  jsonRpcError,
  memberEdit,
  type Message,
  metaKeys,
  readUpstreamMessage,
  spanOf,
  withText,
} from '#protocol'
import type { Lease } from '../pool/pool.ts'
import { levels } from '../pool/session.ts'
import { type EndSignal, emptyAnswer, type UpstreamAnswer } from '../transports/transport.ts'
import { FrameReader } from './modern-frames.ts'
import { judgeQuestion } from './modern-questions.ts'

/** Questions that a server asks at once come within this time. */
const gatherMs = 25

/** A request of a modern client, as the face reads it. */
export interface Asked {
  readonly message: Message
  readonly id: string | number
  readonly method: string
  readonly ownerId: string
  readonly capabilities: Readonly<Record<string, unknown>>
  readonly signal: EndSignal
  readonly deadlineMs: number
}

/** What comes of a call: a notification for its client, its end, or questions that the client has to answer first. */
export type Step =
  | { readonly kind: 'note'; readonly frame: Frame }
  | { readonly kind: 'end'; readonly message: Message }
  | { readonly kind: 'ask' }

export interface CallNeeds {
  readonly lease: Lease
  readonly asked: Asked
  /** Whether the call may have one more question; asked at its first one only. */
  readonly mayAsk: (call: Call) => boolean
  /** Told of a question that was not put to the client. */
  readonly onRefused: (method: string, problem: string) => void
  /** Told of notifications that belong to no call. */
  readonly onNews: (message: Message) => void
  /** Told once, when the call is over. */
  readonly onOver: () => void
}

interface Question {
  readonly id: string | number
  readonly request: InputRequest
}

const nothingAsked: Message = { kind: 'request', text: '', json: {}, idSpan: undefined }

function metaOf(message: Message): Record<string, unknown> {
  const meta = message.params?.['_meta']
  return isObject(meta) ? meta : {}
}

/** A call from its sending to its response, over as many rounds as it takes. */
export class Call {
  readonly lease: Lease
  /** As the server knows it. */
  readonly id: string | number
  readonly method: string
  readonly ownerId: string
  rounds = 0
  readonly #needs: Omit<CallNeeds, 'asked' | 'lease'>
  readonly #capabilities: Asked['capabilities']
  readonly #ending = new AbortController()
  readonly #questions = new Map<string, Question>()
  #asked: Asked
  #asking = 0
  #reader: FrameReader | undefined
  /** The beginning of an answer that a question came before. */
  #awaited: Promise<void> | undefined
  #wake: (() => void) | undefined
  #isWhole = false
  #fault: Fault | undefined
  #isOver = false
  readonly #onAbort = (): void => this.cancel(new Fault('upstream.cancelled', 'the exchange was cancelled'))

  constructor({ asked, lease, ...needs }: CallNeeds) {
    this.#needs = needs
    this.#asked = asked
    this.#capabilities = asked.capabilities
    this.lease = lease
    this.id = asked.id
    this.method = asked.method
    this.ownerId = asked.ownerId
    asked.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** What the client has to answer. */
  get questions(): readonly InputRequest[] {
    return [...this.#questions.values()].map(({ request }) => request)
  }

  /** Sends the request. @returns what the server answered when it describes the way to it, else nothing */
  async send(text: string, more: { maxAnswerBytes: number | undefined; traceparent: string | undefined }) {
    const { id, method, signal, deadlineMs } = this.#asked
    if (signal.aborted) this.#onAbort()
    const timer = setTimeout(() => this.#silent(), deadlineMs)
    try {
      const sending = this.lease.session.exchange({
        ...more,
        httpMethod: 'POST',
        message: { kind: 'request', id, method, params: this.#paramsSent() },
        body: Buffer.from(text),
        signal: this.#ending.signal,
        // WHY: a person takes longer to answer than a server; how long silence may be is counted here instead.
        deadlineMs: deadlineMs + longestQuestionMs,
      })
      const answer = await Promise.race([sending, this.#untilWoken()])
      if (answer !== 'quiet') return this.#begin(answer)
      this.#awaited = sending.then((late) => {
        if (this.#begin(late) !== undefined) throw new Fault('upstream.unreachable', 'the call was lost on its way')
      })
      // WHY: while its client is asked, nobody waits for the answer.
      this.#awaited.catch(() => undefined)
      return undefined
    } catch (thrown) {
      const fault = this.#fault
      this.finish()
      throw fault ?? thrown
    } finally {
      clearTimeout(timer)
    }
  }

  /** What comes next. Rejects with a Fault; then the call is over. */
  async step(): Promise<Step> {
    try {
      for (;;) {
        const isAsking = this.#questions.size > 0
        const frame = await this.#next(isAsking ? gatherMs : this.#asked.deadlineMs)
        if (this.#fault !== undefined) throw this.#fault
        if (!isAsking && frame === 'quiet' && this.#questions.size > 0) continue
        if (isAsking && (frame === undefined || frame === 'quiet')) return { kind: 'ask' }
        if (frame === 'quiet') throw this.#silent()
        if (frame === undefined) throw new Fault('upstream.misbehaved', 'the answer ended without a response')
        const step = frame.body === '' ? undefined : this.#read(frame)
        if (step !== undefined) return step
      }
    } catch (thrown) {
      const fault = this.#fault
      this.finish()
      throw fault ?? thrown
    }
  }

  /** A question of the server that did not come with the answer. */
  hear(question: Message): void {
    this.#readQuestion(question)
    if (this.#questions.size > 0) this.#wake?.()
  }

  /** Nobody waits for it any more: its client is to come back with answers. */
  park(): void {
    this.#asked.signal.removeEventListener('abort', this.#onAbort)
    // WHY: nothing is read of it until another request goes on, and it may be as large as a body may be.
    this.#asked = { ...this.#asked, message: nothingAsked }
  }

  /** Goes on for another request of its client. Resolves when the server has the answers that it brings. */
  async resume(asked: Asked): Promise<void> {
    this.#asked = asked
    asked.signal.addEventListener('abort', this.#onAbort, { once: true })
    if (asked.signal.aborted) this.#onAbort()
    const { text, params } = asked.message
    const given = params?.['inputResponses']
    for (const [key, { id }] of this.#questions) {
      const span = isObject(given) && isObject(given[key]) ? spanOf(text, ['params', 'inputResponses', key]) : undefined
      if (span === undefined) continue
      this.#questions.delete(key)
      await this.#reply(id, `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${text.slice(...span)}}`)
    }
  }

  /** Ends it before its response: the server is told, once. */
  cancel(fault: Fault): void {
    if (this.#isOver || this.#fault !== undefined) return
    this.#fault = fault
    const method = 'notifications/cancelled'
    const text = JSON.stringify({ jsonrpc: '2.0', method, params: { requestId: this.id, reason: fault.message } })
    const { signal } = new AbortController()
    void this.lease.session.tell({ kind: 'notification', method }, text, signal)
    this.finish()
  }

  /** Lets go of the session and of what is left of the answer. */
  finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.park()
    this.#questions.clear()
    this.lease.end()
    this.#ending.abort()
    this.#needs.onOver()
  }

  /** @returns the answer when it describes the way to the server */
  #begin(answer: UpstreamAnswer): UpstreamAnswer | undefined {
    if (answer.hopProblem !== undefined) return answer
    if (isOfSession(answer)) return emptyAnswer(404, 'session-ended')
    this.#isWhole = answer.kind === 'json'
    const reading = { session: this.lease.session, signal: this.#ending.signal, deadlineMs: longestQuestionMs }
    this.#reader = new FrameReader(answer, reading)
    return undefined
  }

  #untilWoken(): Promise<'quiet'> {
    const { promise, resolve } = Promise.withResolvers<'quiet'>()
    this.#wake = () => resolve('quiet')
    return promise
  }

  async #next(withinMs: number): Promise<Frame | undefined | 'quiet'> {
    const woken = this.#untilWoken()
    if (this.#reader === undefined) {
      const ended = new AbortController()
      const quiet = sleep(withinMs, 'quiet' as const, { signal: ended.signal }).catch(() => 'quiet' as const)
      const begun = await Promise.race([this.#awaited, woken, quiet]).finally(() => ended.abort())
      if (begun === 'quiet') return begun
    }
    return this.#reader?.next(withinMs, woken)
  }

  /** What the transport looks for in the params. */
  #paramsSent(): Record<string, unknown> {
    const hasToken = metaOf(this.#asked.message)['progressToken'] !== undefined
    return hasToken ? { _meta: { progressToken: this.id } } : {}
  }

  #silent(): Fault {
    const fault = new Fault('upstream.timeout', 'the upstream did not answer in time')
    this.cancel(fault)
    return fault
  }

  #read(frame: Frame): Step | undefined {
    const message = readUpstreamMessage(frame.body)
    if (isProblem(message)) return undefined
    if (message.kind === 'response') {
      // SPEC: JSON-RPC 2.0, section 5: an error without an id answers what could not be read; here, this one request.
      if (message.id === this.id) return { kind: 'end', message }
      return message.id === undefined && this.#isWhole ? { kind: 'end', message: this.#underId(message) } : undefined
    }
    if (message.kind === 'request') return this.#readQuestion(message)
    if (message.method === 'notifications/progress') return this.#readProgress(message, frame)
    if (message.method === 'notifications/message') return this.#isWanted(message) ? { kind: 'note', frame } : undefined
    this.#needs.onNews(message)
    return undefined
  }

  #underId(message: Message): Message {
    const edit = memberEdit(message.text, [], 'id', JSON.stringify(this.id))
    return { ...withText(message, edit === undefined ? message.text : applyEdits(message.text, [edit])), id: this.id }
  }

  #readQuestion(message: Message): undefined {
    const key = `input-${(this.#asking += 1)}`
    const judged = judgeQuestion(message, key, { method: this.method, capabilities: this.#capabilities })
    if ('reply' in judged) {
      if (judged.refused !== undefined) this.#needs.onRefused(message.method ?? '', judged.refused)
      void this.#reply(message.id, judged.reply)
      return
    }
    const { session, isShared } = this.lease
    const isAmbiguous = session.isOneLine && isShared()
    if (!isAmbiguous && this.#needs.mayAsk(this)) {
      this.#questions.set(key, { id: message.id ?? '', request: judged.question })
      return
    }
    const says = isAmbiguous ? 'it cannot be told whose call this is about' : 'too many questions are open'
    void this.#reply(message.id, jsonRpcError(message.id, errorCodes.internalError, says))
  }

  /** INVARIANT: in a session of several clients a token is the id of its request; each client hears of its own alone. */
  #readProgress(message: Message, frame: Frame): Step | undefined {
    const token = metaOf(this.#asked.message)['progressToken']
    if (token === undefined || message.params?.['progressToken'] !== this.id) return undefined
    const span = spanOf(frame.body, ['params', 'progressToken'])
    if (span === undefined) return undefined
    return { kind: 'note', frame: { body: applyEdits(frame.body, [{ span, text: JSON.stringify(token) }]) } }
  }

  /** SPEC: 2026-07-28: log messages are sent to a request that asked for them, from its level on. */
  #isWanted(message: Message): boolean {
    const wanted = metaOf(this.#asked.message)[metaKeys.logLevel]
    const from = typeof wanted === 'string' ? levels.indexOf(wanted) : -1
    return from !== -1 && levels.indexOf(String(message.params?.['level'])) >= from
  }

  async #reply(id: string | number | undefined, text: string): Promise<void> {
    await this.lease.session.tell({ kind: 'response', ...(id === undefined ? {} : { id }) }, text, this.#ending.signal)
  }
}

/** Longest that a server waits for the answer to its question. */
export const longestQuestionMs = 10 * 60_000

/** WHY: servers that know a session no more are to answer 404, and many answer 400, to a request that they did not read. */
function isOfSession({ status, only }: UpstreamAnswer): boolean {
  if (status !== 400 || only === undefined) return false
  const message = readUpstreamMessage(only.body)
  return isProblem(message) || (message.kind === 'response' && message.id === undefined)
}

/**
 * Which of the messages of a server that speaks on one line for all answers which request?
 *
 * Stops: an answer reaching a request it does not belong to, noise on the line being taken for messages.
 * Trusts: the gateway to send no id twice at once; a second one is a Fault.
 * Fails: when the other side ends, every request in flight ends with its Fault.
 */
import { Fault } from '#kernel'
import {
  isObject,
  isProblem,
  metaKeys,
  readMessage,
  readUpstreamMessage,
  statusOfResponse,
  type Frame,
  type Message,
} from '#protocol'
import { FrameQueue } from './frame-queue.ts'
import {
  emptyAnswer,
  jsonAnswer,
  type EndSignal,
  type UpstreamAnswer,
  type UpstreamLimits,
  type UpstreamRequest,
} from './transport.ts'
import { progressWithToken, requestWithToken } from './progress-token.ts'

/** Messages kept for a stream that nobody has opened yet; the oldest go first. */
const maxWaitingMessages = 256

interface Pending {
  readonly id: string | number
  /** As the caller named it; to a shared server it is the request's id. */
  readonly progressToken: unknown
  readonly isSubscription: boolean
  /** What may still come of the answer. */
  bytesLeft: number
  /** Set once a message came before the answer. */
  queue: FrameQueue | undefined
  timer: NodeJS.Timeout | undefined
  readonly settle: (answer: UpstreamAnswer) => void
  readonly reject: (fault: Fault) => void
  readonly release: () => void
}

function metaOf(params: Record<string, unknown> | undefined): Record<string, unknown> {
  const meta = params?.['_meta']
  return isObject(meta) ? meta : {}
}

/** The other side of a conversation: takes messages one by one, sends its own over one line. */
export interface Peer {
  /** Whether nothing can be sent any more. */
  readonly isGone: boolean
  /** Throws, or rejects, with a Fault when the message cannot be delivered. */
  send(message: Buffer): void | Promise<void>
  /** Holds its messages back while a caller is slow. */
  hold(isHeld: boolean): void
  /** Ends it. Resolves when nothing of it is left. */
  stop(fault: Fault): Promise<void>
}

/** What the other side tells. */
export interface Hearing {
  onMessage(text: string): void
  /** Called once. */
  onEnd(fault: Fault): void
}

export interface ConversationOptions {
  readonly limits: UpstreamLimits
  /** Several of the owner's clients speak with this peer, each of them without a session. */
  readonly isShared: boolean
  readonly onEnd: () => void
}

/** The messages exchanged with one server. */
export class Conversation {
  readonly peer: Peer
  readonly #limits: UpstreamLimits
  readonly #isShared: boolean
  readonly #pending = new Map<string | number, Pending>()
  #news: FrameQueue | undefined
  #waiting: Frame[] = []
  #waitingBytes = 0
  /** Readers that hold the other side back. */
  readonly #slow = new Set<object>()

  /** @param begin starts the other side; it tells nothing before `begin` has returned */
  constructor({ limits, isShared, onEnd }: ConversationOptions, begin: (hearing: Hearing) => Peer) {
    this.#isShared = isShared
    this.#limits = limits
    this.peer = begin({
      onMessage: (text) => this.#receive(text),
      onEnd: (fault) => {
        for (const pending of this.#pending.values()) this.#fail(pending, fault)
        this.#news?.end()
        onEnd()
      },
    })
  }

  /** Whether an answer is being waited for. */
  get isAsked(): boolean {
    return this.#pending.size > 0
  }

  /** Whether something is being waited for or listened to. */
  get isBusy(): boolean {
    return this.isAsked || this.#news !== undefined
  }

  /** Sends a message and, if it is a request, waits until its answer starts. */
  async exchange(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { message, body } = request
    if (message === undefined || body === undefined) throw new Fault('upstream.misbehaved', 'there is nothing to send')
    if (request.signal.aborted) throw new Fault('upstream.cancelled', 'the exchange was cancelled')
    const { id } = message
    if (message.kind !== 'request' || id === undefined) {
      await this.peer.send(body)
      if (message.method === 'notifications/cancelled') this.#withdraw(body)
      return emptyAnswer(202)
    }
    if (this.#pending.has(id)) throw new Fault('upstream.duplicate-id', 'the request id is in flight')
    const answer = this.#await(request, id)
    const isRenamed = this.#isShared && this.#pending.get(id)?.progressToken !== undefined
    try {
      const sent = this.peer.send(isRenamed ? requestWithToken(body, id) : body)
      if (sent !== undefined) sent.catch((error: unknown) => this.#undelivered(id, error))
    } catch (error) {
      this.#pending.get(id)?.release()
      throw error
    }
    return answer
  }

  /** Opens the stream of messages that belong to no request; undefined while another reader has it. */
  listen(signal: EndSignal): UpstreamAnswer | undefined {
    if (this.#news !== undefined) return undefined
    const leave = () => queue.leave()
    const queue = new FrameQueue(this.#limits.maxQueuedBytes, {
      hold: (isHeld) => this.#hold(leave, isHeld),
      left: () => {
        signal.removeEventListener('abort', leave)
        this.#hold(leave, false)
        if (this.#news === queue) this.#news = undefined
      },
    })
    signal.addEventListener('abort', leave, { once: true })
    this.#news = queue
    for (const frame of this.#waiting) queue.push(frame)
    this.#waiting = []
    this.#waitingBytes = 0
    return { status: 200, kind: 'stream', frames: queue }
  }

  #await(request: UpstreamRequest, id: string | number): Promise<UpstreamAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<UpstreamAnswer>()
    const onAbort = () => this.#cancel(pending, request.era === 'modern', new Fault('upstream.cancelled', 'cancelled'))
    const pending: Pending = {
      id,
      progressToken: metaOf(request.message?.params)['progressToken'],
      isSubscription: request.message?.method === 'subscriptions/listen',
      bytesLeft: request.maxAnswerBytes ?? this.#limits.maxAnswerBytes,
      queue: undefined,
      timer: setTimeout(() => {
        const fault = new Fault('upstream.timeout', 'the upstream did not answer in time')
        this.#cancel(pending, request.message?.method !== 'initialize', fault)
      }, request.deadlineMs),
      settle: resolve,
      reject,
      release: () => {
        clearTimeout(pending.timer)
        request.signal.removeEventListener('abort', onAbort)
        this.#pending.delete(id)
      },
    }
    request.signal.addEventListener('abort', onAbort, { once: true })
    this.#pending.set(id, pending)
    return promise
  }

  #cancel(pending: Pending, isTold: boolean, fault: Fault): void {
    if (!this.#pending.has(pending.id)) return
    this.#fail(pending, fault)
    if (!isTold || this.peer.isGone) return
    const params = { requestId: pending.id, reason: fault.message }
    try {
      const cancelled = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
      void Promise.resolve(this.peer.send(Buffer.from(cancelled))).catch(() => undefined)
    } catch {
      // WHY: the other side is being ended for not reading; there is nobody to tell.
    }
  }

  #undelivered(id: string | number, error: unknown): void {
    const pending = this.#pending.get(id)
    const unreachable = (): Fault =>
      new Fault('upstream.unreachable', 'the message was not delivered', { cause: error })
    if (pending !== undefined) this.#fail(pending, error instanceof Fault ? error : unreachable())
  }

  #hold(queue: object, isHeld: boolean): void {
    if (isHeld) this.#slow.add(queue)
    else this.#slow.delete(queue)
    this.peer.hold(this.#slow.size > 0)
  }

  /** SPEC: a cancelled request is not answered, so nobody waits for its answer. */
  #withdraw(cancellation: Buffer): void {
    // WHY: the body names the request as the server knows it; the caller's own id is another one.
    const sent = readMessage(cancellation)
    const id = isProblem(sent) ? undefined : sent.params?.['requestId']
    const pending = typeof id === 'string' || typeof id === 'number' ? this.#pending.get(id) : undefined
    if (pending === undefined) return
    pending.release()
    pending.queue?.end()
    pending.settle(emptyAnswer(202, 'cancelled'))
  }

  #fail(pending: Pending, fault: Fault): void {
    pending.release()
    pending.reject(fault)
    pending.queue?.fail(fault)
  }

  #receive(line: string): void {
    const message = readUpstreamMessage(line)
    // WHY: servers print to their output by mistake; a line that is no message is nobody's.
    if (isProblem(message)) return
    if (message.kind === 'response') return this.#receiveResponse(message)
    const frame = { body: line }
    if (this.#isShared && message.kind === 'request') return
    const pending = this.#relatedTo(message)
    if (pending !== undefined) return this.#pushTo(pending, this.#asCaller(pending, message, frame))
    // WHY: a question is most likely about the call that is open, whose client waits; a stream of news may be about to close.
    const latest = message.kind === 'request' ? [...this.#pending.values()].at(-1) : undefined
    if (latest !== undefined) return this.#pushTo(latest, frame)
    if (this.#news !== undefined) return this.#news.push(frame)
    // WHY: a stream of news is one client's; without a session there is none.
    if (!this.#isShared) this.#keep(frame)
  }

  #receiveResponse(message: Message): void {
    const pending = message.id === undefined ? undefined : this.#pending.get(message.id)
    if (pending === undefined) return
    if (this.#isTooMuch(pending, message.text)) return
    pending.release()
    if (pending.queue === undefined) {
      return pending.settle(jsonAnswer(this.#isShared ? statusOfResponse(message.json) : 200, message.text))
    }
    pending.queue.push({ body: message.text })
    pending.queue.end()
  }

  /** Counts what came of an answer; one that becomes too large is ended. */
  #isTooMuch(pending: Pending, text: string): boolean {
    if (pending.isSubscription) return false
    pending.bytesLeft -= Buffer.byteLength(text)
    if (pending.bytesLeft >= 0) return false
    this.#cancel(pending, true, new Fault('upstream.answer-too-large', 'the answer exceeds the limit'))
    return true
  }

  #pushTo(pending: Pending, frame: Frame): void {
    if (this.#isTooMuch(pending, frame.body)) return
    if (pending.isSubscription) clearTimeout(pending.timer)
    else pending.timer?.refresh()
    if (pending.queue === undefined) {
      pending.queue = new FrameQueue(this.#limits.maxQueuedBytes, {
        hold: (isHeld) => this.#hold(pending, isHeld),
        left: () => {
          this.#hold(pending, false)
          if (this.#pending.get(pending.id) === pending) {
            this.#cancel(pending, false, new Fault('upstream.cancelled', 'nobody reads the answer'))
          }
        },
      })
      pending.settle({ status: 200, kind: 'stream', frames: pending.queue })
    }
    pending.queue.push(frame)
  }

  /** The request a message of the server belongs to: by progress token, by subscription, or the only call in flight. */
  #relatedTo(message: Message): Pending | undefined {
    const meta = metaOf(message.params)
    const subscription = meta[metaKeys.subscriptionId]
    if (typeof subscription === 'string' || typeof subscription === 'number') return this.#pending.get(subscription)
    if (message.method === 'notifications/progress') {
      const token = message.params?.['progressToken']
      const isNamed = (pending: Pending) => (this.#isShared ? pending.id : pending.progressToken) === token
      for (const pending of this.#pending.values()) {
        if (pending.progressToken !== undefined && isNamed(pending)) return pending
      }
      return undefined
    }
    const calls = [...this.#pending.values()].filter(({ isSubscription }) => !isSubscription)
    return calls.length === 1 ? calls[0] : undefined
  }

  #asCaller({ progressToken }: Pending, message: Message, frame: Frame): Frame {
    if (!this.#isShared || message.method !== 'notifications/progress') return frame
    return { ...frame, body: progressWithToken(frame.body, progressToken) }
  }

  #keep(frame: Frame): void {
    this.#waiting.push(frame)
    this.#waitingBytes += frame.body.length
    while (this.#waiting.length > maxWaitingMessages || this.#waitingBytes > this.#limits.maxQueuedBytes) {
      this.#waitingBytes -= this.#waiting.shift()?.body.length ?? 0
    }
  }
}

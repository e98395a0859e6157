/**
 * What does an upstream's HTTP response mean for the exchange?
 *
 * Stops: redirects, compressed bodies, answers beyond the ceilings, challenges of the upstream reaching the caller.
 * Trusts: nothing in the response but its framing.
 * Fails: rejects with a Fault before the first byte for the caller, or ends the frames with one after it.
 * @see MCP 2025-11-25 and 2026-07-28, Streamable HTTP
 */
import type { Dispatcher } from 'undici'
import type { IncomingHttpHeaders } from 'node:http'
import { Fault } from '#kernel'
import { createEventReader, type EventReader, type Frame } from '#protocol'
import type { ByteShare } from '../byte-share.ts'
import { EventRate } from '../event-rate.ts'
import { FrameQueue } from '../frame-queue.ts'
import type { Hop } from './hop.ts'
import type { Listening, SilenceWatch, Waited } from './silence.ts'
import {
  emptyAnswer,
  jsonAnswer,
  type HopProblem,
  type UpstreamAnswer,
  type UpstreamLimits,
  type UpstreamRequest,
} from '../transport.ts'

/** Body bytes read, and dropped, of an answer whose body means nothing: keeps the connection usable. */
const maxDroppedBytes = 64 * 1024

/** Bits of `#holds`. */
const slowCaller = 1
const fastUpstream = 2
const fullPlace = 4

const dripMs = 50
const longestShareMs = 1_000
/** What an event costs beside its bytes, in bytes. */
const eventBytes = 2 * 1024

type Reading = 'waiting' | 'stream' | 'whole' | 'dropped'

function misbehaved(says: string): Fault {
  return new Fault('upstream.misbehaved', says)
}

function tooLarge(): Fault {
  return new Fault('upstream.answer-too-large', 'the answer exceeds the limit')
}

function field(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

function typeOf(headers: IncomingHttpHeaders): string | undefined {
  const type = field(headers, 'content-type')
  return type === 'application/json' ? type : type?.split(';', 1)[0]?.trim().toLowerCase()
}

function hopProblemOf(status: number, request: UpstreamRequest): HopProblem | undefined {
  if (status === 401 || status === 403 || status === 407) return 'credentials-refused'
  if (status === 429 || status === 503) return 'overloaded'
  if (status === 404 && request.era === 'legacy' && request.sessionId !== undefined) return 'session-ended'
  return status >= 500 ? 'failed' : undefined
}

function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isUnreadable = code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW'
  if (isUnreadable) return new Fault('upstream.misbehaved', 'the upstream does not speak HTTP', { cause: error })
  return new Fault('upstream.unreachable', 'the upstream cannot be reached', { cause: error })
}

export interface Reader {
  readonly limits: UpstreamLimits
  readonly settings: { readonly current: { readonly eventsPerSecond: number; readonly answerMs: number } }
  readonly silence: SilenceWatch
  /** Bytes of all streams of the place. */
  readonly bytes: ByteShare
  /** Absent for what says nothing about the place, or is about it alone. */
  readonly hop?: Hop | undefined
}

/** Reads one response. `answer` settles once it is known what kind of answer it is. */
export class UpstreamResponse implements Dispatcher.DispatchHandler, Listening {
  readonly answer: Promise<UpstreamAnswer>
  readonly #request: UpstreamRequest
  readonly #limits: UpstreamLimits
  readonly #settings: Reader['settings']
  readonly #silence: SilenceWatch
  readonly #hop: Hop | undefined
  readonly #sharedBytes: ByteShare
  readonly #waited: Waited
  readonly #resolve: (answer: UpstreamAnswer | PromiseLike<UpstreamAnswer>) => void
  readonly #reject: (fault: Fault) => void
  readonly #isWaitingForNews: boolean
  readonly #onAbort = () => this.#stop(new Fault('upstream.cancelled', 'the exchange was cancelled'))
  #maxAnswerBytes: number
  #controller: Dispatcher.DispatchController | undefined
  #reading: Reading = 'waiting'
  #status = 0
  #sessionId: string | undefined
  #isJson = false
  #chunks: Buffer[] = []
  #bytes = 0
  #reader: EventReader | undefined
  #queue: FrameQueue | undefined
  #failure: Fault | undefined
  #rate: EventRate | undefined
  #rateTimer: NodeJS.Timeout | undefined
  #byteTimer: NodeJS.Timeout | undefined
  /** Events that came too fast. */
  #late: Frame[] = []
  /** Reasons to read nothing: the caller is slow, the upstream too fast. */
  #holds = 0
  #isReleased = false

  constructor(request: UpstreamRequest, { limits, settings, silence, hop, bytes }: Reader) {
    this.#request = request
    this.#limits = limits
    this.#settings = settings
    this.#silence = silence
    this.#hop = hop
    this.#sharedBytes = bytes
    const { promise, resolve, reject } = Promise.withResolvers<UpstreamAnswer>()
    this.answer = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#maxAnswerBytes = request.maxAnswerBytes ?? limits.maxAnswerBytes
    this.#isWaitingForNews = request.httpMethod === 'GET' || request.message?.method === 'subscriptions/listen'
    request.signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#waited = silence.begin(this)
    if (!this.#isWaitingForNews) hop?.begun()
  }

  get deadlineMs(): number {
    return this.#request.deadlineMs
  }

  get totalMs(): number {
    return this.#isWaitingForNews ? Number.POSITIVE_INFINITY : this.#settings.current.answerMs
  }

  onSilence(): void {
    this.#stop(new Fault('upstream.timeout', 'the upstream did not answer in time'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#failure !== undefined) controller.abort(this.#failure)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.#silence.heard(this.#waited)
    // WHY: what other kinds of success there are concerns this hop: 205 and 206 would make clients drop the body.
    this.#status = status > 204 && status < 300 ? 200 : status
    const problem = this.#problemOf(status, headers)
    if (problem !== undefined) return this.#stop(misbehaved(problem))
    this.#sessionId = field(headers, 'mcp-session-id')
    const type = typeOf(headers)
    const isDropped = hopProblemOf(status, this.#request) === 'credentials-refused' || status === 202 || status === 204
    this.#isJson = type === 'application/json' && !isDropped
    if (status === 200 && type === 'text/event-stream' && this.#request.httpMethod !== 'DELETE')
      return this.#openStream()
    this.#reading = this.#isJson ? 'whole' : 'dropped'
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxAnswerBytes && this.#reading !== 'dropped') return this.#stop(tooLarge())
    if (this.#reading === 'stream') return this.#readEvents(chunk)
    if (this.#reading === 'whole') this.#chunks.push(Buffer.from(chunk))
    const limit = this.#reading === 'whole' ? this.#limits.maxMessageBytes : maxDroppedBytes
    if (this.#bytes <= limit) return
    if (this.#reading === 'whole') return this.#stop(misbehaved('the answer exceeds the limit'))
    this.#settle()
    this.#controller?.abort(misbehaved('the rest of the body is not read'))
  }

  onResponseEnd(): void {
    this.#settle()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }

  /** Ends the exchange with whatever broke. */
  fail(error: unknown): void {
    this.#stop(this.#failure ?? faultOf(error))
  }

  #problemOf(status: number, headers: IncomingHttpHeaders): string | undefined {
    if (status >= 300 && status < 400) return 'the upstream answered with a redirect, which is not followed'
    if ((field(headers, 'content-encoding') ?? 'identity') !== 'identity') return 'the answer is compressed unasked'
    const sessionId = field(headers, 'mcp-session-id')
    if (sessionId !== undefined && !/^[\x21-\x7e]{1,1024}$/.test(sessionId))
      return 'the session id is not visible ASCII'
    return undefined
  }

  #openStream(): void {
    this.#reading = 'stream'
    this.#reader = createEventReader({ maxEventBytes: this.#limits.maxMessageBytes })
    this.#queue = new FrameQueue(this.#limits.maxQueuedBytes, {
      hold: (isHeld) => this.#hold(slowCaller, isHeld),
      left: () => this.#stop(new Fault('upstream.cancelled', 'nobody reads the answer')),
    })
    this.#rate = new EventRate(this.#settings.current.eventsPerSecond)
    if (this.#isWaitingForNews) {
      this.#silence.excuse(this.#waited)
      this.#maxAnswerBytes = Number.POSITIVE_INFINITY
      this.#hop?.answered(this.#status)
    }
    const sessionId = this.#sessionId === undefined ? {} : { sessionId: this.#sessionId }
    this.#resolve({ status: this.#status, kind: 'stream', frames: this.#queue, ...sessionId })
  }

  #hold(reason: number, isHeld: boolean): void {
    if (this.#reading !== 'stream' || this.#isReleased) return
    const before = this.#holds
    this.#holds = isHeld ? before | reason : before & ~reason
    if (isHeld) {
      // WHY: while it is held back, silence is not the upstream's.
      this.#silence.excuse(this.#waited)
      this.#controller?.pause()
      return
    }
    if (before === 0 || this.#holds !== 0) return
    this.#controller?.resume()
    if (!this.#isWaitingForNews) this.#silence.heard(this.#waited)
  }

  #readEvents(chunk: Buffer): void {
    try {
      const frames = this.#reader?.read(chunk) ?? []
      // WHY: bytes that complete no event are no sign of life: an upstream could send one in a while for ever.
      if (frames.length > 0 && !this.#isWaitingForNews && this.#holds === 0) this.#silence.heard(this.#waited)
      this.#keepPace(frames)
      this.#shareBytes(chunk.length + frames.length * eventBytes)
    } catch (error) {
      this.#stop(new Fault('upstream.misbehaved', 'an event exceeds the limit', { cause: error }))
    }
  }

  #keepPace(frames: Frame[]): void {
    const pace = this.#rate?.count(frames.length, this.#settings.current.eventsPerSecond)
    if (pace === undefined) return this.#pass(frames)
    if (pace === 'too-fast') return this.#stop(misbehaved('the upstream sends events faster than they are taken'))
    this.#pass(frames.slice(0, pace.atOnce))
    this.#late = frames.slice(pace.atOnce)
    this.#hold(fastUpstream, true)
    this.#drip()
  }

  /** INVARIANT: nobody is cut for this: the bytes may be those of another call to the same place. */
  #shareBytes(bytes: number): void {
    const holdMs = this.#sharedBytes.take(bytes, this.#settings.current.eventsPerSecond)
    if (holdMs === 0 || this.#isReleased) return
    this.#hold(fullPlace, true)
    clearTimeout(this.#byteTimer)
    this.#byteTimer = setTimeout(() => this.#hold(fullPlace, false), Math.min(longestShareMs, holdMs)).unref()
  }

  /** Passes on what came too fast, some at a time: all at once it would take the time that other callers need. */
  #drip(): void {
    const { eventsPerSecond } = this.#settings.current
    this.#rateTimer = setTimeout(() => {
      this.#pass(this.#late.splice(0, Math.ceil((eventsPerSecond * dripMs) / 1_000)))
      if (this.#late.length > 0) this.#drip()
      else this.#hold(fastUpstream, false)
    }, dripMs).unref()
  }

  #pass(frames: readonly Frame[]): void {
    let wasBare = false
    for (const frame of frames) {
      const isBare = frame.body === '' && frame.eventId === undefined && frame.retryMs === undefined
      // WHY: a comment says that the upstream is there; said many times in one breath it says no more.
      if (!isBare || !wasBare) this.#queue?.push(frame)
      wasBare = isBare
    }
  }

  /** The response is complete, or needs no more of its body. */
  #settle(): void {
    if (!this.#isReleased && !this.#isWaitingForNews) this.#hop?.answered(this.#status)
    this.#release()
    if (this.#queue !== undefined) {
      this.#pass(this.#late)
      return this.#queue.end()
    }
    const problem = hopProblemOf(this.#status, this.#request)
    if (!this.#isJson || this.#bytes === 0) return this.#resolve(this.#describe(emptyAnswer(this.#status), problem))
    const body = (this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks))?.toString('utf8') ?? ''
    this.#resolve(this.#describe(jsonAnswer(this.#status, body), problem))
  }

  #describe(answer: UpstreamAnswer, hopProblem: HopProblem | undefined): UpstreamAnswer {
    if (hopProblem === undefined && this.#sessionId === undefined) return answer
    return {
      ...answer,
      ...(hopProblem === undefined ? {} : { hopProblem }),
      ...(this.#sessionId === undefined ? {} : { sessionId: this.#sessionId }),
    }
  }

  /** Ends the exchange from this side. */
  #stop(fault: Fault): void {
    if (this.#failure === undefined) this.#failure = fault
    const isFirst = !this.#isReleased
    // WHY: a stream of news that was open may break off as it pleases.
    if (isFirst && !(this.#isWaitingForNews && this.#reading === 'stream')) this.#hop?.failed(fault)
    const repeated = isFirst && this.#status === 0 ? this.#repeat(fault) : undefined
    this.#release()
    if (repeated === undefined) this.#reject(fault)
    else this.#resolve(repeated)
    this.#queue?.fail(fault)
    if (this.#controller?.aborted === false) this.#controller.abort(fault)
  }

  /** The answer from elsewhere, when the exchange may be repeated. */
  #repeat(fault: Fault): Promise<UpstreamAnswer> | undefined {
    const elapsedMs = this.#silence.elapsedMs(this.#waited)
    const failure = { request: this.#request, fault, wasSent: this.#controller !== undefined, elapsedMs }
    try {
      return this.#hop?.repeat(failure)
    } catch {
      return undefined
    }
  }

  #release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    clearTimeout(this.#rateTimer)
    clearTimeout(this.#byteTimer)
    if (!this.#isWaitingForNews) this.#hop?.ended()
    this.#silence.end(this.#waited)
    this.#request.signal.removeEventListener('abort', this.#onAbort)
  }
}

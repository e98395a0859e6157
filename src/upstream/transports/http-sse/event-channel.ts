/**
 * One session with a server of 2024-11-05: its event stream, and where messages to it are posted.
 *
 * Stops: a server that sends our messages to another origin; redirects; events without end, or more than are taken; a
 * stream that names no endpoint in time.
 * Trusts: the record's URL; of what the server says, a path at that same origin.
 * Fails: `onEnd` is called once, with what broke.
 * @see MCP 2024-11-05, HTTP with SSE
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { Fault } from '#kernel'
import { createEventReader, type EventReader } from '#protocol'
import type { Hearing, Peer } from '../conversation.ts'
import type { HttpRoute } from '../http-routes.ts'
import { Pace, type PaceNeeds } from '../pace.ts'
import type { UpstreamLimits } from '../transport.ts'

/** The code of the Fault with which a channel ends that found no server of 2024-11-05. */
export const noEventStream = 'upstream.no-event-stream'

const userAgent = { 'user-agent': 'castellan' }
/** Longest time that a server may take to accept a message. */
const acceptMs = 300_000
const maxDroppedBytes = 64 * 1024

export interface EventChannelOptions extends Hearing {
  readonly url: string
  readonly route: HttpRoute
  readonly limits: UpstreamLimits
  readonly settings: PaceNeeds['settings']
}

/** Where messages go, as a path. @throws Fault for what does not lie at the stream's own origin */
function endpointAt(url: string, given: string): string {
  const stream = new URL(url)
  const endpoint = URL.parse(given, url)
  const isOurs = endpoint?.origin === stream.origin && endpoint.username === '' && endpoint.password === ''
  // INVARIANT: a server chooses a path at its own address and nothing else: anything more would let it aim our requests.
  if (!isOurs) throw new Fault('upstream.misbehaved', 'the endpoint for messages is at another origin')
  return endpoint.pathname + endpoint.search
}

function refusalOf(status: number): Fault {
  if (status === 404) return new Fault('upstream.session-ended', 'the server has forgotten the session')
  if (status === 401 || status === 403) {
    return new Fault('upstream.credentials-refused', 'the server refused a message for want of credentials')
  }
  return new Fault('upstream.misbehaved', `a message was refused with status ${status}`)
}

class EventChannel implements Peer, Dispatcher.DispatchHandler {
  readonly #options: EventChannelOptions
  readonly #endpoint = Promise.withResolvers<string>()
  readonly #over = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #reader: EventReader
  readonly #pace: Pace
  #controller: Dispatcher.DispatchController | undefined
  #hasEndpoint = false
  /** Events of other types in the bytes that are being read. */
  #others = 0

  constructor(options: EventChannelOptions) {
    this.#options = options
    this.#endpoint.promise.catch(() => undefined)
    const { maxMessageBytes: maxEventBytes, connectTimeoutMs } = options.limits
    this.#reader = createEventReader({ maxEventBytes, onOther: (type, data) => this.#learn(type, data) })
    this.#pace = new Pace({
      settings: options.settings,
      pause: () => this.#controller?.pause(),
      resume: () => this.#controller?.resume(),
      onTooFast: () =>
        this.#end(new Fault('upstream.misbehaved', 'the upstream sends events faster than they are taken')),
    })
    this.#timer = setTimeout(() => this.#end(new Fault(noEventStream, 'no endpoint in time')), connectTimeoutMs)
    const { path, streams } = options.route
    streams.dispatch({ method: 'GET', path, headers: { ...userAgent, accept: 'text/event-stream' } }, this)
  }

  get isGone(): boolean {
    return this.#over.signal.aborted
  }

  async send(message: Buffer): Promise<void> {
    const path = await this.#endpoint.promise
    this.#pace.expect()
    const headers = { ...userAgent, 'content-type': 'application/json', accept: 'application/json' }
    const accepted = AbortSignal.timeout(acceptMs)
    const signal = AbortSignal.any([this.#over.signal, accepted])
    let status: number
    try {
      const { calls } = this.#options.route
      const response = await calls.request({ method: 'POST', path, headers, body: message, signal })
      status = response.statusCode
      await response.body.dump({ limit: maxDroppedBytes })
    } catch (error) {
      if (this.isGone) throw this.#over.signal.reason
      if (accepted.aborted) throw new Fault('upstream.timeout', 'a message was not accepted in time')
      throw new Fault('upstream.unreachable', 'a message could not be delivered', { cause: error })
    }
    if (status >= 200 && status < 300) return
    const fault = refusalOf(status)
    // WHY: a server that does not know the session any more never answers on this stream.
    if (status === 404) this.#end(fault)
    throw fault
  }

  hold(isHeld: boolean): void {
    this.#pace.hold(isHeld)
  }

  async stop(fault: Fault): Promise<void> {
    this.#end(fault)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.isGone) controller.abort(this.#over.signal.reason as Fault)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    const type = String(headers['content-type']).split(';', 1)[0]?.trim().toLowerCase()
    const isPlain = (headers['content-encoding'] ?? 'identity') === 'identity'
    if (status === 200 && type === 'text/event-stream' && isPlain) return
    this.#end(new Fault(noEventStream, 'the server opens no event stream'))
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isGone) return
    try {
      this.#others = 0
      const frames = this.#reader.read(chunk)
      for (const { body } of frames) if (body !== '' && !this.isGone) this.#hear(body)
      this.#pace.count(frames.length + this.#others)
    } catch (error) {
      this.#end(new Fault('upstream.misbehaved', 'an event exceeds the limit', { cause: error }))
    }
  }

  onResponseEnd(): void {
    this.#broken(new Fault('upstream.unreachable', 'the server ended the event stream'))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#broken(new Fault('upstream.unreachable', 'the event stream broke off', { cause: error }))
  }

  #broken(fault: Fault): void {
    this.#end(this.#hasEndpoint ? fault : new Fault(noEventStream, fault.message, { cause: fault }))
  }

  #learn(type: string, data: string): void {
    this.#others += 1
    // SPEC: 2024-11-05: the endpoint comes first, once; a later one would move the session.
    if (type !== 'endpoint' || this.#hasEndpoint || this.isGone) return
    try {
      this.#endpoint.resolve(endpointAt(this.#options.url, data))
      this.#hasEndpoint = true
      clearTimeout(this.#timer)
    } catch (error) {
      this.#end(error as Fault)
    }
  }

  #hear(body: string): void {
    if (this.#hasEndpoint) return this.#options.onMessage(body)
    this.#end(new Fault(noEventStream, 'a message came before the endpoint'))
  }

  #end(fault: Fault): void {
    if (this.isGone) return
    clearTimeout(this.#timer)
    this.#over.abort(fault)
    this.#pace.end()
    this.#endpoint.reject(fault)
    if (this.#controller?.aborted === false) this.#controller.abort(fault)
    // WHY: whoever opens the channel is told after it has it.
    queueMicrotask(() => this.#options.onEnd(fault))
  }
}

/** Opens the event stream. Messages are held until the server has named its endpoint. */
export function openEventChannel(options: EventChannelOptions): Peer {
  return new EventChannel(options)
}

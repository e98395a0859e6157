/**
 * What is a legacy session told that belongs to no request of its own?
 *
 * Stops: a second listener on one session, news that a slow listener lets pile up, a change missed while the filter changes.
 * Trusts: the modern side to acknowledge what it will tell of before it tells anything else.
 * Fails: where there is no news to be had the answer is 405; a subscription that ends, ends the stream.
 * @see MCP 2025-11-25, listening for messages; 2026-07-28, subscriptions/listen
 */
import { Fault } from '#kernel'
import { type Frame, isObject, legacyNotification, mirroredHeaders, modernRequest } from '#protocol'
import { FrameQueue } from '../transports/frame-queue.ts'
import { emptyAnswer, type UpstreamAnswer, type UpstreamRequest } from '../transports/transport.ts'
import { brokenHop, type Face, heard, misbehaved, onward, written } from './face.ts'
import { envelopeOf, type FaceSession } from './sessions.ts'
import { type Stop, stopWith } from './stop.ts'

const listings = {
  toolsListChanged: 'tools',
  promptsListChanged: 'prompts',
  resourcesListChanged: 'resources',
} as const

const acknowledged = 'notifications/subscriptions/acknowledged'
/** Everything else that a subscription could bring is no news to a legacy client. */
const passed = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
])

function offers({ offered }: FaceSession, kind: string, what: string): boolean {
  const capability = offered[kind]
  return isObject(capability) && capability[what] === true
}

/** Whether the server tells of changes of single resources. */
export function canSubscribe(session: FaceSession): boolean {
  return offers(session, 'resources', 'subscribe')
}

function filterOf(session: FaceSession): Record<string, unknown> {
  const filter: Record<string, unknown> = {}
  for (const [name, kind] of Object.entries(listings)) if (offers(session, kind, 'listChanged')) filter[name] = true
  if (session.subscriptions.size > 0) filter['resourceSubscriptions'] = [...session.subscriptions]
  return filter
}

interface Listener {
  readonly face: Face
  readonly session: FaceSession
  readonly request: UpstreamRequest
}

interface Subscription {
  readonly stop: Stop
  readonly frames: AsyncIterator<Frame>
}

/** Resolves once the modern side has acknowledged the subscription. */
async function subscribe({ face, session, request }: Listener): Promise<Subscription | undefined> {
  const id = face.nextId()
  const params = { notifications: filterOf(session) }
  const question = written(JSON.stringify({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params }))
  const message = written(modernRequest(question, envelopeOf(session), id))
  const stop = stopWith([request.signal, session.ended])
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    stop.end()
  }, request.deadlineMs)
  try {
    const asked = onward(request, { message, headers: mirroredHeaders(message), signal: stop.signal })
    const answer = await face.exchange(asked)
    if (answer.hopProblem !== undefined) throw brokenHop(answer)
    const frames = answer.frames[Symbol.asyncIterator]()
    for (;;) {
      const next = answer.kind === 'stream' ? await frames.next() : { done: true as const }
      if (next.done === true) break
      if (heard(next.value.body)?.method === acknowledged) return { stop, frames }
    }
    stop.release()
    return undefined
  } catch (thrown) {
    stop.release()
    if (isLate) throw new Fault('upstream.timeout', 'the subscription was not acknowledged in time', { cause: thrown })
    throw thrown
  } finally {
    clearTimeout(timer)
  }
}

interface Gate {
  /** Resolves when the listener takes more. */
  open(): Promise<void>
  hold(isHeld: boolean): void
}

function createGate(): Gate {
  let held: PromiseWithResolvers<void> | undefined
  return {
    open: () => held?.promise ?? Promise.resolve(),
    hold(isHeld) {
      if (isHeld) held ??= Promise.withResolvers<void>()
      else {
        held?.resolve()
        held = undefined
      }
    },
  }
}

async function pump(
  subscription: Subscription,
  queue: FrameQueue,
  { gate, listener }: { gate: Gate; listener: Listener },
) {
  for (;;) {
    await gate.open()
    const next = await subscription.frames.next()
    const message = next.done === true ? undefined : heard(next.value.body)
    if (next.done === true || message?.kind === 'response') return
    if (message?.kind !== 'notification' || !passed.has(message.method ?? '')) continue
    if (message.method === 'notifications/tools/list_changed') listener.face.mirrors.forget(listener.session)
    queue.push({ body: legacyNotification(message) })
  }
}

class NewsStream {
  readonly queue: FrameQueue
  readonly #listener: Listener
  readonly #gate = createGate()
  readonly #leave = (): void => this.queue.leave()
  #current: Subscription | undefined
  #changing: Promise<void> | undefined
  #isStale = false

  constructor(listener: Listener) {
    this.#listener = listener
    const { face, session, request } = listener
    this.queue = new FrameQueue(face.limits.maxQueuedBytes, {
      hold: (isHeld) => this.#gate.hold(isHeld),
      left: () => {
        for (const signal of [request.signal, session.ended]) signal.removeEventListener('abort', this.#leave)
        this.#gate.hold(false)
        this.#end(this.#current)
        if (session.news === this) session.news = undefined
      },
    })
    for (const signal of [request.signal, session.ended]) signal.addEventListener('abort', this.#leave, { once: true })
  }

  /** INVARIANT: the new subscription is acknowledged before the old one ends: a change is told twice rather than never. */
  async begin(): Promise<boolean> {
    const next = await subscribe(this.#listener)
    if (next === undefined) return false
    const before = this.#current
    this.#current = next
    this.#end(before)
    const { session } = this.#listener
    if (session.news !== this) this.#end(next)
    const over = pump(next, this.queue, { gate: this.#gate, listener: this.#listener })
    void over
      .catch(() => undefined)
      .finally(() => {
        next.stop.release()
        if (this.#current === next) this.queue.end()
      })
    return true
  }

  /** Changes that come while one is under way are made together, after it. */
  async change(): Promise<void> {
    this.#isStale = true
    while (this.#isStale) {
      this.#changing ??= this.#changeNow().finally(() => (this.#changing = undefined))
      await this.#changing
    }
  }

  async #changeNow(): Promise<void> {
    this.#isStale = false
    if (!(await this.begin())) throw misbehaved('the subscription was not acknowledged')
  }

  #end(subscription: Subscription | undefined): void {
    subscription?.stop.end()
    subscription?.stop.release()
  }
}

/** Opens the session's stream of news. */
export async function openNews(face: Face, session: FaceSession, request: UpstreamRequest): Promise<UpstreamAnswer> {
  if (session.news !== undefined) return emptyAnswer(409)
  const isSilent = Object.keys(filterOf(session)).length === 0 && !canSubscribe(session)
  // SPEC: 2025-11-25, listening for messages: a server that offers no such stream says 405.
  if (isSilent) return emptyAnswer(405)
  const stream = new NewsStream({ face, session, request })
  session.news = stream
  try {
    if (await stream.begin()) return { status: 200, kind: 'stream', frames: stream.queue }
    stream.queue.leave()
    return emptyAnswer(405)
  } catch (thrown) {
    stream.queue.leave()
    throw thrown
  }
}

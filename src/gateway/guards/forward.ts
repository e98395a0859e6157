/**
 * Asks the upstream, once, as the gateway itself. Learns the answer, still unread.
 * Stops: the caller's token, cookies and request ids reaching the upstream: only listed headers and our own ids do.
 * Trusts: the transport's deadline and ceilings.
 * Fails: an unreachable, slow or misbehaving upstream is a refusal worded without its details.
 */
import { Fault, type Refusal } from '#kernel'
import { encodeHeaderValue, type Message, withId, withParams } from '#protocol'
import { emptyAnswer, type UpstreamAnswer, type UpstreamRequest, type Upstreams } from '#upstream'
import { type Arrival, headerOf } from '../arrival.ts'
import type { Guard } from '../checklist.ts'
import { Ending } from '../ending.ts'
import type { InFlight } from '../in-flight.ts'
import type { Travelled } from '../measure/trip.ts'
import type { Authorized } from './authorize-call.ts'
import type { Tasked } from './bind-handles.ts'
import { upstreamRefusal } from '../upstream-refusal.ts'
import type { Authenticated } from './authenticate-caller.ts'
import type { Session } from './bind-session.ts'
import type { Inbound } from './read-message.ts'
import type { Intended } from './record-intent.ts'
import type { Aim } from './resolve-target.ts'

export interface Forwarded {
  readonly answer: UpstreamAnswer
  /** The id that the answer carries; undefined when none is awaited. */
  readonly upstreamId: string | undefined
  /** Ends the exchange towards the upstream; its response may still come on a stream that is resumed. */
  readonly release: (mayResume: boolean) => void
}

export type Forwardable = Arrival &
  Authenticated &
  Inbound &
  Session &
  Aim &
  Intended &
  Travelled &
  Partial<Tasked & Authorized> & { readonly cut: Ending }

const modernOnly = /^mcp-(?:method|name|param-[!#$%&'*+.^_`|~0-9a-z-]+)$/

function protocolHeaders({ headers, era, lastEventId, trip, tasks }: Forwardable): Record<string, string> {
  const kept: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const place = trip.onward()
  if (place !== undefined) kept['traceparent'] = place
  const keep = (name: string): void => {
    const value = headerOf(headers, name)
    if (value !== undefined) kept[name] = value
  }
  keep('mcp-protocol-version')
  if (era === 'modern') for (const name in headers) if (modernOnly.test(name)) keep(name)
  if (tasks?.bound !== undefined && era === 'modern') kept['mcp-name'] = encodeHeaderValue(tasks.bound.upstreamId)
  return kept
}

interface Outgoing {
  readonly body: Buffer | undefined
  readonly message: Message | undefined
  readonly upstreamId: string | undefined
  readonly done: (mayResume: boolean) => void
}

const nothing = (): void => undefined

/** The message as the upstream gets it: our id instead of the client's, also inside a cancellation. */
function outgoing(known: Forwardable, inFlight: InFlight): Outgoing | 'nothing-to-cancel' {
  const { message, body } = known.agreed ?? known.tasks?.sent ?? known
  if (message === undefined || body === undefined) return { message, body, upstreamId: undefined, done: nothing }
  if (message.kind === 'request' && message.id !== undefined) {
    const opened = inFlight.open(known, message.id)
    return { body: withId(message, body, opened.upstreamId), message, ...opened }
  }
  if (message.method !== 'notifications/cancelled') return { body, message, upstreamId: undefined, done: nothing }
  const requestId = inFlight.find(known, message.params?.['requestId'])
  if (requestId === undefined) return 'nothing-to-cancel'
  inFlight.endSoon(requestId)
  const renamed = Buffer.from(withParams(message, { ...message.params, requestId }))
  return { body: renamed, message, upstreamId: undefined, done: nothing }
}

/** SPEC: in 2026-07-28 a closed response stream is a cancellation; before it, hanging up is not. */
function endOf({ era, httpMethod, cut, onHangUp }: Forwardable): Ending {
  if (era === 'legacy' && httpMethod !== 'GET') return cut
  const ended = new Ending()
  const end = (): void => ended.end()
  if (cut.aborted) end()
  cut.addEventListener('abort', end)
  onHangUp(end)
  return ended
}

interface Ceilings {
  readonly deadlineMs: number
  readonly limits: { readonly answerBytes: number }
}

function requestFor(known: Forwardable, out: Outgoing, { deadlineMs, limits }: Ceilings): UpstreamRequest {
  const { httpMethod, upstream, principal, era, upstreamSessionId } = known
  const { message, body, upstreamId } = out
  return {
    upstream,
    ownerId: principal.id,
    era,
    httpMethod: httpMethod as UpstreamRequest['httpMethod'],
    sessionId: upstreamSessionId,
    message:
      message === undefined
        ? undefined
        : { kind: message.kind, method: message.method, params: message.params, id: upstreamId },
    body,
    headers: protocolHeaders(known),
    signal: endOf(known),
    deadlineMs,
    maxAnswerBytes: limits.answerBytes,
  }
}

export function forward(
  upstreams: Pick<Upstreams, 'exchange'>,
  inFlight: InFlight,
  settings: { readonly current: Ceilings },
): Guard<Forwardable, Forwarded> {
  return {
    name: 'forward',
    async check(known): Promise<Forwarded | Refusal> {
      const out = outgoing(known, inFlight)
      if (out === 'nothing-to-cancel') {
        // WHY: a cancellation of nothing is accepted and goes nowhere.
        return { answer: emptyAnswer(202), upstreamId: undefined, release: nothing }
      }
      const { trip } = known
      const release = (mayResume: boolean): void => {
        trip.answered()
        out.done(mayResume)
      }
      trip.asked()
      known.oldWire?.accepted()
      try {
        const answer = await upstreams.exchange(requestFor(known, out, settings.current))
        return { answer, upstreamId: out.upstreamId, release }
      } catch (thrown) {
        release(false)
        if (thrown instanceof Fault) return upstreamRefusal(thrown, known.upstream.name)
        throw thrown
      }
    },
  }
}

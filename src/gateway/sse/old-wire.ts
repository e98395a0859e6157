/**
 * The client face of 2024-11-05: `GET /servers/<name>/sse` opens an event stream, messages are posted to
 * `/servers/<name>/messages`. Both are the same resource as `/servers/<name>/mcp`.
 * Stops: a way around a guard: the stream and each message are exchanges of their own, through the same lists.
 * Trusts: nothing of a client's session and position headers, which this revision has not.
 * Fails: a message for a stream that is not there is answered 404; with the stream its session ends.
 * @see MCP 2024-11-05, HTTP with SSE
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, createId, type Principal } from '#kernel'
import type { Arrival, OldWire } from '../arrival.ts'
import type { RefusedExchange } from '../refuse.ts'
import { type Exit, httpExit, type Sending, type Sent } from '../respond.ts'
import type { Channel } from './channel.ts'
import type { Channels } from './channels.ts'
import { Posted } from './posted.ts'
import { type Position, pump, type Pumped } from './pump.ts'

type Exchange = (arrival: Arrival, exit: Exit) => Promise<void>

export interface OldWireRooms {
  readonly clock: Clock
  readonly channels: Channels
  readonly arrivalOf: (req: IncomingMessage, res: ServerResponse, serverName: string) => Arrival
  /** Opens an event stream. */
  readonly open: Exchange
  /** Answers one message. */
  readonly pass: Exchange
  /** Counts an exchange that no request waits for until it ends. */
  readonly follow: (answered: Promise<void>) => void
}

const oldPath = /^\/servers\/([a-z][a-z0-9-]{0,30})\/(sse|messages)$/
const bothTypes = 'application/json, text/event-stream'
/** Streams in a row that brought nothing, after which no more is fetched. */
const mostVain = 5
const pauseMs = 1_000
const leastPauseMs = 50

const noChannel: Readonly<OldWire> = {
  method: 'GET',
  bind: () => ({ sessionId: undefined }),
  accepted: () => undefined,
}

function withoutSession({ 'mcp-session-id': _session, 'last-event-id': _event, ...headers }: IncomingHttpHeaders) {
  return headers
}

/** What a client says of itself with every request; for one that is made in its name. */
function selfOf({ authorization, host, origin, 'mcp-protocol-version': version }: IncomingHttpHeaders) {
  const told = { authorization, host, origin, 'mcp-protocol-version': version, accept: 'text/event-stream' }
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined))
}

/** Takes the stream of messages that belong to no request. */
class NewsExit implements Exit {
  pumped: Pumped | undefined
  readonly #channel: Channel

  constructor(channel: Channel) {
    this.#channel = channel
  }

  async answer(sending: Sending): Promise<Sent> {
    const { safeResult } = sending
    if (safeResult.kind !== 'stream') return { bytes: 0, isDelivered: false }
    this.pumped = await pump(safeResult.frames, this.#channel, sending)
    return this.pumped
  }

  refuse(_refused: RefusedExchange): void {}

  destroy(): void {}
}

/** Makes the function that serves the two paths; it leaves any other alone. */
export function createOldWire(
  rooms: OldWireRooms,
): (req: IncomingMessage, res: ServerResponse) => Promise<void> | undefined {
  const { clock, channels, arrivalOf, open, pass, follow } = rooms

  function newsArrival(channel: Channel, post: Arrival, from: Position | undefined): Arrival {
    const { principal: owner } = channel.belongs
    const bind = ({ id }: Principal) => (id === owner.id ? { sessionId: channel.sessionId } : undefined)
    return {
      ...post,
      exchangeId: createId(clock.now()),
      httpMethod: 'GET',
      headers: { ...selfOf(post.headers), ...(from === undefined ? {} : { 'last-event-id': from.lastEventId }) },
      readBody: () => Promise.resolve('aborted'),
      oldWire: { ...noChannel, bind },
      onHangUp: (left) => (channel.over.aborted ? left() : channel.over.addEventListener('abort', left)),
    }
  }

  /** Goes on from stream to stream: for news until the event stream is over, else until the missing answer came. */
  async function bringNews(channel: Channel, post: Arrival, from: Position | undefined): Promise<void> {
    let position = from
    for (let vain = 0; vain < mostVain && !channel.over.aborted;) {
      const waitMs = position === undefined ? 0 : (position.retryMs ?? pauseMs)
      if (vain > 0 || waitMs > 0) await sleep(Math.max(leastPauseMs, waitMs), undefined, { ref: false })
      const exit = new NewsExit(channel)
      await pass(newsArrival(channel, post, position), exit)
      if (exit.pumped === undefined || (from !== undefined && exit.pumped.hasResponse)) return
      vain = exit.pumped.bytes > 0 ? 0 : vain + 1
      position = exit.pumped.position ?? position
    }
  }

  function serveMessage(arrival: Arrival, res: ServerResponse, sealed: string): Promise<void> {
    const post = { ...arrival, headers: { ...withoutSession(arrival.headers), accept: bothTypes } }
    const posted = new Posted({
      res,
      find: (principal) => channels.find(arrival.serverName, principal, sealed),
      adopt: channels.adopt,
      listen(channel, from) {
        if (from === undefined) channel.isListening = true
        follow(bringNews(channel, post, from))
      },
    })
    return pass({ ...post, oldWire: posted, mayBatch: false }, posted).finally(() => posted.close())
  }

  return (req, res) => {
    const [path = '', query] = (req.url ?? '').split('?', 2)
    const [, serverName, part] = oldPath.exec(path) ?? []
    if (serverName === undefined) return undefined
    const arrival = arrivalOf(req, res, serverName)
    const sealed = new URLSearchParams(query).get('channel') ?? ''
    if (part === 'messages') return serveMessage(arrival, res, sealed)
    return open({ ...arrival, headers: withoutSession(arrival.headers), oldWire: { ...noChannel } }, httpExit(res))
  }
}

/**
 * One message of a client of 2024-11-05: accepted where it was posted, answered on the event stream.
 * Stops: an answer on a stream that is not its sender's; a refusal that is told before it is on record.
 * Trusts: the same lists of guards that judge a message to a server's own path.
 * Fails: what is refused before it was accepted has the refusal's status; a request is answered in any case.
 * @see MCP 2024-11-05, HTTP with SSE
 */
import type { ServerResponse } from 'node:http'
import type { Principal } from '#kernel'
import type { OldWire } from '../arrival.ts'
import { answerRefusal, type RefusedExchange, underId, wordRefusal } from '../refuse.ts'
import type { Exit, Sending, Sent } from '../respond.ts'
import type { Channel } from './channel.ts'
import { type Position, pump } from './pump.ts'

export interface PostedOptions {
  readonly res: ServerResponse
  readonly find: (principal: Principal) => Channel | undefined
  readonly adopt: (channel: Channel, sessionId: string) => void
  /** Fetches messages that belong to no request; from a position, the rest of an answer that broke off there. */
  readonly listen: (channel: Channel, from?: Position) => void
}

const inBand = 200
const undelivered: Sent = { bytes: 0, isDelivered: false }

export class Posted implements Exit, OldWire {
  readonly method = 'POST'
  readonly #options: PostedOptions
  #channel: Channel | undefined

  constructor(options: PostedOptions) {
    this.#options = options
  }

  bind(principal: Principal): { readonly sessionId: string | undefined } | undefined {
    this.#channel = this.#options.find(principal)
    this.#channel?.enter()
    return this.#channel === undefined ? undefined : { sessionId: this.#channel.sessionId }
  }

  accepted(): void {
    const { res } = this.#options
    if (res.headersSent || res.destroyed) return
    res.writeHead(202, { 'content-length': 0, 'cache-control': 'no-store' }).end()
  }

  refuse(refused: RefusedExchange): void {
    const { res } = this.#options
    const { wire, body } = wordRefusal(refused)
    const channel = this.#channel
    if (!res.headersSent && (wire.status !== inBand || channel === undefined)) return answerRefusal(res, refused)
    this.accepted()
    if (refused.messageId !== undefined) void channel?.deliver(body)
  }

  async answer(sending: Sending): Promise<Sent> {
    this.accepted()
    const channel = this.#channel
    if (channel === undefined) return undelivered
    const { safeResult, messageId } = sending
    const { adopt, listen } = this.#options
    // WHY: a handshake is over when the client says so, with the message after it.
    if (channel.sessionId !== undefined && safeResult.sessionId === undefined && !channel.isListening) listen(channel)
    if (safeResult.sessionId !== undefined) adopt(channel, safeResult.sessionId)
    if (safeResult.kind === 'stream') {
      const pumped = await pump(safeResult.frames, channel, sending)
      if (safeResult.verdict.outcome === undefined && pumped.position !== undefined) listen(channel, pumped.position)
      return pumped
    }
    const body = underId(safeResult, messageId)
    const isDelivered = body === '' || (await channel.deliver(body))
    // WHY: in this revision the stream is the session; a client learns from its end that there is none any more.
    if (safeResult.status === 404) channel.end()
    return { bytes: Buffer.byteLength(body), isDelivered }
  }

  destroy(): void {
    this.#options.res.destroy()
  }

  /** The exchange is over. */
  close(): void {
    this.#channel?.leave()
  }
}

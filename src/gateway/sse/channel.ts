/**
 * One event stream of 2024-11-05: what goes to its client, and the session that lives as long as it.
 * Stops: a session that outlives the stream it belongs to.
 * Trusts: nothing; it holds what others decided.
 * Fails: see `outbox.ts`.
 * @see MCP 2024-11-05, HTTP with SSE
 */
import type { Principal } from '#kernel'
import type { UpstreamRecord } from '#upstream'
import { Outbox } from './outbox.ts'

/** Whose stream it is, and what it leads to. */
export interface Belonging {
  readonly principal: Principal
  readonly serverName: string
  readonly upstream: UpstreamRecord
}

export class Channel extends Outbox {
  readonly belongs: Belonging
  /** As the client would name it elsewhere; undefined until a handshake opened one. */
  sessionId: string | undefined
  /** Whether messages that belong to no request are being fetched. */
  isListening = false

  #posted = 0
  #isFinishing = false

  constructor(belongs: Belonging) {
    super()
    this.belongs = belongs
  }

  /** A message was posted. */
  enter(): void {
    this.#posted += 1
  }

  /** The exchange of a message is over. */
  leave(): void {
    this.#posted -= 1
    if (this.#isFinishing) this.finish()
  }

  /** Ends the stream once no message that was posted for it waits for its answer. */
  finish(): void {
    this.#isFinishing = true
    if (this.#posted === 0) this.end()
  }
}

/**
 * What waits for a client that reads one stream, from several that write to it.
 * Stops: a client that reads slowly from filling the memory: who writes waits.
 * Trusts: whoever delivers, to deliver what was inspected.
 * Fails: what is delivered after its end is dropped, and whoever delivers is told.
 */
import type { Frame } from '#protocol'
import { FrameQueue } from '#upstream'
import { Ending } from '../ending.ts'

/** Bytes that wait for a slow client before those who deliver have to wait, too. */
const maxQueuedBytes = 1024 * 1024

export class Outbox {
  /** Ended when nothing more is taken. */
  readonly over = new Ending()
  readonly #queue: FrameQueue
  #room: Promise<void> = Promise.resolve()
  #makeRoom: (() => void) | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor() {
    this.#queue = new FrameQueue(maxQueuedBytes, { hold: (isHeld) => this.#hold(isHeld), left: () => this.end() })
  }

  /** Puts a message on the stream, after those before it, once there is room. @returns false when the stream is over */
  deliver(body: string): Promise<boolean> {
    const delivered = this.#last.then(async () => {
      await this.#room
      if (this.over.aborted) return false
      this.#queue.push({ body })
      return true
    })
    this.#last = delivered
    return delivered
  }

  /** The stream, to be read once. Left early, it is over. */
  async *frames(...first: readonly Frame[]): AsyncGenerator<Frame> {
    try {
      yield* first
      yield* this.#queue
    } finally {
      this.end()
    }
  }

  /** What was delivered is still read. */
  end(): void {
    if (this.over.aborted) return
    this.over.end()
    this.#queue.end()
    this.#makeRoom?.()
  }

  #hold(isHeld: boolean): void {
    this.#makeRoom?.()
    if (isHeld) this.#room = new Promise((resolve) => (this.#makeRoom = resolve))
  }
}

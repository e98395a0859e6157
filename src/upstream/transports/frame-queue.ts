/**
 * Frames between an upstream that sends and a caller that reads, one reader.
 *
 * Stops: an upstream that sends faster than the caller reads from filling the memory: the source is held back.
 * Trusts: the source to stop when it is held back.
 * Fails: the reader gets every frame queued before a failure, then the failure.
 */
import type { Fault } from '#kernel'
import type { Frame } from '#protocol'

/** What a frame takes beside its text: comments without one fill the memory too. */
const frameBytes = 64

function bytesOf({ body }: Frame): number {
  return body.length + frameBytes
}

export interface FrameSource {
  /** Called when the queue holds more than its limit, and again with false when it was read. */
  hold(isHeld: boolean): void
  /** Called once, when nobody will read any more. */
  left(): void
}

/** A queue that is read with `for await`. */
export class FrameQueue implements AsyncIterable<Frame> {
  readonly #maxQueuedBytes: number
  readonly #source: FrameSource
  #frames: Frame[] = []
  #queuedBytes = 0
  #isHeld = false
  #isEnded = false
  #isLeft = false
  #failure: Fault | undefined
  #wake: (() => void) | undefined

  constructor(maxQueuedBytes: number, source: FrameSource) {
    this.#maxQueuedBytes = maxQueuedBytes
    this.#source = source
  }

  push(frame: Frame): void {
    if (this.#isEnded) return
    this.#frames.push(frame)
    this.#queuedBytes += bytesOf(frame)
    if (!this.#isHeld && this.#queuedBytes > this.#maxQueuedBytes) {
      this.#isHeld = true
      this.#source.hold(true)
    }
    this.#wake?.()
  }

  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  fail(failure: Fault): void {
    if (this.#isEnded) return
    this.#failure = failure
    this.end()
  }

  /** Nobody will read: drops what is queued and tells the source. */
  leave(): void {
    if (this.#isLeft) return
    this.#isLeft = true
    this.#isEnded = true
    this.#frames = []
    this.#source.left()
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Frame> {
    try {
      for (;;) {
        const frames = this.#frames
        this.#frames = []
        for (const frame of frames) {
          this.#queuedBytes -= bytesOf(frame)
          if (this.#isHeld && this.#queuedBytes <= this.#maxQueuedBytes / 2) {
            this.#isHeld = false
            this.#source.hold(false)
          }
          yield frame
        }
        if (this.#frames.length > 0) continue
        if (this.#isEnded) break
        await new Promise<void>((resolve) => (this.#wake = resolve))
        this.#wake = undefined
      }
      if (this.#failure !== undefined) throw this.#failure
    } finally {
      this.leave()
    }
  }
}

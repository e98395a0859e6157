/**
 * Which upstreams have said nothing for too long, or have been at one answer for too long?
 *
 * Stops: an exchange that waits for ever; a timer of its own for every call.
 * Trusts: whoever listens, to say when something was heard.
 * Fails: late by two ticks at most, never early; a process that stood still counts the time it stood as short.
 */
import { type Place, Roll } from '#kernel'

const everyMs = 100

/** Somebody who waits for an upstream to say something. */
export interface Listening {
  readonly deadlineMs: number
  /** Longest time in all, however much is heard. */
  readonly totalMs: number
  /** Called once; the listening is over. */
  onSilence(): void
}

interface Waiting {
  readonly listening: Listening
  readonly beganAtTick: number
  /** Set to infinity while the silence is not the upstream's. */
  heardAtTick: number
}

export type Waited = Place<Waiting>

/** One clock for all exchanges. */
export class SilenceWatch {
  readonly #roll = new Roll<Waiting>()
  #tick = 0
  #timer: NodeJS.Timeout | undefined

  begin(listening: Listening): Waited {
    this.#timer ??= setInterval(() => this.#look(), everyMs).unref()
    return this.#roll.enter({ listening, beganAtTick: this.#tick, heardAtTick: this.#tick })
  }

  /** Something was heard: the time begins anew. */
  heard({ thing }: Waited): void {
    thing.heardAtTick = this.#tick
  }

  /** Until something is heard again, silence does not count. */
  excuse({ thing }: Waited): void {
    thing.heardAtTick = Number.POSITIVE_INFINITY
  }

  /** Since it began, to the tick. */
  elapsedMs({ thing }: Waited): number {
    return (this.#tick - thing.beganAtTick) * everyMs
  }

  end(waited: Waited): void {
    this.#roll.leave(waited)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#tick += 1
    for (const waited of this.#roll.list()) {
      const { listening, heardAtTick, beganAtTick } = waited.thing
      // WHY: the tick in which it was heard last was not a whole one.
      const isSilent = (this.#tick - heardAtTick - 1) * everyMs >= listening.deadlineMs
      if (!isSilent && (this.#tick - beganAtTick - 1) * everyMs < listening.totalMs) continue
      this.#roll.leave(waited)
      listening.onSilence()
    }
  }
}

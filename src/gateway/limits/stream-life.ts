/**
 * Has this stream that waits for news been open for too long, or too long without being used?
 * Stops: streams that nobody reads holding room for ever; a stream that outlives what a session may last.
 * Trusts: ticks, counted by whoever looks: a wall clock that jumps neither ends a stream nor lets one live.
 * Fails: nothing here can fail; a stream that ends is opened again by a client that is still there.
 * @see ASVS 7.3.1, 7.3.2; docs/decisions/0040-what-ends-an-open-stream.md
 */
import { refuse, type Refusal } from '#kernel'
import { gatewayRefusals } from '../refusals.ts'

/** How much of one stream was used, as whoever sends it counts. */
export interface StreamUse {
  messages: number
}

/** Requests of one credential, as far as its streams care. */
interface Credential {
  streams: number
  askedAtTick: number
}

/** One open stream. */
export interface StreamLife {
  readonly credentialId: string
  readonly use: StreamUse
  readonly openedAtTick: number
  seen: number
  usedAtTick: number
}

export interface StreamLives {
  begin(credentialId: string, use: StreamUse, tick: number): StreamLife
  end(life: StreamLife): void
  /** A credential asked for something; that is use of its streams. Costs nothing while none is open. */
  asked(credentialId: string, tick: number): void
  /** Why the stream ends at this tick. */
  over(life: StreamLife, tick: number): Refusal | undefined
}

interface LifeSettings {
  readonly current: {
    readonly limits: { readonly openStreamSeconds: number; readonly openStreamIdleSeconds: number }
  }
}

/** @param everyMs between two ticks */
export function createStreamLives(settings: LifeSettings, everyMs: number): StreamLives {
  const credentials = new Map<string, Credential>()
  // WHY: the tick in which it began was not a whole one.
  const ticksOf = (seconds: number): number => 1 + (seconds * 1_000) / everyMs

  function lastUsed(life: StreamLife, tick: number): number {
    if (life.use.messages !== life.seen) {
      life.seen = life.use.messages
      life.usedAtTick = tick
    }
    return Math.max(life.usedAtTick, credentials.get(life.credentialId)?.askedAtTick ?? 0)
  }

  return {
    begin(credentialId, use, tick) {
      const credential = credentials.get(credentialId) ?? { streams: 0, askedAtTick: tick }
      credential.streams += 1
      credentials.set(credentialId, credential)
      return { credentialId, use, openedAtTick: tick, seen: use.messages, usedAtTick: tick }
    },
    end({ credentialId }) {
      const credential = credentials.get(credentialId)
      if (credential === undefined) return
      credential.streams -= 1
      if (credential.streams === 0) credentials.delete(credentialId)
    },
    asked(credentialId, tick) {
      if (credentials.size === 0) return
      const credential = credentials.get(credentialId)
      if (credential !== undefined) credential.askedAtTick = tick
    },
    over(life, tick) {
      const { openStreamSeconds, openStreamIdleSeconds } = settings.current.limits
      if (tick - life.openedAtTick >= ticksOf(openStreamSeconds)) {
        return refuse(gatewayRefusals.streamTooLong, { names: { limit: String(openStreamSeconds) } })
      }
      if (tick - lastUsed(life, tick) < ticksOf(openStreamIdleSeconds)) return undefined
      return refuse(gatewayRefusals.streamIdle, { names: { limit: String(openStreamIdleSeconds) } })
    },
  }
}

/**
 * May this exchange begin, wait for its turn, or is it one too many?
 * Stops: one person taking all connections of an upstream, and open streams filling the process.
 * Trusts: whoever ends an exchange to end its turn.
 * Fails: calls beyond a person's share of an upstream wait in line; beyond the line, and streams beyond their ceilings,
 * are refused before the upstream is asked.
 */
import { refuse, type Refusal } from '#kernel'
import type { EndSignal } from '#upstream'
import { gatewayRefusals } from '../refusals.ts'

/** Calls that one person may have open at one upstream: a quarter of the connections that it is given. */
export const mostOpenCalls = 32
/** Calls of one person to one upstream that may wait for their turn. */
export const mostWaitingCalls = 96
const longestWaitMs = 30_000
const lookEveryMs = 250
const callRetrySeconds = 1
const streamRetrySeconds = 5

/** What an exchange holds while it is open. */
export interface Turn {
  /** Makes room for the next. Called once. */
  end(): void
}

export interface CallOf {
  readonly principalId: string
  readonly upstream: string
  /** `asked` waits for an answer; `told` is what must get through while all else waits: notices, replies, endings. */
  readonly kind: 'asked' | 'told'
  /** Aborted when the exchange ends while it waits. */
  readonly cut: Pick<EndSignal, 'aborted'>
}

export interface Turns {
  /** A stream that waits for news: refused at the person's ceiling and at the process's. */
  openStream(principalId: string): Turn | Refusal
  /** A call: at once, or after others of the same person to the same upstream. */
  openCall(call: CallOf): Turn | Refusal | Promise<Turn | Refusal>
  /** Streams that wait for news, of everybody. */
  streamCount(): number
  close(): void
}

interface TurnSettings {
  readonly current: { readonly limits: { readonly openStreams: number; readonly openStreamsPerPrincipal: number } }
}

function tooManyCalls(cause: string): Refusal {
  return refuse(gatewayRefusals.tooManyCalls, { retryAfterSeconds: callRetrySeconds, detail: { cause } })
}

interface Waiting {
  readonly cut: CallOf['cut']
  readonly begin: (turn: Turn | Refusal) => void
  readonly untilTick: number
}

/** The calls of one person to one upstream. Their turns are alike, so that the line itself stands for each of them. */
class Line implements Turn {
  readonly #onEmpty: () => void
  #open = 0
  #waiting: Waiting[] = []

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty
  }

  take(cut: CallOf['cut'], tick: number): Turn | Refusal | Promise<Turn | Refusal> {
    if (this.#open < mostOpenCalls) {
      this.#open += 1
      return this
    }
    if (this.#waiting.length >= mostWaitingCalls) return tooManyCalls('the line is full')
    const untilTick = tick + longestWaitMs / lookEveryMs
    return new Promise((begin) => {
      this.#waiting.push({ cut, begin, untilTick })
    })
  }

  end(): void {
    // INVARIANT: a place goes to the next one as it is, so that nobody steps in between.
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (!next.cut.aborted) return next.begin(this)
      next.begin(tooManyCalls('cut while waiting'))
    }
    this.#open -= 1
    if (this.#open === 0) this.#onEmpty()
  }

  sendAwayLate(tick: number): void {
    if (this.#waiting.length === 0) return
    const isLate = ({ cut, untilTick }: Waiting): boolean => cut.aborted || untilTick <= tick
    const late = this.#waiting.filter(isLate)
    this.#waiting = this.#waiting.filter((each) => !isLate(each))
    for (const { begin } of late) begin(tooManyCalls('no turn in time'))
  }
}

function createLines() {
  const lines = new Map<string, Line>()
  let tick = 0
  const looker = setInterval(() => {
    tick += 1
    for (const line of lines.values()) line.sendAwayLate(tick)
  }, lookEveryMs).unref()
  return {
    openCall({ principalId, upstream, kind, cut }: CallOf) {
      const key = `${kind} ${upstream} ${principalId}`
      let line = lines.get(key)
      if (line === undefined) {
        line = new Line(() => lines.delete(key))
        lines.set(key, line)
      }
      return line.take(cut, tick)
    },
    close: () => clearInterval(looker),
  }
}

function createStreams(settings: TurnSettings) {
  const byPerson = new Map<string, number>()
  let open = 0

  function close(principalId: string): void {
    open -= 1
    const left = (byPerson.get(principalId) ?? 1) - 1
    if (left === 0) byPerson.delete(principalId)
    else byPerson.set(principalId, left)
  }

  return {
    openStream(principalId: string): Turn | Refusal {
      const { openStreams, openStreamsPerPrincipal } = settings.current.limits
      const own = byPerson.get(principalId) ?? 0
      const retryAfterSeconds = streamRetrySeconds
      if (own >= openStreamsPerPrincipal) {
        const names = { limit: String(openStreamsPerPrincipal) }
        return refuse(gatewayRefusals.tooManyStreams, { names, retryAfterSeconds })
      }
      if (open >= openStreams) {
        return refuse(gatewayRefusals.streamsFull, { detail: { limit: openStreams }, retryAfterSeconds })
      }
      open += 1
      byPerson.set(principalId, own + 1)
      return { end: () => close(principalId) }
    },
    streamCount: () => open,
  }
}

export function createTurns(settings: TurnSettings): Turns {
  return { ...createStreams(settings), ...createLines() }
}

/**
 * How is a batch of messages answered? Each is an exchange of its own; what they answer is sent together.
 * Stops: a message in a batch from passing where it would not pass alone: no guard is asked once for several.
 * Trusts: the answers, which were inspected one by one.
 * Fails: a message that is refused is answered with its error; the others go on.
 * @see MCP 2025-03-26, Streamable HTTP; docs/decisions/0028-the-oldest-wires-are-exchanges-like-any-other.md
 */
import type { AtOnceOrLater } from '../checklist.ts'
import { Ending } from '../ending.ts'
import { type RefusedExchange, underId, wordRefusal } from '../refuse.ts'
import type { Exit, Sending, Sent } from '../respond.ts'
import { asSafe, type SafeResult } from '../safe-result.ts'
import { Outbox } from '../sse/outbox.ts'
import { pump } from '../sse/pump.ts'

/** The whole answer to one message. */
interface Whole {
  readonly status: number
  /** Empty when there is none. */
  readonly body: string
  readonly isResponse: boolean
  readonly refused?: RefusedExchange
  readonly entry?: number | undefined
}

/** Takes the answer to one message of the batch. */
class PartExit implements Exit {
  readonly #batch: BatchExit
  #isTaken = false

  constructor(batch: BatchExit) {
    this.#batch = batch
  }

  answer(sending: Sending): AtOnceOrLater<Sent> {
    const { safeResult, messageId, entry } = sending
    this.#isTaken = true
    if (safeResult.kind === 'stream') return this.#batch.stream({ ...sending, safeResult })
    const body = underId(safeResult, messageId)
    this.#batch.take({ status: safeResult.status, body, isResponse: messageId !== undefined, entry })
    return { bytes: Buffer.byteLength(body), isDelivered: true }
  }

  refuse(refused: RefusedExchange): void {
    this.#isTaken = true
    const { wire, body } = wordRefusal(refused)
    const { entry, messageId } = refused
    this.#batch.take({ status: wire.status, body, isResponse: messageId !== undefined, refused, entry })
  }

  destroy(): void {
    if (!this.#isTaken) this.#batch.take({ status: 202, body: '', isResponse: false })
  }
}

type StreamSending = Sending & { readonly safeResult: Extract<SafeResult, { kind: 'stream' }> }

/** Puts the answers of a batch together: one JSON array, or one event stream as soon as one of them is a stream. */
class BatchExit {
  readonly #exit: Exit
  readonly #exchangeId: string
  readonly #wholes: Whole[] = []
  readonly #outbox = new Outbox()
  readonly #sent = Promise.withResolvers<void>()
  #isStream = false
  #left: number

  constructor(exit: Exit, exchangeId: string, parts: number) {
    this.#exit = exit
    this.#exchangeId = exchangeId
    this.#left = parts
  }

  get sent(): Promise<void> {
    return this.#sent.promise
  }

  take(whole: Whole): void {
    this.#wholes.push(whole)
    if (this.#isStream && whole.isResponse) void this.#outbox.deliver(whole.body)
    this.#settle()
  }

  async stream(sending: StreamSending): Promise<Sent> {
    this.#begin(sending.entry)
    try {
      return await pump(sending.safeResult.frames, this.#outbox, sending)
    } finally {
      this.#settle()
    }
  }

  #begin(entry: number | undefined): void {
    if (this.#isStream) return
    this.#isStream = true
    for (const { body, isResponse } of this.#wholes) if (isResponse) void this.#outbox.deliver(body)
    const verdict = { detail: {} }
    const frames = this.#outbox.frames()
    this.#send(asSafe({ status: 200, kind: 'stream', sessionId: undefined, verdict, frames }), entry)
  }

  #settle(): void {
    this.#left -= 1
    if (this.#left > 0) return
    if (this.#isStream) void this.#outbox.deliver('').then(() => this.#outbox.end())
    else this.#sendWhole()
  }

  #sendWhole(): void {
    const wholes = this.#wholes
    const [first] = wholes
    const isAlike = wholes.every(({ status }) => status === first?.status)
    const refused = wholes.find((each) => each.refused !== undefined && each.status >= 400)?.refused
    const bodies = wholes.filter(({ isResponse }) => isResponse).map(({ body }) => body)
    // WHY: what befalls every message alike, such as a session that is gone, is told by the status as for one message.
    if (refused !== undefined && (isAlike || bodies.length === 0)) {
      this.#exit.refuse(refused)
      return this.#sent.resolve()
    }
    const status =
      bodies.length === 0 ? 202 : isAlike && first !== undefined && first.status >= 400 ? first.status : 200
    const kind = bodies.length === 0 ? 'empty' : 'json'
    const body = bodies.length === 0 ? '' : `[${bodies.join(',')}]`
    const entry = wholes.find((whole) => whole.entry !== undefined)?.entry
    this.#send(asSafe({ status, kind, sessionId: undefined, verdict: { detail: {} }, body }), entry)
  }

  #send(safeResult: SafeResult, entry: number | undefined): void {
    const cut = new Ending()
    const rest = {
      exchangeId: this.#exchangeId,
      entry,
      messageId: undefined,
      cut,
      use: { messages: 0 },
      readsToTheEnd: true,
    }
    const sent = this.#exit.answer({ ...rest, safeResult })
    void Promise.resolve(sent).then(
      () => this.#sent.resolve(),
      () => {
        this.#exit.destroy()
        this.#sent.resolve()
      },
    )
  }
}

/**
 * Answers a batch. Resolves when it is sent and the end of each of its exchanges is on record.
 * @param pass answers one message
 */
export async function answerBatch(
  parts: readonly Buffer[],
  { exit, exchangeId }: { readonly exit: Exit; readonly exchangeId: string },
  pass: (part: Buffer, exit: Exit) => Promise<void>,
): Promise<void> {
  const batch = new BatchExit(exit, exchangeId, parts.length)
  await Promise.all(parts.map((part) => pass(part, new PartExit(batch))))
  await batch.sent
}

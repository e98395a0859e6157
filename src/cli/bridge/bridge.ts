import type { Readable, Writable } from 'node:stream'
import { errorCodes, isProblem, jsonRpcError, readMessage, type Message } from '#protocol'
import { createLegacySession } from './legacy-session.ts'
import { createLineWriter, readLines } from './lines.ts'
import type { Client, Id } from './messages.ts'
import { createModernRequests, isModern } from './modern-requests.ts'
import { errorOfFailure, failureOfNetwork } from './problem.ts'
import type { Wire } from './wire.ts'

const maxOpenRequests = 512
/** How long answers are waited for after the client has said its last. */
const drainMs = 30_000

export interface Bridge {
  /** Resolves when the client closed its side and everything was answered, or after `stop`. */
  readonly ended: Promise<void>
  /** Ends what is open, without waiting for answers. */
  stop(): void
}

interface OpenRequest {
  readonly abort: AbortController
  readonly done: Promise<void>
  readonly isModern: boolean
  /** It lasts until it is cancelled, so nobody waits for its answer. */
  readonly isEndless: boolean
  isCancelled: boolean
}

interface Parts {
  readonly url: string
  readonly wire: Wire
  readonly client: Client
  /** Ends everything. */
  readonly stopped: AbortSignal
}

type Send = (signal: AbortSignal) => Promise<void>

/** Requests that are not answered: each gets an answer of the server's or an error, unless it was cancelled. */
function createOpenRequests({ url, client, stopped }: Parts) {
  const open = new Map<Id, OpenRequest>()

  async function run(id: Id, entry: OpenRequest, send: Send): Promise<void> {
    const signal = AbortSignal.any([entry.abort.signal, stopped])
    try {
      await send(signal)
    } catch (error) {
      const isSilent = signal.aborted || entry.isCancelled
      if (!isSilent) await client.write(errorOfFailure(id, failureOfNetwork(url, error)))
    } finally {
      open.delete(id)
    }
  }

  return {
    async add(message: Message, id: Id, send: Send): Promise<void> {
      if (open.has(id) || open.size >= maxOpenRequests) {
        const says = open.has(id) ? 'the id is in use by an open request' : 'too many requests are open'
        return client.write(jsonRpcError(id, errorCodes.invalidRequest, says, { code: 'bridge.busy' }))
      }
      const { promise: done, resolve } = Promise.withResolvers<void>()
      const entry: OpenRequest = {
        abort: new AbortController(),
        done,
        isModern: isModern(message),
        isEndless: message.method === 'subscriptions/listen',
        isCancelled: false,
      }
      open.set(id, entry)
      await run(id, entry, send).finally(resolve)
    },
    /** @returns whether the notification has done its work and goes no further */
    cancel(message: Message): boolean {
      if (message.method !== 'notifications/cancelled') return false
      const cancelled = open.get(message.params?.['requestId'] as Id)
      if (cancelled === undefined) return false
      cancelled.isCancelled = true
      // SPEC: MCP 2026-07-28, Streamable HTTP: closing the stream of a request cancels it; nothing is sent for it.
      if (cancelled.isModern) cancelled.abort.abort()
      return cancelled.isModern
    },
    /** What is waited for when nothing more is asked. */
    closing(): Promise<void>[] {
      for (const each of open.values()) if (each.isEndless) each.abort.abort()
      return [...open.values()].map((each) => each.done)
    },
  }
}

/** The two eras, each message sent as its own says. */
function createExchanges(parts: Parts) {
  const { url, wire, client, stopped } = parts
  const legacy = createLegacySession(wire, client)
  const modern = createModernRequests(wire, client)
  const requests = createOpenRequests(parts)
  const posts = new Set<Promise<void>>()
  let handshake: Promise<unknown> = Promise.resolve()

  async function post(message: Message): Promise<void> {
    if (requests.cancel(message)) return
    if (isModern(message)) return modern.post(message, stopped)
    await handshake
    await legacy.post(message, stopped)
    if (message.method === 'notifications/initialized') legacy.listen(stopped)
  }

  function ask(message: Message, id: Id): void {
    const before = message.method === 'initialize' ? undefined : handshake
    const answered = requests.add(message, id, async (signal) => {
      if (isModern(message)) return modern.request(message, signal)
      await before
      await legacy.request(message, signal)
    })
    if (message.method === 'initialize') handshake = answered
  }

  return {
    take(message: Message): void {
      if (message.kind === 'request' && message.id !== undefined) return ask(message, message.id)
      const sent = post(message).catch((error: unknown) => {
        if (!stopped.aborted) client.note(failureOfNetwork(url, error).message)
      })
      posts.add(sent)
      void sent.then(() => posts.delete(sent))
      if (message.method === 'notifications/initialized') handshake = sent
    },
    async drain(): Promise<void> {
      const over = Promise.allSettled([...posts, ...requests.closing()])
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, drainMs).unref())])
    },
    end: () => legacy.end(),
  }
}

async function takeLines(input: Readable, client: Client, take: (message: Message) => void): Promise<void> {
  for await (const line of readLines(input)) {
    if (line === 'too long') {
      await client.write(jsonRpcError(undefined, errorCodes.invalidRequest, 'the message is longer than 32 MiB'))
      continue
    }
    if (line.toString('latin1').trim() === '') continue
    const message = readMessage(line)
    if (isProblem(message)) await client.write(jsonRpcError(message.id, message.code, message.problem))
    else take(message)
  }
}

/**
 * Lets a client that speaks over stdin and stdout reach a server over HTTP. Every message is passed on as it was
 * written; only messages are written to `output`.
 */
export function startBridge(parts: {
  url: string
  wire: Wire
  input: Readable
  output: Writable
  note: (says: string) => void
}): Bridge {
  const { url, wire, input, output, note } = parts
  const client: Client = { write: createLineWriter(output), note }
  const stopping = new AbortController()
  const exchanges = createExchanges({ url, wire, client, stopped: stopping.signal })
  const stop = (): void => {
    stopping.abort()
    input.destroy()
  }
  // WHY: a client that is gone hears no answers, and what it asked for is to end.
  output.on('error', stop)
  const run = async (): Promise<void> => {
    try {
      await takeLines(input, client, exchanges.take)
      await exchanges.drain()
    } catch (error) {
      // WHY: input that was closed by a stop breaks off, which is what was asked for.
      if (!stopping.signal.aborted) throw error
    } finally {
      stopping.abort()
      await exchanges.end()
    }
  }
  return { ended: run(), stop }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { withIdText, type Message } from '#protocol'
import { CliFailure } from '../failure.ts'
import { deliver, deliverFrames, type Delivered } from './deliver.ts'
import { readServerMessage, type Client, type Id } from './messages.ts'
import type { HttpAnswer, Wire } from './wire.ts'

const firstWaitMs = 500
const longestWaitMs = 30_000
const maxResumptions = 8
const farewellMs = 3_000

/** One session of the revisions up to 2025-11-25, from `initialize` to DELETE. */
export interface LegacySession {
  /** Sends a request and writes what answers it. @throws CliFailure */
  request(message: Message, signal: AbortSignal): Promise<void>
  /** Sends a notification or a response. @throws CliFailure */
  post(message: Message, signal: AbortSignal): Promise<void>
  /** Reads on what the server sends of its own accord, until the signal. */
  listen(signal: AbortSignal): void
  end(): Promise<void>
}

interface Negotiated {
  readonly sessionId: string | undefined
  readonly version: string | undefined
}

const nothing: Negotiated = { sessionId: undefined, version: undefined }
const initialized = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })

function versionIn(message: Message): string | undefined {
  const { result } = message.json
  const version =
    typeof result === 'object' && result !== null && 'protocolVersion' in result ? result.protocolVersion : undefined
  return typeof version === 'string' ? version : undefined
}

/** How long to wait before the next try: what the server asks for, else longer each time, never all at once. */
function waitMs(tries: number, retryMs: number | undefined): number {
  const growing = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(tries, 10))
  return Math.min(longestWaitMs, retryMs ?? growing * (0.5 + Math.random() / 2))
}

function lostStream(): CliFailure {
  const hint = 'look with `castellan audit tail` at what became of the call'
  return new CliFailure('unreachable', 'bridge.stream-lost', 'the connection ended before the answer came', hint)
}

function headersOf({ sessionId, version }: Negotiated): Record<string, string | undefined> {
  return { 'mcp-session-id': sessionId, 'mcp-protocol-version': version }
}

/** Sets up sessions: the first with the client's own words, later ones with the same words again. */
function createHandshake(wire: Wire, client: Client) {
  let state = nothing
  let opening: Message | undefined
  let renewal: Promise<boolean> | undefined

  function learn(answer: HttpAnswer, message: Message): void {
    const version = versionIn(message)
    if (version !== undefined) state = { sessionId: answer.header('mcp-session-id'), version }
  }

  async function again(first: Message, signal: AbortSignal): Promise<boolean> {
    const body = withIdText(first, `castellan-bridge-${Date.now()}`)
    const answer = await wire.send({ method: 'POST', body, signal })
    const before = state
    const watch = (message: Message): void => learn(answer, message)
    const silent: Client = { ...client, write: () => Promise.resolve() }
    const id = readServerMessage(body)?.id ?? ''
    await deliver(answer, { id, client: silent, watch })
    if (state === before || answer.status >= 300) return false
    const told = await wire.send({ method: 'POST', body: initialized, headers: headersOf(state), signal })
    told.end()
    client.note('the session had ended at the server; a new one was begun')
    return told.status < 300
  }

  return {
    state: () => state,
    learn,
    open(message: Message): void {
      opening = message
      state = nothing
    },
    /** Begins another session after the server forgot the one. @param lost which one it was */
    async renew(lost: Negotiated, signal: AbortSignal): Promise<boolean> {
      if (state !== lost) return true
      if (opening === undefined) return false
      renewal ??= again(opening, signal).finally(() => (renewal = undefined))
      return renewal
    },
    forget(): void {
      state = nothing
    },
  }
}

type Handshake = ReturnType<typeof createHandshake>

/** Sends within the session; when the server has forgotten it, once more in a new one. */
async function sendInSession(
  { wire, handshake }: { wire: Wire; handshake: Handshake },
  body: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const state = handshake.state()
  const answer = await wire.send({ method: 'POST', body, headers: headersOf(state), signal })
  // SPEC: Streamable HTTP, session management: 404 to a request with a session id means that the session has ended.
  if (answer.status !== 404 || state.sessionId === undefined) return answer
  if (!(await handshake.renew(state, signal))) return answer
  answer.end()
  return wire.send({ method: 'POST', body, headers: headersOf(handshake.state()), signal })
}

interface Parts {
  readonly wire: Wire
  readonly client: Client
  readonly handshake: Handshake
}

/** Reads a stream that broke on from its last position, until the answer came. */
async function resume(
  { wire, client, handshake }: Parts,
  id: Id,
  work: { cut: Delivered; signal: AbortSignal },
): Promise<void> {
  let { cut } = work
  for (let tries = 0; tries < maxResumptions && cut.lastEventId !== undefined; tries += 1) {
    await sleep(waitMs(tries, cut.retryMs), undefined, { signal: work.signal })
    const headers = { ...headersOf(handshake.state()), 'last-event-id': cut.lastEventId }
    try {
      const answer = await wire.send({ method: 'GET', headers, signal: work.signal })
      if (answer.status >= 400 || answer.type !== 'text/event-stream') {
        answer.end()
        break
      }
      const next = await deliverFrames(answer, { id, client, watch: () => undefined })
      if (next.isAnswered) return
      cut = { ...next, lastEventId: next.lastEventId ?? cut.lastEventId }
    } catch (error) {
      if (work.signal.aborted || tries + 1 === maxResumptions) throw error
    }
  }
  throw lostStream()
}

/** Keeps the stream of what the server says of its own accord open, until the signal or until it has none. */
async function keepListening({ wire, client, handshake }: Parts, signal: AbortSignal): Promise<void> {
  let lastEventId: string | undefined
  let retryMs: number | undefined
  let isRenewed = false
  for (let tries = 0; !signal.aborted; tries += 1) {
    const state = handshake.state()
    try {
      const headers = { ...headersOf(state), 'last-event-id': lastEventId }
      const answer = await wire.send({ method: 'GET', headers, signal })
      if (answer.status === 404 && state.sessionId !== undefined) {
        answer.end()
        lastEventId = undefined
        // WHY: a server without such a stream may answer 404 too, and a new session would not help.
        if (isRenewed || !(await handshake.renew(state, signal))) return
        isRenewed = true
        continue
      }
      if (answer.status < 500 && answer.status !== 429 && answer.type !== 'text/event-stream') return answer.end()
      if (answer.type === 'text/event-stream') {
        tries = 0
        isRenewed = false
        const cut = await deliverFrames(answer, { id: undefined, client, watch: () => undefined })
        lastEventId = cut.lastEventId ?? lastEventId
        retryMs = cut.retryMs ?? retryMs
      } else answer.end()
    } catch (error) {
      if (signal.aborted) return
      client.note(error instanceof Error ? error.message : String(error))
    }
    await sleep(waitMs(tries, retryMs), undefined, { signal }).catch(() => undefined)
  }
}

export function createLegacySession(wire: Wire, client: Client): LegacySession {
  const handshake = createHandshake(wire, client)
  const parts: Parts = { wire, client, handshake }
  let listening: Promise<void> | undefined
  return {
    async request(message, signal) {
      const isOpening = message.method === 'initialize'
      if (isOpening) handshake.open(message)
      const answer = await sendInSession(parts, message.text, signal)
      const watch = (heard: Message): void => {
        if (isOpening && heard.kind === 'response') handshake.learn(answer, heard)
      }
      const id = message.id ?? ''
      const cut = await deliver(answer, { id, client, watch })
      if (!cut.isAnswered) await resume(parts, id, { cut, signal })
    },
    async post(message, signal) {
      const answer = await sendInSession(parts, message.text, signal)
      answer.end()
      if (answer.status < 300) return
      client.note(`the gateway answered a ${message.kind} with status ${answer.status}`)
    },
    listen(signal) {
      listening ??= keepListening(parts, signal).finally(() => (listening = undefined))
    },
    async end() {
      const state = handshake.state()
      handshake.forget()
      if (state.sessionId === undefined) return
      try {
        const signal = AbortSignal.timeout(farewellMs)
        const answer = await wire.send({ method: 'DELETE', headers: headersOf(state), signal })
        answer.end()
      } catch {
        // WHY: a session that cannot be ended is ended by the server when it has been idle.
        return
      }
    },
  }
}

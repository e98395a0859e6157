import { onTestFinished } from 'vitest'
import type { UpstreamAnswer, UpstreamRecord, UpstreamRequest } from '#upstream'

/** What a call came back with: every frame read. */
export interface Heard {
  readonly status: number
  readonly sessionId: string | undefined
  readonly messages: readonly Record<string, unknown>[]
  /** The last message that answers; undefined when there was none. */
  readonly result: Record<string, unknown> | undefined
  readonly error: Record<string, unknown> | undefined
}

interface CallerNeeds {
  readonly exchange: (request: UpstreamRequest) => Promise<UpstreamAnswer>
  readonly upstream: UpstreamRecord
  readonly ownerId?: string
  readonly era?: 'legacy' | 'modern'
  readonly deadlineMs?: number
}

const handshake = {
  protocolVersion: '2025-11-25',
  capabilities: { sampling: {}, elicitation: {}, roots: {} },
  clientInfo: { name: 'test', version: '1' },
}

async function hear(answer: UpstreamAnswer): Promise<Heard> {
  const messages: Record<string, unknown>[] = []
  for await (const frame of answer.frames) {
    if (frame.body !== '') messages.push(JSON.parse(frame.body) as Record<string, unknown>)
  }
  const answered = messages.findLast((message) => 'result' in message || 'error' in message)
  return {
    status: answer.status,
    sessionId: answer.sessionId,
    messages,
    result: answered?.['result'] as Record<string, unknown> | undefined,
    error: answered?.['error'] as Record<string, unknown> | undefined,
  }
}

/** Somebody who speaks to an upstream as the gateway does. */
export class UpstreamCaller {
  sessionId: string | undefined
  readonly #needs: CallerNeeds
  readonly #hangUp = new AbortController()
  #nextId = 1

  constructor(needs: CallerNeeds) {
    this.#needs = needs
    onTestFinished(() => this.#hangUp.abort())
  }

  /** Shakes hands and keeps the session. */
  async open(): Promise<Heard> {
    const heard = await this.ask('initialize', handshake)
    this.sessionId = heard.sessionId
    if (this.sessionId !== undefined) await this.tell('notifications/initialized')
    return heard
  }

  async ask(method: string, params: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Heard> {
    return hear(await this.start(method, params, signal))
  }

  /** Sends a request; its frames are the caller's to read. */
  async start(method: string, params: Record<string, unknown> = {}, signal?: AbortSignal): Promise<UpstreamAnswer> {
    const id = `t-${this.#nextId++}`
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return this.#send({ httpMethod: 'POST', body, message: { kind: 'request', id, method, params } }, signal)
  }

  async tell(method: string, params: Record<string, unknown> = {}): Promise<Heard> {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', method, params }))
    return hear(await this.#send({ httpMethod: 'POST', body, message: { kind: 'notification', method, params } }))
  }

  /** Answers a request of the upstream. */
  async reply(id: string | number, result: Record<string, unknown>): Promise<Heard> {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result }))
    return hear(await this.#send({ httpMethod: 'POST', body, message: { kind: 'response', id } }))
  }

  async listen(signal?: AbortSignal): Promise<UpstreamAnswer> {
    return this.#send({ httpMethod: 'GET' }, signal)
  }

  async end(): Promise<Heard> {
    return hear(await this.#send({ httpMethod: 'DELETE' }))
  }

  #send(
    part: Pick<UpstreamRequest, 'httpMethod' | 'body' | 'message'>,
    signal: AbortSignal = this.#hangUp.signal,
  ): Promise<UpstreamAnswer> {
    const { exchange, upstream, ownerId = 'ada', era = 'legacy', deadlineMs = 15_000 } = this.#needs
    const isOpen = era === 'legacy' && this.sessionId !== undefined
    const headers: Record<string, string> = isOpen ? { 'mcp-protocol-version': '2025-11-25' } : {}
    const session = this.sessionId === undefined ? {} : { sessionId: this.sessionId }
    return exchange({ upstream, ownerId, era, deadlineMs, headers, signal, ...part, ...session })
  }
}

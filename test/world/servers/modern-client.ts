import { onTestFinished } from 'vitest'
import type { UpstreamAnswer, UpstreamRecord, UpstreamRequest } from '#upstream'

type Json = Record<string, unknown>

/** What a request of 2026-07-28 came back with: every frame read. */
export interface Told {
  readonly status: number
  readonly kind: UpstreamAnswer['kind']
  readonly hopProblem: UpstreamAnswer['hopProblem']
  /** The messages before the response. */
  readonly notes: readonly Json[]
  readonly result: Json | undefined
  readonly error: Json | undefined
  readonly id: unknown
}

interface ClientNeeds {
  readonly exchange: (request: UpstreamRequest) => Promise<UpstreamAnswer>
  readonly upstream: UpstreamRecord
  readonly ownerId?: string
  readonly capabilities?: Json
  readonly deadlineMs?: number
}

async function readAll(answer: UpstreamAnswer): Promise<Told> {
  const messages: Json[] = []
  for await (const { body } of answer.frames) if (body !== '') messages.push(JSON.parse(body) as Json)
  const last = messages.at(-1)
  const isAnswered = last !== undefined && ('result' in last || 'error' in last)
  return {
    status: answer.status,
    kind: answer.kind,
    hopProblem: answer.hopProblem,
    notes: isAnswered ? messages.slice(0, -1) : messages,
    result: last?.['result'] as Json | undefined,
    error: last?.['error'] as Json | undefined,
    id: last?.['id'],
  }
}

let count = 0

/** A client of 2026-07-28 as the gateway sends its requests on. */
export class ModernClient {
  readonly #needs: ClientNeeds
  readonly #hangUp = new AbortController()

  constructor(needs: ClientNeeds) {
    this.#needs = needs
    onTestFinished(() => this.#hangUp.abort())
  }

  async ask(method: string, params: Json = {}, more: { meta?: Json; signal?: AbortSignal } = {}): Promise<Told> {
    return readAll(await this.start(method, params, more))
  }

  async call(name: string, given: Json = {}, more: Json = {}): Promise<Told> {
    return this.ask('tools/call', { name, arguments: given, ...more })
  }

  /** Sends a request; its frames are the caller's to read. */
  start(method: string, params: Json = {}, more: { meta?: Json; signal?: AbortSignal } = {}): Promise<UpstreamAnswer> {
    const { exchange, upstream, ownerId = 'ada', capabilities = {}, deadlineMs = 15_000 } = this.#needs
    const id = `m-${(count += 1)}`
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': capabilities,
      ...more.meta,
    }
    const asked = { ...params, _meta }
    return exchange({
      upstream,
      ownerId,
      era: 'modern',
      httpMethod: 'POST',
      message: { kind: 'request', id, method, params: asked },
      body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params: asked })),
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-param-x': 'y' },
      signal: more.signal ?? this.#hangUp.signal,
      deadlineMs,
    })
  }
}

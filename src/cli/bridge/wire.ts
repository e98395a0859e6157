import type { Agent, Dispatcher } from 'undici'
import { createEventReader, type Frame } from '#protocol'
import { CliFailure } from '../failure.ts'
import { failureOfNetwork } from './problem.ts'
import type { TokenSource } from './token-source.ts'

/** Most that one message of the server may take, in bytes. */
export const maxMessageBytes = 32 * 1024 * 1024

const connectTimeoutMs = 10_000
const answerTimeoutMs = 600_000

/** An answer whose body is still to be read; it has to be read or ended. */
export interface HttpAnswer {
  readonly status: number
  header(name: string): string | undefined
  /** Media type without its parameters. */
  readonly type: string
  /** @throws CliFailure `bridge.message-too-large`, `bridge.unreachable` */
  text(): Promise<string>
  /** @throws CliFailure as `text` */
  frames(): AsyncIterable<Frame>
  end(): void
}

export interface HttpRequest {
  readonly method: 'POST' | 'GET' | 'DELETE'
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string
  readonly signal: AbortSignal
}

/** Talks to one URL with a token; a refused token is renewed once where that can be done. */
export interface Wire {
  /** @throws CliFailure `bridge.tls-refused`, `bridge.unreachable` */
  send(request: HttpRequest): Promise<HttpAnswer>
  close(): Promise<void>
}

function tooLarge(): CliFailure {
  const hint = 'ask the server for less at once'
  return new CliFailure('remote', 'bridge.message-too-large', 'the server sent a message of more than 32 MiB', hint)
}

async function readText(url: string, body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength
      if (bytes > maxMessageBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    throw failureOfNetwork(url, error)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function* readFrames(url: string, body: AsyncIterable<Uint8Array>): AsyncIterable<Frame> {
  const reader = createEventReader({ maxEventBytes: maxMessageBytes })
  const source = body[Symbol.asyncIterator]()
  for (;;) {
    let frames: readonly Frame[]
    try {
      const next = await source.next()
      if (next.done === true) return
      frames = reader.read(next.value)
    } catch (error) {
      const isTooLarge = error instanceof Error && 'code' in error && error.code === 'protocol.event-too-large'
      throw isTooLarge ? tooLarge() : failureOfNetwork(url, error)
    }
    yield* frames
  }
}

function asAnswer(url: string, { statusCode, headers, body }: Dispatcher.ResponseData): HttpAnswer {
  const header = (name: string): string | undefined => {
    const value = headers[name]
    return Array.isArray(value) ? value[0] : value
  }
  // WHY: a body that is not read on is ended, and what it says then is of no interest.
  body.on('error', () => undefined)
  return {
    status: statusCode,
    header,
    type: (header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
    text: () => readText(url, body),
    frames: () => readFrames(url, body),
    end: () => void body.destroy(),
  }
}

function definedHeaders(headers: HttpRequest['headers']): Record<string, string> {
  const given = Object.entries(headers ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(given)
}

/** Redirects are not followed: the token goes to the address that was given. */
export async function openWire(url: string, tokens: TokenSource): Promise<Wire> {
  const { Agent: AgentOfUndici, request } = await import('undici')
  const agent: Agent = new AgentOfUndici({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: 0,
  })
  const once = async (asked: HttpRequest): Promise<HttpAnswer> => {
    const { method, body, signal } = asked
    const headers = {
      accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
      'user-agent': 'castellan-bridge',
      authorization: `Bearer ${await tokens.current()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...definedHeaders(asked.headers),
    }
    try {
      const response = await request(url, { method, headers, signal, dispatcher: agent, body: body ?? null })
      return asAnswer(url, response)
    } catch (error) {
      throw failureOfNetwork(url, error)
    }
  }
  return {
    async send(asked) {
      const answer = await once(asked)
      if (answer.status !== 401 || !(await tokens.renew())) return answer
      answer.end()
      return once(asked)
    },
    close: () => agent.destroy(),
  }
}

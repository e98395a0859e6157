import {
  encodeHeaderValue,
  errorCodes,
  isObject,
  metaKeys,
  mirroredHeaders,
  mirrorsOf,
  type Message,
  type Mirror,
} from '#protocol'
import { CliFailure } from '../failure.ts'
import { deliver } from './deliver.ts'
import { readServerMessage, type Client } from './messages.ts'
import type { HttpAnswer, Wire } from './wire.ts'

const maxPages = 50
const maxTools = 10_000

/** Requests of 2026-07-28: each stands for itself, and closing its stream is cancelling it. */
export interface ModernRequests {
  /** @throws CliFailure */
  request(message: Message, signal: AbortSignal): Promise<void>
  /** @throws CliFailure */
  post(message: Message, signal: AbortSignal): Promise<void>
}

function metaOf({ params }: Message): Record<string, unknown> {
  const meta = params?.['_meta']
  return isObject(meta) ? meta : {}
}

/** Whether a message carries the envelope of 2026-07-28. */
export function isModern(message: Message): boolean {
  return Object.hasOwn(metaOf(message), metaKeys.protocolVersion)
}

/** Which arguments headers repeat, by tool, as the server last listed its tools. */
function createMirrorBook() {
  const byTool = new Map<string, readonly Mirror[]>()
  return {
    of: (message: Message) => (message.method === 'tools/call' ? (byTool.get(message.name ?? '') ?? []) : []),
    learn({ json }: Message): string | undefined {
      const { result } = json
      const tools = isObject(result) && Array.isArray(result['tools']) ? (result['tools'] as unknown[]) : []
      for (const tool of tools) {
        if (!isObject(tool) || typeof tool['name'] !== 'string' || byTool.size >= maxTools) continue
        byTool.set(tool['name'], mirrorsOf(tool['inputSchema']))
      }
      const cursor = isObject(result) ? result['nextCursor'] : undefined
      return typeof cursor === 'string' ? cursor : undefined
    },
  }
}

function headersFor(message: Message, mirrors: readonly Mirror[]): Record<string, string> {
  const version = metaOf(message)[metaKeys.protocolVersion]
  const { method = '', params } = message
  const task = method.startsWith('tasks/') ? params?.['taskId'] : undefined
  return {
    ...mirroredHeaders(message, mirrors),
    ...(typeof task === 'string' ? { 'mcp-name': encodeHeaderValue(task) } : {}),
    ...(typeof version === 'string' ? { 'mcp-protocol-version': encodeHeaderValue(version) } : {}),
  }
}

async function isMirrorRefusal(answer: HttpAnswer, text: string): Promise<boolean> {
  const error = answer.status === 400 ? readServerMessage(text)?.json['error'] : undefined
  return isObject(error) && error['code'] === errorCodes.headerMismatch
}

export function createModernRequests(wire: Wire, client: Client): ModernRequests {
  const book = createMirrorBook()

  function send(message: Message, signal: AbortSignal): Promise<HttpAnswer> {
    const headers = headersFor(message, book.of(message))
    return wire.send({ method: 'POST', headers, body: message.text, signal })
  }

  /** SPEC: MCP 2026-07-28, Streamable HTTP: after a header mismatch the tools are listed anew and the call is repeated. */
  async function listTools(call: Message, signal: AbortSignal): Promise<void> {
    let cursor: string | undefined
    for (let page = 0; page < maxPages; page += 1) {
      const params = { _meta: metaOf(call), ...(cursor === undefined ? {} : { cursor }) }
      const asked = { jsonrpc: '2.0', id: `castellan-bridge-${page}`, method: 'tools/list', params }
      const message = readServerMessage(JSON.stringify(asked))
      if (message === undefined) return
      const answer = await send(message, signal)
      const silent: Client = { ...client, write: () => Promise.resolve() }
      const learn = (heard: Message): void => void (cursor = book.learn(heard))
      cursor = undefined
      await deliver(answer, { id: asked.id, client: silent, watch: learn })
      if (cursor === undefined) return
    }
  }

  return {
    async request(message, signal) {
      const id = message.id ?? ''
      let answer = await send(message, signal)
      if (answer.status === 400 && message.method === 'tools/call') {
        const text = await answer.text()
        const isRefused = await isMirrorRefusal(answer, text)
        if (isRefused) await listTools(message, signal)
        answer = isRefused ? await send(message, signal) : { ...answer, text: () => Promise.resolve(text) }
      }
      const watch = (heard: Message): void => {
        if (message.method === 'tools/list') book.learn(heard)
      }
      const { isAnswered } = await deliver(answer, { id, client, watch })
      if (isAnswered) return
      const hint = 'send the request again under a new id'
      throw new CliFailure('unreachable', 'bridge.stream-lost', 'the connection ended before the answer came', hint)
    },
    async post(message, signal) {
      const answer = await send(message, signal)
      answer.end()
    },
  }
}

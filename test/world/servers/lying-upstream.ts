import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd } from '../../ending.ts'
import type { World } from '../castellan.ts'

/** What the upstream was asked; GET and DELETE carry no message. */
export interface Asked {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly id: unknown
  readonly method: string | undefined
  readonly params: Record<string, unknown>
  /** As it arrived, to the letter. */
  readonly body: string
}

/** An MCP server over HTTP with the approved tool `echo`, that answers whatever the test wants. */
export interface LyingUpstream {
  readonly url: string
  of(method: string): readonly Asked[]
  /** Every body that arrived, in order. */
  bodies(): readonly string[]
  /** The stream positions it was asked to go on from. */
  resumedFrom(): unknown[]
  /** How each request is answered from here on. */
  answer: (asked: Asked) => void
}

/** Answers with one JSON-RPC result as JSON. */
export function sendResult({ res, id }: Asked, result: unknown): void {
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}

/** Sends a message as one event of a stream, which it opens when needed. */
export function sendEvent({ res }: Asked, message: object, eventId?: string): boolean {
  if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' })
  const id = eventId === undefined ? '' : `id: ${eventId}\n`
  return res.write(`${id}data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
}

export const echoTool = { name: 'echo', description: 'Repeats.', inputSchema: { type: 'object' } }

const discovered = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }

/** What a server of both eras does that has the one tool `echo`. */
export function answerHonestly(asked: Asked): void {
  const serverInfo = { name: 'liar', version: '1.0.0' }
  if (asked.method === 'initialize')
    return sendResult(asked, { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo })
  if (asked.method === 'server/discover') return sendResult(asked, discovered)
  if (asked.method === 'tools/list') return sendResult(asked, { tools: [echoTool] })
  if (asked.id === undefined) return void asked.res.writeHead(202).end()
  sendResult(asked, { content: [] })
}

async function read(req: IncomingMessage, res: ServerResponse): Promise<Asked> {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  const message = text === '' ? {} : (JSON.parse(text) as { id?: unknown; method?: string; params?: object })
  return { req, res, id: message.id, method: message.method, params: { ...message.params }, body: text }
}

/** Starts one behind the gateway as `liar`, its tool approved; honest until told otherwise. It ends with the test. */
export async function addLyingUpstream({ ana }: World): Promise<LyingUpstream> {
  const all: Asked[] = []
  const upstream = { answer: answerHonestly }
  const server = createServer((req, res) => {
    void read(req, res).then((asked) => {
      all.push(asked)
      upstream.answer(asked)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  await ana.api('POST', '/upstreams', { name: 'liar', url })
  await ana.api('POST', '/upstreams/liar/review', {})
  const approved = await ana.api('POST', '/upstreams/liar/tools/approve', { tools: 'all' })
  if (approved.status !== 200) throw new Error(`the liar could not be added: ${JSON.stringify(approved.body)}`)
  return Object.assign(upstream, {
    url,
    of: (method: string) => all.filter((each) => each.method === method),
    bodies: () => all.map(({ body }) => body),
    resumedFrom: () => all.flatMap(({ req }) => req.headers['last-event-id'] ?? []),
  })
}

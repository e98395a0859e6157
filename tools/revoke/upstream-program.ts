/**
 * The server behind the gateways in the proof of revocation: speaks both eras, and says something on every open stream once
 * a second. Prints what is open when it is asked for `/open`.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Asked {
  readonly id?: string | number
  readonly method?: string
  readonly params?: {
    readonly name?: string
    readonly protocolVersion?: string
    readonly _meta?: { readonly progressToken?: string | number }
  }
}

const tickMs = 1_000
const modern = '2026-07-28'
const capabilities = { tools: {}, logging: {}, resources: { listChanged: true } }
const serverInfo = { name: 'ticker', version: '1' }
const inputSchema = { type: 'object', properties: { text: { type: 'string' } } }
const tools = ['echo', 'drip'].map((name) => ({ name, description: `Does ${name}.`, inputSchema }))
const open = new Set<ServerResponse>()

async function read(request: IncomingMessage): Promise<Asked> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return (text === '' ? {} : JSON.parse(text)) as Asked
}

function reply(response: ServerResponse, id: Asked['id'], body: object): void {
  const text = JSON.stringify({ jsonrpc: '2.0', id, ...body })
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

/** Says the message once a second until nobody listens. */
function tick(response: ServerResponse, message: object, first?: object): void {
  const say = (said: object): void => void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...said })}\n\n`)
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  if (first !== undefined) say(first)
  const timer = setInterval(() => say(message), tickMs)
  open.add(response)
  response.once('close', () => {
    clearInterval(timer)
    open.delete(response)
  })
}

function listen(response: ServerResponse, id: Asked['id']): void {
  const _meta = { 'io.modelcontextprotocol/subscriptionId': id }
  const honoured = { notifications: { resourcesListChanged: true }, _meta }
  const acknowledged = { method: 'notifications/subscriptions/acknowledged', params: honoured }
  tick(response, { method: 'notifications/resources/list_changed', params: { _meta } }, acknowledged)
}

function drip(response: ServerResponse, { id, params }: Asked): void {
  const progressToken = params?._meta?.progressToken ?? id
  tick(response, { method: 'notifications/progress', params: { progressToken, progress: 1 } })
}

function resultOf({ method, params }: Asked): object | undefined {
  const fresh = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
  if (method === 'initialize') return { protocolVersion: params?.protocolVersion, capabilities, serverInfo }
  if (method === 'server/discover') return { supportedVersions: [modern], capabilities, serverInfo, ...fresh }
  if (method === 'tools/list') return { tools, ...fresh }
  return method === 'tools/call' ? { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } : undefined
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/open') return void response.end(String(open.size))
  if (request.method === 'DELETE') return void response.writeHead(200).end()
  if (request.method === 'GET') {
    return tick(response, { method: 'notifications/message', params: { level: 'info', data: 'tick' } })
  }
  const asked = await read(request)
  if (asked.id === undefined) return void response.writeHead(202).end()
  if (asked.method === 'subscriptions/listen') return listen(response, asked.id)
  if (asked.method === 'tools/call' && asked.params?.name === 'drip') return drip(response, asked)
  if (asked.method === 'initialize') response.setHeader('mcp-session-id', randomUUID())
  const result = resultOf(asked)
  reply(response, asked.id, result === undefined ? { error: { code: -32601, message: 'unknown method' } } : { result })
}

const server = createServer((request, response) => {
  response.on('error', () => undefined)
  answer(request, response).catch(() => response.destroy())
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(`listening on ${(server.address() as AddressInfo).port}`))

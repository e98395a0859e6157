/** The side of the gateway that no client sees: a server whose answers are garbage from time to time. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mutateMessage } from './mutate.ts'
import type { Random } from './random.ts'

/** An MCP server that is honest until it is told to lie; then a part of its answers is garbage. */
export interface FuzzedUpstream {
  readonly url: string
  /** Requests that reached it. */
  readonly arrivals: () => number
  lie(): void
  close(): void
}

interface Asked {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly name?: string }
}

const schema = { type: 'object', properties: { text: { type: 'string' } } }
const tools = ['echo', 'stream', 'secret_tool'].map((name) => ({
  name,
  description: `The ${name}.`,
  inputSchema: schema,
}))

function resultOf({ method, params }: Asked): object {
  const listed = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
  if (method === 'initialize')
    return {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, logging: {}, completions: {} },
      serverInfo: { name: 'fuzzed', version: '1.0.0' },
    }
  if (method === 'server/discover') return { ...listed, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } }
  if (method === 'tools/list') return { ...listed, tools }
  if (method === 'resources/list') return { ...listed, resources: [{ uri: 'test://open', name: 'open' }] }
  if (method === 'resources/read') return { ...listed, contents: [{ uri: 'test://open', text: 'open' }] }
  if (method === 'prompts/list') return { ...listed, prompts: [{ name: 'greet' }] }
  return { resultType: 'complete', content: [{ type: 'text', text: params?.name ?? 'nothing' }] }
}

async function read(req: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return text === '' ? {} : (JSON.parse(text) as Asked)
}

const lies: readonly ((res: ServerResponse, honest: object, random: Random) => void)[] = [
  (res, honest, random) =>
    res.writeHead(200, { 'content-type': 'application/json' }).end(mutateMessage(honest, random)),
  (res, honest, random) =>
    res.writeHead(200, { 'content-type': 'application/json' }).end(mutateMessage(honest, random)),
  (res, honest, random) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let left = random.below(4); left >= 0; left -= 1) {
      res.write(random.pick(['id: 1\r', 'event: x\n', 'retry: 5\n', ': c\n', 'data\n', '\ufeff', 'id: a\0b\n']))
      res.write(Buffer.concat([Buffer.from('data: '), mutateMessage(honest, random), Buffer.from('\n\n')]))
    }
    res.end()
  },
  (res, _honest, random) => res.writeHead(200, { 'content-type': 'text/event-stream' }).end(random.bytes(300)),
  (res, _honest, random) =>
    res.writeHead(random.pick([204, 301, 307, 400, 401, 403, 404, 405, 418, 429, 500, 503])).end(),
  (res, honest) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(JSON.stringify(honest))
  },
  (res, _honest, random) =>
    res.writeHead(200, { 'content-type': random.pick(['text/html', 'application/xml']) }).end('<a/>'),
  (res) => void res.destroy(),
  (res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{"jsonrpc":')
    setTimeout(() => res.destroy(), 5)
  },
  (res, _honest, random) => void res.socket?.end(random.bytes(200)),
  (res) => void res.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
]

/** Starts one on loopback. */
export async function startFuzzedUpstream(random: Random): Promise<FuzzedUpstream> {
  let arrivals = 0
  let mayLie = false
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    arrivals += 1
    const asked = await read(req)
    if (req.method === 'GET') return void res.writeHead(405).end()
    if (asked.method === undefined || asked.id === undefined) return void res.writeHead(202).end()
    const message = { jsonrpc: '2.0', id: asked.id, result: resultOf(asked) }
    const isStable = ['initialize', 'tools/list', 'server/discover'].includes(asked.method)
    if (mayLie && !isStable && random.oneIn(4)) return random.pick(lies)(res, message, random)
    const session = asked.method === 'initialize' ? { 'mcp-session-id': `s-${random.below(1e9)}` } : {}
    if (asked.params?.name === 'stream') {
      const note = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } }
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      return void res.end(`data: ${JSON.stringify(note)}\n\nid: 7\ndata: ${JSON.stringify(message)}\n\n`)
    }
    res.writeHead(200, { 'content-type': 'application/json', ...session }).end(JSON.stringify(message))
  }
  const server = createServer((req, res) => void answer(req, res).catch(() => res.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    arrivals: () => arrivals,
    lie: () => {
      mayLie = true
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

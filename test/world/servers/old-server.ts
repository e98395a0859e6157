import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd } from '../../ending.ts'

type Json = Record<string, unknown>

/** A request as the server got it. */
export interface Asked {
  readonly httpMethod: string
  readonly headers: IncomingHttpHeaders
  readonly id: unknown
  readonly method: string | undefined
  readonly params: Json
  readonly body: string
  /** Answers with a JSON body. */
  send(status: number, message?: Json, headers?: Record<string, string>): void
  /** Answers with a result. */
  result(result: Json, headers?: Record<string, string>): void
  /** Answers with a JSON text, to the letter. */
  text(text: string): void
  /** Sends one event of a stream that stays open. */
  event(message: Json): void
  end(): void
}

/** A server over HTTP on loopback that does what a test tells it, and keeps what it was asked. */
export interface OldServer {
  readonly url: string
  readonly arrived: readonly Asked[]
  /** The methods that were asked for, in order. */
  methods(): string[]
  of(method: string): readonly Asked[]
  answer: (asked: Asked) => void
}

const opened = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
  serverInfo: { name: 'scripted', version: '1' },
}

const echoTool = { name: 'echo', description: 'Repeats.', inputSchema: { type: 'object' } }

let sessions = 0

/** What a server of old does that has nothing special about it: sessions, the one tool `echo`, `-32601` for the rest. */
export function answerAsOfOld(asked: Asked): void {
  const { method, id, httpMethod } = asked
  if (httpMethod === 'DELETE') return asked.send(200)
  if (httpMethod === 'GET') return asked.send(405)
  if (method === 'initialize') return asked.result(opened, { 'mcp-session-id': `session-${(sessions += 1)}` })
  if (id === undefined || method === undefined) return asked.send(202)
  if (asked.headers['mcp-session-id'] === undefined) {
    return asked.send(400, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no session' } })
  }
  if (method === 'tools/list') return asked.result({ tools: [echoTool] })
  if (method === 'tools/call') return asked.result({ content: [] })
  return asked.send(200, { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } })
}

function stream(res: ServerResponse, message: Json): void {
  if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
}

function send(
  res: ServerResponse,
  answer: { status: number; message?: Json | undefined; headers?: Record<string, string> },
) {
  const { status, message, headers = {} } = answer
  if (message === undefined) return void res.writeHead(status, headers).end()
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify(message))
}

/** Starts one on a free port, one of old until told otherwise; it ends with the running test. */
export async function startOldServer(): Promise<OldServer> {
  const arrived: Asked[] = []
  const scripted = { answer: answerAsOfOld }
  const server = createServer(async (req, res) => {
    let body = ''
    for await (const chunk of req) body += String(chunk)
    const { id, method, params = {} } = (body === '' ? {} : JSON.parse(body)) as Json & { params?: Json }
    const asked: Asked = {
      httpMethod: req.method ?? '',
      headers: req.headers,
      id,
      method: method as string | undefined,
      params,
      body,
      send: (status, message, headers = {}) => send(res, { status, message, headers }),
      result: (result, headers = {}) => send(res, { status: 200, message: { jsonrpc: '2.0', id, result }, headers }),
      text: (text) => void res.writeHead(200, { 'content-type': 'application/json' }).end(text),
      event: (message) => stream(res, message),
      end: () => void res.end(),
    }
    arrived.push(asked)
    scripted.answer(asked)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(scripted, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    arrived,
    methods: () => arrived.map(({ method, httpMethod }) => method ?? httpMethod),
    of: (method: string) => arrived.filter((asked) => asked.method === method),
  })
}

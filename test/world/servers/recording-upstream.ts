import { randomUUID } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd } from '../../ending.ts'

/** One request as the upstream saw it: what an attack must not have caused. */
export interface Arrived {
  readonly httpMethod: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly message: { id?: string | number; method?: string; params?: Record<string, unknown> } | undefined
}

export interface ToolDefinition {
  name: string
  description: string
  inputSchema: Record<string, unknown>
  [extra: string]: unknown
}

/**
 * An MCP server over HTTP that keeps what it received. Legacy with sessions, and 2026-07-28. Its tools: `echo` returns
 * its arguments, `slow` never answers until `finishSlow()`, `drip` streams a progress note every 50 ms until closed.
 */
export interface RecordingUpstream {
  readonly url: string
  readonly arrived: readonly Arrived[]
  /** Requests of one method, handshakes and lists left out. */
  calls(method?: string): readonly Arrived[]
  tools: ToolDefinition[]
  /** When set, what one client is told instead: by the name it gave, and in the how many-th session. */
  toolsFor: ((client: Listener) => ToolDefinition[]) | undefined
  /** Sends a notification on every open GET stream. */
  notify(method: string, params?: Record<string, unknown>): void
  finishSlow(text: string): void
  /** Streams that are open right now. */
  openStreams(): number
  /** Told of each call of a tool, before it is answered. */
  onCall: () => void
}

interface Listener {
  readonly clientName: string
  /** From 1; 0 without a session. */
  readonly session: number
}

const schema = { type: 'object', properties: { text: { type: 'string' } } }

function defaultTools(): ToolDefinition[] {
  return ['echo', 'slow', 'drip', 'secret_tool'].map((name) => ({
    name,
    description: `The ${name} tool.`,
    inputSchema: schema,
  }))
}

interface State {
  tools: ToolDefinition[]
  toolsFor: RecordingUpstream['toolsFor']
  readonly arrived: Arrived[]
  readonly sessions: Map<string, Listener>
  sessionCount: number
  readonly streams: Set<ServerResponse>
  readonly slow: ((text: string) => void)[]
  onCall: () => void
}

async function read(req: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of req) text += String(chunk)
  return text
}

function sendEvent(res: ServerResponse, message: unknown): void {
  res.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
}

function openStream(res: ServerResponse, state: State, headers: Record<string, string> = {}): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', ...headers })
  res.flushHeaders()
  state.streams.add(res)
  res.once('close', () => state.streams.delete(res))
}

function sendResult(res: ServerResponse, id: unknown, result: unknown, headers: Record<string, string> = {}): void {
  res.writeHead(200, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}

function callTool(res: ServerResponse, state: State, id: unknown, params: Record<string, unknown>): void {
  const text = (value: string) => ({ content: [{ type: 'text', text: value }], resultType: 'complete' })
  if (params['name'] === 'slow') {
    state.slow.push((value) => sendResult(res, id, text(value)))
    return
  }
  if (params['name'] === 'drip') {
    openStream(res, state)
    let progress = 0
    const timer = setInterval(() => {
      progress += 1
      const meta = params['_meta'] as { progressToken?: unknown } | undefined
      const note = { progressToken: meta?.progressToken ?? 'none', progress }
      sendEvent(res, { jsonrpc: '2.0', method: 'notifications/progress', params: note })
    }, 50)
    res.once('close', () => clearInterval(timer))
    return
  }
  sendResult(res, id, text(JSON.stringify(params['arguments'] ?? {})))
}

const serverInfo = { name: 'recording-upstream', version: '1.0.0' }
const capabilities = { tools: { listChanged: true }, resources: {}, prompts: {} }

function answer(res: ServerResponse, state: State, message: NonNullable<Arrived['message']>, listener: Listener): void {
  const { id, method, params = {} } = message
  if (method === 'initialize') {
    const session = randomUUID()
    const { name } = (params['clientInfo'] ?? {}) as { name?: string }
    state.sessions.set(session, { clientName: name ?? '', session: (state.sessionCount += 1) })
    const result = { protocolVersion: params['protocolVersion'], capabilities, serverInfo }
    return sendResult(res, id, result, { 'mcp-session-id': session })
  }
  if (id === undefined) return void res.writeHead(202).end()
  const listed = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' }
  if (method === 'server/discover') {
    return sendResult(res, id, { ...listed, supportedVersions: ['2026-07-28'], capabilities })
  }
  if (method === 'tools/list') {
    return sendResult(res, id, { ...listed, tools: state.toolsFor?.(listener) ?? state.tools })
  }
  if (method === 'resources/list') {
    return sendResult(res, id, { ...listed, resources: [{ uri: 'test://open', name: 'open' }] })
  }
  if (method === 'resources/read') {
    return sendResult(res, id, { ...listed, contents: [{ uri: params['uri'], text: 'open' }] })
  }
  if (method === 'prompts/list') return sendResult(res, id, { ...listed, prompts: [{ name: 'greet' }] })
  if (method === 'tools/call') {
    state.onCall()
    return callTool(res, state, id, params)
  }
  sendResult(res, id, { resultType: 'complete' })
}

async function handle(req: IncomingMessage, res: ServerResponse, state: State): Promise<void> {
  const body = await read(req)
  const message = body === '' ? undefined : (JSON.parse(body) as Arrived['message'])
  state.arrived.push({ httpMethod: req.method ?? '', headers: req.headers, body, message })
  const session = req.headers['mcp-session-id']
  const isKnown = typeof session === 'string' && state.sessions.has(session)
  if (session !== undefined && !isKnown) return void res.writeHead(404).end()
  if (req.method === 'GET') return openStream(res, state)
  if (req.method === 'DELETE') {
    if (typeof session === 'string') state.sessions.delete(session)
    return void res.writeHead(200).end()
  }
  if (message === undefined) return void res.writeHead(400).end()
  answer(res, state, message, state.sessions.get(String(session)) ?? { clientName: '', session: 0 })
}

const bookkeeping = new Set(['initialize', 'notifications/initialized', 'tools/list', 'server/discover'])

/** Starts one on a free loopback port; it ends with the running test. */
export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const state: State = {
    tools: defaultTools(),
    arrived: [],
    toolsFor: undefined,
    sessions: new Map(),
    sessionCount: 0,
    streams: new Set(),
    slow: [],
    onCall: () => undefined,
  }
  const server = createServer((req, res) => void handle(req, res, state).catch(() => res.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    arrived: state.arrived,
    calls: (method) =>
      state.arrived.filter(
        ({ message }) =>
          message !== undefined &&
          (method === undefined ? !bookkeeping.has(message.method ?? '') : message.method === method),
      ),
    get tools() {
      return state.tools
    },
    set tools(tools) {
      state.tools = tools
    },
    get toolsFor() {
      return state.toolsFor
    },
    set toolsFor(toolsFor) {
      state.toolsFor = toolsFor
    },
    notify: (method, params = {}) => {
      for (const stream of state.streams) sendEvent(stream, { jsonrpc: '2.0', method, params })
    },
    finishSlow: (text) => state.slow.splice(0).forEach((finish) => finish(text)),
    openStreams: () => state.streams.size,
    get onCall() {
      return state.onCall
    },
    set onCall(told) {
      state.onCall = told
    },
  }
}

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  acceptedContent,
  createMcpHandler,
  fromJsonSchema,
  inputRequired,
  inputResponse,
  type McpHttpHandler,
  McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'

/** What reached the server. */
export interface Reached {
  readonly headers: Headers
  readonly text: string
  readonly message: { readonly id?: unknown; readonly method?: string; readonly params?: Record<string, unknown> }
}

/** A server of 2026-07-28 alone, with tools that ask their callers, made with the official library. */
export interface AskingServer {
  readonly url: string
  readonly notify: McpHttpHandler['notify']
  /** Oldest first; of one method when it is named. */
  reached(method?: string): readonly Reached[]
  /** Subscriptions that are open. */
  listeners(): number
  /** Calls of `wait` whose caller has gone. */
  cancelled(): number
}

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] })

const form = (message: string, property: string) =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [property]: { type: 'string' } }, required: [property] },
  })

const sample = inputRequired.createMessage({
  messages: [{ role: 'user', content: { type: 'text', text: 'Capital of France?' } }],
  maxTokens: 10,
})

/** Asks for a form, a sample and the roots together. */
function everything({ mcpReq }: ServerContext) {
  const responses = mcpReq.inputResponses
  const name = acceptedContent<{ name: string }>(responses, 'name')
  const [answer, roots] = [inputResponse(responses, 'answer'), inputResponse(responses, 'roots')]
  if (name !== undefined && answer.kind === 'sampling' && roots.kind === 'roots') {
    return text(`${name.name}; ${JSON.stringify(answer.result.content)}; ${roots.roots.map(({ uri }) => uri).join()}`)
  }
  const inputRequests = { name: form('Name?', 'name'), answer: sample, roots: inputRequired.listRoots() }
  return inputRequired({ inputRequests, requestState: 'state "1" \u2028 é' })
}

function login(url: string) {
  return ({ mcpReq }: ServerContext) => {
    const answer = inputResponse(mcpReq.inputResponses, 'login')
    if (answer.kind === 'elicit') return text(`login: ${answer.action}`)
    return inputRequired({ inputRequests: { login: inputRequired.elicitUrl({ message: 'Sign in', url }) } })
  }
}

function registerTools(server: McpServer, onCancel: () => void): void {
  const region = { type: 'string', 'x-mcp-header': 'Region' }
  const big = { type: 'integer', 'x-mcp-header': 'Big' }
  const regional = fromJsonSchema<{ region?: string; big?: number }>({ type: 'object', properties: { region, big } })
  server.registerTool('query', { inputSchema: regional }, ({ region }) => text(`in ${String(region)}`))
  server.registerTool('everything', {}, everything)
  server.registerTool('deploy', {}, ({ mcpReq }) => {
    const sure = acceptedContent<{ sure: string }>(mcpReq.inputResponses, 'sure')
    return sure === undefined ? inputRequired({ inputRequests: { sure: form('Sure?', 'sure') } }) : text(sure.sure)
  })
  server.registerTool('login', {}, login('https://idp.example/login'))
  server.registerTool('phish', {}, login('http://idp.example/login'))
  server.registerTool('endless', {}, () => inputRequired({ requestState: 'again' }))
  server.registerTool('log', {}, async ({ mcpReq }) => {
    await mcpReq.log('debug', 'a detail')
    await mcpReq.log('warning', 'a warning')
    return text('logged')
  })
  server.registerTool('count', {}, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? 'none'
    for (const progress of [1, 2]) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 2 } })
    }
    return text('counted')
  })
  const list = fromJsonSchema<number[]>({ type: 'array', items: { type: 'integer' } })
  server.registerTool('numbers', { outputSchema: list }, () => ({ content: [], structuredContent: [1, 2, 3] }))
  server.registerTool('wait', {}, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? 'none'
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
    await new Promise<void>((resolve) => mcpReq.signal.addEventListener('abort', () => resolve()))
    onCancel()
    return text('gone')
  })
}

function createAskingServer(onCancel: () => void): McpServer {
  const capabilities = {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
  }
  const server = new McpServer({ name: 'asking', version: '1' }, { capabilities, instructions: 'Ask "me".' })
  registerTools(server, onCancel)
  server.registerResource('readme', 'test://readme', { mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, text: 'read me' }],
  }))
  server.registerPrompt('ask', { description: 'Asks first.' }, ({ mcpReq }) => {
    const given = acceptedContent<{ topic: string }>(mcpReq.inputResponses, 'topic')
    if (given === undefined) return inputRequired({ inputRequests: { topic: form('Topic?', 'topic') } })
    return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: given.topic } }] }
  })
  return server
}

/** Starts one on a free port of the loopback; it ends with the running test. */
export async function startAskingServer(): Promise<AskingServer> {
  let [cancelled, listeners] = [0, 0]
  const reached: Reached[] = []
  const handler = createMcpHandler(() => createAskingServer(() => (cancelled += 1)), {
    legacy: 'reject',
    keepAliveMs: 0,
  })
  const answer = toNodeHandler({
    async fetch(request) {
      const body = request.method === 'POST' ? await request.clone().text() : ''
      const message = body === '' ? {} : (JSON.parse(body) as Reached['message'])
      reached.push({ headers: request.headers, text: body, message })
      if (message.method === 'subscriptions/listen') {
        listeners += 1
        request.signal.addEventListener('abort', () => (listeners -= 1), { once: true })
      }
      return handler.fetch(request)
    },
  })
  const server = createServer((req, res) => {
    // WHY: the library's interface for requests does not allow for exactOptionalPropertyTypes.
    void answer(req as Parameters<typeof answer>[0], res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    await handler.close()
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    notify: handler.notify,
    reached: (method) => reached.filter(({ message }) => method === undefined || message.method === method),
    listeners: () => listeners,
    cancelled: () => cancelled,
  }
}

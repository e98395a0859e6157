import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { onTestFinished } from 'vitest'

/** A server of 2024-11-05, made with the official 1.x library: an event stream at `/sse`, messages at `/messages`. */
export interface SseServer {
  readonly url: string
  /** What was posted, as text, oldest first. */
  readonly posted: string[]
  /** Requests by method and path, oldest first. */
  readonly asked: string[]
  openStreams(): number
  /** Ends every event stream. */
  hangUp(): void
}

type SseTransport = SSEServerTransport & Parameters<McpServer['connect']>[0]

function createOldMcpServer(): McpServer {
  const server = new McpServer({ name: 'old', version: '1' })
  server.registerTool('echo', { description: 'Says it again.' }, () => ({ content: [{ type: 'text', text: 'hello' }] }))
  server.registerTool('ask_back', { description: 'Asks the client before it answers.' }, async () => {
    const { action } = await server.server.elicitInput({
      message: 'really?',
      requestedSchema: { type: 'object', properties: {} },
    })
    return { content: [{ type: 'text', text: action }] }
  })
  server.registerTool('grow', { description: 'Offers one more prompt.' }, () => {
    server.registerPrompt(`extra-${Date.now()}`, {}, () => ({ messages: [] }))
    return { content: [] }
  })
  server.registerPrompt('first', {}, () => ({ messages: [] }))
  return server
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** Starts one on a free port; it ends with the running test. */
export async function startSseServer(): Promise<SseServer> {
  const open = new Map<string, { transport: SSEServerTransport; res: ServerResponse }>()
  const [posted, asked]: [string[], string[]] = [[], []]

  async function openStream(res: ServerResponse): Promise<void> {
    const transport = new SSEServerTransport('/messages', res)
    open.set(transport.sessionId, { transport, res })
    res.once('close', () => open.delete(transport.sessionId))
    await createOldMcpServer().connect(transport as SseTransport)
  }

  const server = createServer(async (req, res) => {
    const url = new URL(req.url ?? '', 'http://localhost')
    asked.push(`${req.method} ${url.pathname}`)
    if (req.method === 'GET' && url.pathname === '/sse') return openStream(res)
    const found = open.get(url.searchParams.get('sessionId') ?? '')
    if (req.method !== 'POST' || url.pathname !== '/messages') return void res.writeHead(404).end('Cannot do that')
    if (found === undefined) return void res.writeHead(404).end('Session not found')
    const text = await bodyOf(req)
    posted.push(text)
    await found.transport.handlePostMessage(req, res, JSON.parse(text))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const hangUp = (): void => {
    for (const { res } of open.values()) res.end()
  }
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`
  return { url, posted, asked, openStreams: () => open.size, hangUp }
}

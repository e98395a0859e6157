import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { McpServer } from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'
import { createEventStore } from './event-store.ts'

/** A server with sessions and resumable streams (2025-11-25), made with the official library, over HTTP on loopback. */
export interface SessionServer {
  readonly url: string
  /** Forgets every session: later requests of theirs are answered 404. */
  expire(): void
  openSessions(): number
}

/** Its tool `hang_up` closes the stream of its call and answers a little later, on the stream that is resumed. */
function createSessionServer(): McpServer {
  const server = new McpServer({ name: 'sessions', version: '1' })
  server.registerTool('hang_up', { description: 'Answers on a resumed stream.' }, async (context) => {
    context.http?.closeSSE?.()
    await new Promise((resolve) => setTimeout(resolve, 300))
    return { content: [{ type: 'text', text: 'answered after all' }] }
  })
  return server
}

/** Starts one on a free port; it ends with the running test. */
export async function startSessionServer(): Promise<SessionServer> {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>()
  const server = createServer(async (req, res) => {
    const asked = req.headers['mcp-session-id']
    const known = typeof asked === 'string' ? sessions.get(asked) : undefined
    if (known !== undefined) return known.handleRequest(req, res)
    if (asked !== undefined) {
      const error = { code: -32001, message: 'Session not found' }
      return void res
        .writeHead(404, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', error, id: null }))
    }
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: 100,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    // WHY: the library's interface for transports does not allow for exactOptionalPropertyTypes.
    await createSessionServer().connect(transport as Parameters<McpServer['connect']>[0])
    return transport.handleRequest(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return { url, expire: () => sessions.clear(), openSessions: () => sessions.size }
}

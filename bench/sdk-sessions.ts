/**
 * The HTTP side that both proxies made of the official libraries share: one pair of server and client for each session,
 * kept for as long as the session, with JSON answers: the cheapest way of using those objects that keeps sessions apart.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SessionTransport {
  handleRequest(request: IncomingMessage, response: ServerResponse): Promise<void>
}

export interface SessionOptions {
  readonly sessionIdGenerator: () => string
  readonly enableJsonResponse: true
  readonly onsessioninitialized: (id: string) => void
}

/** @param open makes the pair of a new session and connects it to the upstream */
export function serveSessions(open: (options: SessionOptions) => Promise<SessionTransport>): void {
  const sessions = new Map<string, SessionTransport>()

  async function begin(): Promise<SessionTransport> {
    const transport = await open({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    })
    return transport
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = request.headers['mcp-session-id']
    const known = typeof asked === 'string' ? sessions.get(asked) : undefined
    await (known ?? (await begin())).handleRequest(request, response)
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 600_000
  server.listen(0, '127.0.0.1', () => {
    console.log(`listening on ${(server.address() as AddressInfo).port}`)
  })
}

import { randomUUID } from 'node:crypto'
import { createEventStore } from '../../world/servers/event-store.ts'

/** What both lines of the official library take to serve one session. */
export interface SessionOptions {
  readonly sessionIdGenerator: () => string
  readonly eventStore: ReturnType<typeof createEventStore>
  readonly retryInterval: number
  readonly onsessioninitialized: (id: string) => void
  readonly onsessionclosed: (id: string) => void
}

export interface SessionTransport {
  handleRequest(request: Request): Promise<Response>
}

/** Legacy sessions, each with a server of its own. @param open connects a server to a transport made with the options */
export function createSessions(open: (options: SessionOptions) => Promise<SessionTransport>) {
  const sessions = new Map<string, SessionTransport>()
  return async (request: Request): Promise<Response> => {
    const asked = request.headers.get('mcp-session-id')
    if (asked !== null) {
      const known = sessions.get(asked)
      if (known !== undefined) return known.handleRequest(request)
      const error = { code: -32001, message: 'Session not found' }
      return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 })
    }
    const transport: SessionTransport = await open({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: 50,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    return transport.handleRequest(request)
  }
}

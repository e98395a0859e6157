import { type McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { createReferenceServer } from './reference-server.ts'
import { createSessions } from './sessions.ts'

/** The reference server as revisions up to 2025-11-25 have it: sessions, streams that can be resumed. */
export const answerInSessions = createSessions(async (options) => {
  const transport = new WebStandardStreamableHTTPServerTransport(options)
  // WHY: the library's interface for transports does not allow for exactOptionalPropertyTypes.
  await createReferenceServer().connect(transport as Parameters<McpServer['connect']>[0])
  return transport
})

import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { createFirstLineServer } from './reference/first-line-server.ts'
import { listen } from './reference/listen.ts'
import { createSessions } from './reference/sessions.ts'

/** A server of the legacy era on the first line of the official library, which most servers in use are made with. */
listen(
  createSessions(async (options) => {
    const transport = new WebStandardStreamableHTTPServerTransport(options)
    // WHY: the library's interface for transports does not allow for exactOptionalPropertyTypes.
    await createFirstLineServer().connect(transport as Transport)
    return transport
  }),
)

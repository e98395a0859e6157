/**
 * A proxy as most are built: the official library's objects of version 1.x on either side. Usage:
 * `sdk-1-proxy-program.ts <url>`. Prints its port.
 */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CallToolRequestSchema,
  CallToolResultSchema,
  ListToolsRequestSchema,
  ListToolsResultSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { serveSessions } from './sdk-sessions.ts'

const upstream = new URL(process.argv[2] ?? '')

serveSessions(async (options) => {
  const client = new Client({ name: 'proxy', version: '1' })
  // WHY: the library's transports do not satisfy its own interface under exactOptionalPropertyTypes.
  await client.connect(new StreamableHTTPClientTransport(upstream) as Parameters<Client['connect']>[0])
  const server = new Server({ name: 'proxy', version: '1' }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, (request) => client.request(request, ListToolsResultSchema))
  server.setRequestHandler(CallToolRequestSchema, (request) => client.request(request, CallToolResultSchema))
  const transport = new StreamableHTTPServerTransport(options)
  await server.connect(transport as Parameters<Server['connect']>[0])
  return transport
})

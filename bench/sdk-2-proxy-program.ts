/**
 * A proxy as most are built: the official library's objects of version 2.x on either side. Usage:
 * `sdk-2-proxy-program.ts <url>`. Prints its port.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node'
import { Server } from '@modelcontextprotocol/server'
import { serveSessions } from './sdk-sessions.ts'

const upstream = new URL(process.argv[2] ?? '')

serveSessions(async (options) => {
  const client = new Client({ name: 'proxy', version: '1' }, { versionNegotiation: { mode: 'legacy' } })
  await client.connect(new StreamableHTTPClientTransport(upstream))
  const server = new Server({ name: 'proxy', version: '1' }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', ({ method, params = {} }) => client.request({ method, params }))
  server.setRequestHandler('tools/call', ({ method, params = {} }) => client.request({ method, params }))
  const transport = new NodeStreamableHTTPServerTransport(options)
  // WHY: the library's interface for transports does not allow for exactOptionalPropertyTypes.
  await server.connect(transport as Parameters<Server['connect']>[0])
  return transport
})

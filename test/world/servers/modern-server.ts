import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  acceptedContent,
  createMcpHandler,
  fromJsonSchema,
  inputRequired,
  McpServer,
  type McpHttpHandler,
} from '@modelcontextprotocol/server'
import { onTestFinished } from 'vitest'

/** A server of 2026-07-28 made with the official library, over HTTP on loopback. */
export interface ModernServer {
  readonly url: string
  readonly notify: McpHttpHandler['notify']
  /** The headers of the calls that arrived, oldest first. */
  readonly calls: readonly IncomingHttpHeaders[]
  /** Calls of the tool `wait` whose caller has gone. */
  cancelled(): number
  /** Ends every subscription deliberately. */
  close(): Promise<void>
}

const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] })

function registerTools(server: McpServer, onCancel: () => void): void {
  const region = { type: 'string', 'x-mcp-header': 'Region' }
  const query = fromJsonSchema<{ region: string; query: string }>({
    type: 'object',
    properties: { region, query: { type: 'string' } },
    required: ['region', 'query'],
  })
  server.registerTool('query', { description: 'Runs in a region.', inputSchema: query }, (given) =>
    text(`${given.query} in ${given.region}`),
  )
  server.registerTool('count', { description: 'Counts to three.' }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken ?? 'none'
    for (const progress of [1, 2, 3]) {
      await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } })
    }
    return text('counted')
  })
  server.registerTool('deploy', { description: 'Asks before it deploys.' }, (context) => {
    const given = acceptedContent<{ sure: boolean }>(context.mcpReq.inputResponses, 'sure')
    if (given !== undefined) return text(`sure: ${given.sure}, state: ${String(context.mcpReq.requestState())}`)
    const requestedSchema = { type: 'object' as const, properties: { sure: { type: 'boolean' as const } } }
    const sure = inputRequired.elicit({ message: 'Are you sure?', requestedSchema })
    return inputRequired({ inputRequests: { sure }, requestState: 'round "one" é \u2028' })
  })
  server.registerTool('wait', { description: 'Waits for its caller to go.' }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken ?? 'none'
    await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
    await new Promise<void>((resolve) => context.mcpReq.signal.addEventListener('abort', () => resolve()))
    onCancel()
    return text('gone')
  })
}

/** Starts one on a free port; it ends with the running test. */
export async function startModernServer(): Promise<ModernServer> {
  let cancelled = 0
  const calls: IncomingHttpHeaders[] = []
  const handler = createMcpHandler(
    () => {
      const capabilities = { tools: { listChanged: true }, resources: { listChanged: true }, prompts: {} }
      const server = new McpServer({ name: 'modern', version: '1' }, { capabilities, instructions: 'Be modern.' })
      registerTools(server, () => (cancelled += 1))
      server.registerResource('readme', 'test://readme', { mimeType: 'text/plain' }, (uri) => ({
        contents: [{ uri: uri.href, text: 'read me' }],
      }))
      server.registerPrompt('greet', { description: 'Greets.' }, () => ({
        messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'hello' } }],
      }))
      return server
    },
    { legacy: 'reject', keepAliveMs: 0 },
  )
  const answer = toNodeHandler(handler)
  const server = createServer((req, res) => {
    if (req.headers['mcp-method'] === 'tools/call') calls.push(req.headers)
    // WHY: the library's interface for requests does not allow for exactOptionalPropertyTypes.
    void answer(req as Parameters<typeof answer>[0], res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    await handler.close()
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  return { url, notify: handler.notify, calls, cancelled: () => cancelled, close: handler.close }
}

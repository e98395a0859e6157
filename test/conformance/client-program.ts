/**
 * Castellan as the client of the official suite's servers: the suite starts this program with the address of a server of
 * its own, the server is put behind a gateway, and a client of the official libraries uses it through that.
 *
 * `node client-program.ts <legacy|modern> <address>`; the suite names the scenario in the environment.
 */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { runCastellan } from '../world/running-castellan.ts'

/** What both lines of the official library can do. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string; inputSchema: object }[] }>
  listResources(): Promise<{ resources: { uri: string }[] }>
  listPrompts(): Promise<{ prompts: { name: string }[] }>
  readResource(params: { uri: string }): Promise<unknown>
  getPrompt(params: { name: string }): Promise<unknown>
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

const [, , era, upstreamUrl = ''] = process.argv
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as {
  toolCalls?: { name: string; arguments: Record<string, unknown> }[]
}
const clientInfo = { name: 'conformance-client', version: '1.0.0' }
const accepted = { action: 'accept' as const, content: { confirmed: true } }

async function connectModern(url: URL, headers: Record<string, string>): Promise<AnyClient> {
  const capabilities = { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: { listChanged: true } }
  const client = new ModernClient(clientInfo, { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities })
  client.setRequestHandler('elicitation/create', () => accepted)
  client.setRequestHandler('roots/list', () => ({ roots: [] }))
  client.setRequestHandler('sampling/createMessage', () => ({
    model: 'm',
    role: 'assistant' as const,
    content: { type: 'text' as const, text: 'Paris' },
  }))
  await client.connect(new ModernTransport(url, { requestInit: { headers } }))
  return client as AnyClient
}

async function connectLegacy(url: URL, headers: Record<string, string>): Promise<AnyClient> {
  const client = new Client(clientInfo, { capabilities: { elicitation: { form: { applyDefaults: true } } } })
  const isOfDefaults = scenario === 'elicitation-sep1034-client-defaults'
  client.setRequestHandler(ElicitRequestSchema, () => (isOfDefaults ? { action: 'accept', content: {} } : accepted))
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } })
  // WHY: the 1.x library's own transport does not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0])
  return client as unknown as AnyClient
}

/** The arguments that the suite gives, or those that its descriptions of scenarios ask for. */
function callsOf(tools: readonly { name: string; inputSchema: object }[]) {
  if (context.toolCalls !== undefined) return context.toolCalls
  if (scenario === 'tools_call') return [{ name: 'add_numbers', arguments: { a: 5, b: 3 } }]
  if (scenario === 'json-schema-2020-12-preservation') {
    const seen = tools.find(({ name }) => name === 'json_schema_2020_12_tool')
    return [{ name: 'json_schema_echo', arguments: { schema: seen?.inputSchema } }]
  }
  if (scenario === 'http-invalid-tool-headers') {
    return tools.map(({ name }) => ({ name, arguments: { region: 'us-west1' } }))
  }
  return tools.map(({ name }) => ({ name, arguments: {} }))
}

const tolerated = async (work: () => Promise<unknown>): Promise<void> => {
  await work().catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
}

async function use(client: AnyClient): Promise<void> {
  const { tools } = await client.listTools()
  await tolerated(async () => {
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
  })
  await tolerated(async () => {
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
  })
  for (const call of callsOf(tools)) await tolerated(() => client.callTool(call))
}

const castellan = await runCastellan({ CASTELLAN_LIMITS__ANSWER_BYTES: String(16 * 1024 * 1024) })
try {
  const token = await castellan.addUpstream('suite', upstreamUrl)
  const url = new URL(`${castellan.gatewayUrl}/servers/suite/mcp`)
  const client = await (era === 'modern' ? connectModern : connectLegacy)(url, { authorization: `Bearer ${token}` })
  await use(client)
  await client.close()
} finally {
  await castellan.end()
}

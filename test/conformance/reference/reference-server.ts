import {
  completable,
  fromJsonSchema,
  inputRequired,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { plainTools } from './plain-tools.ts'
import type { Desk, Json, ReferenceTool } from './reference-tool.ts'
import { completionsOf, prompts, type ReferencePrompt, resources, template } from './resources.ts'
import { codec, registerRounds } from './round-tools.ts'
import { talkingTools } from './talking-tools.ts'

/** Thrown where a call cannot go on without an answer of the client. */
class Asking extends Error {
  readonly request: ReturnType<typeof inputRequired>
  constructor(request: ReturnType<typeof inputRequired>) {
    super('asking the client')
    this.request = request
  }
}

function deskOf({ mcpReq, http }: ServerContext): Desk {
  return {
    async progress(progress, total) {
      const progressToken = mcpReq._meta?.progressToken
      if (progressToken === undefined) return
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } })
    },
    log: (line) => mcpReq.log('info', line),
    async ask(key, method, params) {
      const answer = mcpReq.inputResponses?.[key]
      if (answer !== undefined) return answer as Json
      throw new Asking(inputRequired({ inputRequests: { [key]: { method, params } as never } }))
    },
    hangUp: () => http?.closeSSE?.(),
  }
}

function registerTool(server: McpServer, tool: ReferenceTool): void {
  const call = async (given: Json, context: ServerContext) => {
    try {
      return { content: await tool.call(deskOf(context), given) }
    } catch (thrown) {
      if (thrown instanceof Asking) return thrown.request
      throw thrown
    }
  }
  const { name, description, inputSchema } = tool
  if (inputSchema === undefined) {
    server.registerTool(name, { description }, (context) => call({}, context))
    return
  }
  server.registerTool(name, { description, inputSchema: fromJsonSchema<Json>(inputSchema) }, call)
}

function registerPrompt(server: McpServer, { name, description, parameters, say }: ReferencePrompt): void {
  const messages = (given: Record<string, string>) => ({
    messages: say(given).map((content) => ({ role: 'user' as const, content })),
  })
  if (parameters.length === 0) {
    server.registerPrompt(name, { description }, () => messages({}))
    return
  }
  const shape = parameters.map((parameter) => [parameter, completable(z.string(), completionsOf)] as const)
  server.registerPrompt(name, { description, argsSchema: z.object(Object.fromEntries(shape)) }, messages)
}

/** How a server tells its clients that something changed: on the session, or to those who listen. */
export interface News {
  toolsChanged(): void
  promptsChanged(): void
}

/** Tools of the revision without sessions: what a client declares and hears, and headers that mirror arguments. */
function registerStateless(server: McpServer, news: News): void {
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] })
  const region = { type: 'string', description: 'Where to run', 'x-mcp-header': 'Region' }
  const inputSchema = fromJsonSchema<{ region?: string }>({ type: 'object', properties: { region } })
  server.registerTool('test_x_mcp_header', { description: 'Has an argument in a header.', inputSchema }, (given) =>
    text(`in ${given.region ?? 'no region'}`),
  )
  server.registerTool('test_logging_tool', { description: 'Logs to who wants to hear it.' }, async ({ mcpReq }) => {
    await mcpReq.log('info', 'logged by test_logging_tool')
    return text('logged')
  })
  server.registerTool('test_trigger_tool_change', { description: 'Tells that the tools changed.' }, () => {
    news.toolsChanged()
    return text('told')
  })
  server.registerTool('test_trigger_prompt_change', { description: 'Tells that the prompts changed.' }, () => {
    news.promptsChanged()
    return text('told')
  })
}

function registerResources(server: McpServer): void {
  for (const { name, uri, description, mimeType, content } of resources) {
    server.registerResource(name, uri, { description, mimeType }, ({ href }) => ({
      contents: [{ uri: href, mimeType, ...content }],
    }))
  }
  const { name, uriTemplate, description, mimeType, contentOf } = template
  const pattern = new ResourceTemplate(uriTemplate, { list: undefined, complete: { id: completionsOf } })
  server.registerResource(name, pattern, { description, mimeType }, ({ href }, { id }) => ({
    contents: [{ uri: href, mimeType, ...contentOf(String(id)) }],
  }))
  // SPEC: 2025-11-25, resources: the library leaves who subscribed to what to the server.
  server.server.setRequestHandler('resources/subscribe', () => ({}))
  server.server.setRequestHandler('resources/unsubscribe', () => ({}))
}

const capabilities = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  logging: {},
  completions: {},
}

const publicForAMinute = { ttlMs: 60_000, cacheScope: 'public' as const }

/** One server with everything that the suite asks for. @param news none: the session itself is told */
export function createReferenceServer(news?: News): McpServer {
  const server = new McpServer(
    { name: 'castellan-reference', version: '1.0.0' },
    {
      capabilities,
      requestState: { verify: codec.verify },
      cacheHints: { 'tools/list': publicForAMinute, 'resources/read': publicForAMinute },
    },
  )
  for (const tool of [...plainTools, ...talkingTools]) registerTool(server, tool)
  for (const prompt of prompts) registerPrompt(server, prompt)
  registerRounds(server)
  registerResources(server)
  const session = {
    toolsChanged: () => server.sendToolListChanged(),
    promptsChanged: () => server.sendPromptListChanged(),
  }
  registerStateless(server, news ?? session)
  return server
}

import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  ResultSchema,
  type ServerNotification,
  type ServerRequest,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { plainTools } from './plain-tools.ts'
import type { Desk } from './reference-tool.ts'
import { completionsOf, prompts, resources, template } from './resources.ts'
import { talkingTools } from './talking-tools.ts'

type Context = RequestHandlerExtra<ServerRequest, ServerNotification>

const tools = [...plainTools, ...talkingTools]

function deskOf(server: Server, { _meta: meta, sendNotification, sendRequest, closeSSEStream }: Context): Desk {
  const canSample = server.getClientCapabilities()?.sampling !== undefined
  const canElicit = server.getClientCapabilities()?.elicitation !== undefined
  return {
    async progress(progress, total) {
      const progressToken = meta?.progressToken
      if (progressToken === undefined) return
      await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total } })
    },
    log: (data) => sendNotification({ method: 'notifications/message', params: { level: 'info', data } }),
    async ask(_key, method, params) {
      const isAnswered = method === 'elicitation/create' ? canElicit : canSample
      if (!isAnswered) throw new Error(`the client does not answer ${method}`)
      return sendRequest({ method, params } as ServerRequest, ResultSchema)
    },
    hangUp: () => closeSSEStream?.(),
  }
}

function serveTools(server: Server): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, description, inputSchema }) => ({
      name,
      description,
      inputSchema: { ...inputSchema, type: 'object' as const },
    })),
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, context) => {
    const tool = tools.find(({ name }) => name === params.name)
    if (tool === undefined) throw new McpError(ErrorCode.InvalidParams, 'no such tool')
    try {
      return { content: await tool.call(deskOf(server, context), params.arguments ?? {}) }
    } catch (thrown) {
      return { content: [{ type: 'text' as const, text: String(thrown) }], isError: true }
    }
  })
}

function serveResources(server: Server): void {
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: resources.map(({ content: _content, ...listed }) => listed),
  }))
  const { contentOf, ...listed } = template
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [listed] }))
  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => {
    const known = resources.find((resource) => resource.uri === uri)
    if (known !== undefined) return { contents: [{ uri, mimeType: known.mimeType, ...known.content }] }
    const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1]
    if (id === undefined) throw new McpError(-32002, 'no such resource', { uri })
    return { contents: [{ uri, mimeType: template.mimeType, ...contentOf(id) }] }
  })
  server.setRequestHandler(SubscribeRequestSchema, () => ({}))
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}))
}

function servePrompts(server: Server): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: prompts.map(({ name, description, parameters }) => ({
      name,
      description,
      arguments: parameters.map((parameter) => ({ name: parameter, required: true })),
    })),
  }))
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = prompts.find(({ name }) => name === params.name)
    if (prompt === undefined) throw new McpError(ErrorCode.InvalidParams, 'no such prompt')
    return { messages: prompt.say(params.arguments ?? {}).map((content) => ({ role: 'user' as const, content })) }
  })
  server.setRequestHandler(CompleteRequestSchema, ({ params }) => ({
    completion: { values: completionsOf(params.argument.value) },
  }))
}

/** What the suite asks of the legacy era, on the first line of the official library. */
export function createFirstLineServer(): Server {
  const server = new Server(
    { name: 'castellan-reference', version: '1.0.0' },
    {
      capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, logging: {}, completions: {} },
    },
  )
  serveTools(server)
  serveResources(server)
  servePrompts(server)
  return server
}

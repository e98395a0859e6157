import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, onTestFinished, test } from 'vitest'
import { startWorld, type World } from '../world/castellan.ts'
import { peerCommands, putBehind, startEverythingHttp } from '../world/servers/peers.ts'

type Wire = 'mcp' | 'sse'

async function connect(world: World, wire: Wire, token: string) {
  const capabilities = { elicitation: {}, tasks: { list: {}, cancel: {} } }
  const client = new Client({ name: 'tasks', version: '1' }, { capabilities })
  const related: unknown[] = []
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    related.push(params._meta?.['io.modelcontextprotocol/related-task'])
    return { action: 'accept', content: { interpretation: 'technical' } }
  })
  const url = new URL(`${world.gatewayUrl}/servers/everything/${wire}`)
  const headers = { authorization: `Bearer ${token}` }
  const options = {
    requestInit: { headers },
    eventSourceInit: {
      fetch: (input: string | URL | Request, init?: RequestInit) =>
        fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), ...headers } }),
    },
  }
  const transport =
    wire === 'mcp' ? new StreamableHTTPClientTransport(url, options) : new SSEClientTransport(url, options)
  // WHY: the 1.x library's own transports do not satisfy their interface under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0])
  onTestFinished(() => client.close())
  return { client, related }
}

test.each([
  ['mcp', 'stdio', async () => ({ command: peerCommands.everything })],
  ['mcp', 'Streamable HTTP', async () => ({ url: await startEverythingHttp() })],
  ['sse', 'stdio', async () => ({ command: peerCommands.everything })],
] as const)(
  'a task of server-everything runs to its end, from /%s to %s, under one id',
  async (wire, _, start) => {
    const world = await startWorld()
    const { token } = await putBehind(world.ana, 'everything', await start())
    const { client, related } = await connect(world, wire, token)
    const ids = new Set<string>()
    let text = ''
    const research = { name: 'simulate-research-query', arguments: { topic: 'castles', ambiguous: true } }
    for await (const message of client.experimental.tasks.callToolStream(research, CallToolResultSchema, {
      task: { ttl: 60_000 },
    })) {
      if (message.type === 'taskCreated' || message.type === 'taskStatus') ids.add(message.task.taskId)
      if (message.type === 'error') throw message.error
      if (message.type === 'result') text = JSON.stringify(message.result.content)
    }
    expect(text).toContain('castles')
    const [id, ...more] = ids
    expect(more).toEqual([])
    expect(related).toEqual([{ taskId: id }])
    const { tasks } = await client.experimental.tasks.listTasks()
    expect(tasks.map(({ taskId }) => taskId)).toEqual([id])
  },
  60_000,
)

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startWorld } from '../world/castellan.ts'
import { startModernServer } from '../world/servers/modern-server.ts'
import { putBehind } from '../world/servers/peers.ts'

type Mode = 'legacy' | 'auto' | { pin: string }

const pinned: Mode = { pin: '2026-07-28' }
const notesServer = join(import.meta.dirname, '../../examples/notes-server/notes-server.ts')

async function connect(url: string, token?: string, mode: Mode = pinned): Promise<Client> {
  const client = new Client(
    { name: 'today', version: '1' },
    { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } },
  )
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
  onTestFinished(() => client.close())
  return client
}

/** The same client twice: straight to the server, and through the gateway. */
async function bothWays(mode: Mode = pinned) {
  const [world, server] = [await startWorld(), await startModernServer()]
  const { token } = await putBehind(world.ana, 'modern', { url: server.url })
  const through = `${world.gatewayUrl}/servers/modern/mcp`
  const [direct, client] = [await connect(server.url, undefined, mode), await connect(through, token, mode)]
  return { world, server, direct, client, token, through }
}

async function everyList(client: Client) {
  const { cacheScope: _ofTools, ...tools } = await client.listTools()
  const { cacheScope: _ofResources, ...resources } = await client.listResources()
  const { cacheScope: _ofTemplates, ...templates } = await client.listResourceTemplates()
  const { cacheScope: _ofPrompts, ...prompts } = await client.listPrompts()
  return { tools, resources, templates, prompts }
}

test.each<[string, Mode]>([
  ['pinned to 2026-07-28', pinned],
  ['on auto', 'auto'],
])(
  'the official client, %s, finds the same server, lists, resource and prompt as on a direct connection',
  async (_, mode) => {
    const { client, direct } = await bothWays(mode)
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
    expect(client.getServerCapabilities()).toEqual(direct.getServerCapabilities())
    expect(client.getInstructions()).toBe('Be modern.')
    const lists = await everyList(client)
    expect(lists).toEqual(await everyList(direct))
    expect(lists.tools.tools.map((tool) => tool.name)).toEqual(['query', 'count', 'deploy', 'wait'])
    const asked = { uri: 'test://readme' }
    expect(await client.readResource(asked)).toEqual(await direct.readResource(asked))
    expect(await client.getPrompt({ name: 'greet' })).toEqual(await direct.getPrompt({ name: 'greet' }))
  },
)

test('arguments that a tool wants in headers reach the server in its Mcp-Param headers, in any script', async () => {
  const { client, direct, server } = await bothWays()
  const call = { name: 'query', arguments: { region: ' Köln', query: 'select 1' } }
  await Promise.all([client.listTools(), direct.listTools()])
  const answer = await client.callTool(call)
  expect(answer).toEqual(await direct.callTool(call))
  const [first, second] = server.calls
  expect(first?.['mcp-param-region']).toMatch(/^=\?base64\?/)
  expect(first?.['mcp-param-region']).toBe(second?.['mcp-param-region'])
})

test('progress of a call arrives in order before its result', async () => {
  const { client } = await bothWays()
  const progress: number[] = []
  const answer = await client.callTool({ name: 'count' }, { onprogress: (note) => progress.push(note.progress) })
  expect(progress).toEqual([1, 2, 3])
  expect(answer.content).toEqual([{ type: 'text', text: 'counted' }])
})

test('a call that needs input asks for it, and its second round carries answer and state unchanged', async () => {
  const { client, world } = await bothWays()
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept' as const, content: { sure: true } }))
  const answer = await client.callTool({ name: 'deploy' })
  expect(answer.content).toEqual([{ type: 'text', text: 'sure: true, state: round "one" é \u2028' }])
  const intents = await world.ledger('&event=call.intended')
  expect(intents.filter(({ target }) => target?.name === 'deploy')).toHaveLength(2)
})

test('a subscription is acknowledged, tells of changes, and ends at the server when the client closes it', async () => {
  const { client, server } = await bothWays()
  const heard: string[] = []
  client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'))
  client.setNotificationHandler('notifications/resources/list_changed', () => void heard.push('resources'))
  const subscription = await client.listen({ toolsListChanged: true })
  expect(subscription.honoredFilter).toEqual({ toolsListChanged: true })
  server.notify.resourcesChanged()
  server.notify.toolsChanged()
  await vi.waitFor(() => expect(heard).toEqual(['tools']))
  await subscription.close()
  expect(await subscription.closed).toBe('local')
})

test('a server that ends a subscription is heard as doing so deliberately', async () => {
  const { client, server } = await bothWays()
  const subscription = await client.listen({ toolsListChanged: true })
  await server.close()
  expect(await subscription.closed).toBe('graceful')
})

test('a client that aborts a call ends it at the server', async () => {
  const { client, server } = await bothWays()
  const ended = new AbortController()
  const call = client.callTool({ name: 'wait' }, { signal: ended.signal, onprogress: () => ended.abort('enough') })
  await expect(call).rejects.toThrow()
  await vi.waitFor(() => expect(server.cancelled()).toBe(1))
})

test('errors of the server arrive with its own code and words', async () => {
  const { client, direct } = await bothWays()
  const fails = (through: Client) => through.readResource({ uri: 'test://nowhere' }).catch((error: unknown) => error)
  const [seen, expected] = [await fails(client), await fails(direct)]
  expect(seen).toMatchObject({ code: -32602 })
  expect(String(seen)).toBe(String(expected))
})

test('the notes server answers a client of 2026-07-28 over stdio through the gateway', async () => {
  const world = await startWorld()
  const { token } = await putBehind(world.ana, 'notes', { command: [process.execPath, notesServer] })
  const client = await connect(`${world.gatewayUrl}/servers/notes/mcp`, token)
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  const { tools } = await client.listTools()
  expect(tools.map((tool) => tool.name)).toContain('list_notes')
  const notes = await client.callTool({ name: 'list_notes', arguments: {} })
  expect(notes.isError ?? false).toBe(false)
  const { resources } = await client.listResources()
  expect(resources.map((resource) => resource.uri)).toEqual(['notes://all'])
  const { contents } = await client.readResource({ uri: 'notes://all' })
  expect(contents).toHaveLength(1)
  expect((await client.listPrompts()).prompts).toHaveLength(1)
})

import {
  Client as ClientOfToday,
  StreamableHTTPClientTransport as TransportOfToday,
} from '@modelcontextprotocol/client'
import { Client as ClientOfBefore } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportOfBefore } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startWorld, type World } from '../world/castellan.ts'
import { startModernServer } from '../world/servers/modern-server.ts'
import { peerCommands, putBehind } from '../world/servers/peers.ts'
import { temporaryFolder } from '../world/folder.ts'

const notesServer = join(import.meta.dirname, '../../examples/notes-server/notes-server.ts')

/** What both libraries' clients have in common here. */
interface Peer {
  listTools(): Promise<{ tools: { name: string }[] }>
  listResources(): Promise<{ resources: { uri: string }[] }>
  listPrompts(): Promise<{ prompts: { name: string }[] }>
  readResource(asked: { uri: string }): Promise<{ contents: { uri: string }[] }>
  getPrompt(asked: { name: string }): Promise<{ messages: unknown[] }>
  callTool(request: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>
  complete(asked: {
    ref: { type: 'ref/prompt'; name: string }
    argument: { name: string; value: string }
  }): Promise<{ completion: { values: string[] } }>
  getInstructions(): string | undefined
  getServerVersion(): { name: string } | undefined
}

type Connect = (url: URL, token: string, asked: string[]) => Promise<Peer>

const given = { action: 'accept' as const, content: { sure: true } }

const connectBefore: Connect = async (url, token, asked) => {
  const client = new ClientOfBefore({ name: 'before', version: '1' }, { capabilities: { elicitation: {} } })
  client.setRequestHandler(ElicitRequestSchema, (request) => {
    asked.push(request.params.message)
    return given
  })
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  const transport = new TransportOfBefore(url, { requestInit })
  // WHY: the 1.x library's own transport does not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<ClientOfBefore['connect']>[0])
  onTestFinished(() => client.close())
  return client as Peer
}

function connectToday(mode: 'legacy' | 'auto'): Connect {
  return async (url, token, asked) => {
    const capabilities = { elicitation: { form: {} } }
    const client = new ClientOfToday({ name: 'today', version: '1' }, { versionNegotiation: { mode }, capabilities })
    client.setRequestHandler('elicitation/create', (request) => {
      asked.push(request.params.message)
      return given
    })
    const requestInit = { headers: { authorization: `Bearer ${token}` } }
    await client.connect(new TransportOfToday(url, { requestInit }))
    onTestFinished(() => client.close())
    return client as unknown as Peer
  }
}

const clients: [string, Connect][] = [
  ['1.x', connectBefore],
  ['2.x legacy', connectToday('legacy')],
  ['2.x auto', connectToday('auto')],
]

async function worldOfTwo(): Promise<{ world: World; token: string; url: URL }> {
  const [world, server] = [await startWorld(), await startModernServer()]
  await putBehind(world.ana, 'modern', { url: server.url })
  return { world, token: await world.ana.mint('/mcp'), url: new URL(`${world.gatewayUrl}/mcp`) }
}

describe.each(clients)('the official client %s', (_, connect) => {
  test('finds the tools, resources and prompts of two servers under one address, and uses them', async () => {
    const { world, token, url } = await worldOfTwo()
    const client = await connect(url, token, [])
    expect(client.getServerVersion()?.name).toBe('castellan')
    expect(client.getInstructions()).toBe('# modern\n\nBe modern.')
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual([
      'books__echo',
      'books__slow',
      'books__drip',
      'books__secret_tool',
      'modern__query',
      'modern__count',
      'modern__deploy',
      'modern__wait',
    ])
    const echoed = await client.callTool({ name: 'books__echo', arguments: { text: 'to books' } })
    expect(echoed).toMatchObject({ content: [{ text: '{"text":"to books"}' }] })
    const { resources } = await client.listResources()
    expect(resources.map(({ uri }) => uri)).toEqual(['books+test://open', 'modern+test://readme'])
    const read = await client.readResource({ uri: 'modern+test://readme' })
    expect(read.contents).toMatchObject([{ uri: 'modern+test://readme', text: 'read me' }])
    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name)).toEqual(['books__greet', 'modern__greet'])
    expect((await client.getPrompt({ name: 'modern__greet' })).messages).toHaveLength(1)
    expect(world.books.calls('tools/call').map(({ message }) => message?.params?.['name'])).toEqual(['echo'])
  })

  test('is asked by a server under its name, and the answer gets back to that server', async () => {
    const { token, url } = await worldOfTwo()
    const asked: string[] = []
    const client = await connect(url, token, asked)
    const deployed = await client.callTool({ name: 'modern__deploy' })
    expect(asked).toEqual(['[modern] Are you sure?'])
    expect(deployed).toMatchObject({ content: [{ text: 'sure: true, state: round "one" é \u2028' }] })
  })
})

describe.each(clients)('the official client %s, before servers of the legacy revisions', (_, connect) => {
  test('uses four servers that others wrote at one address, and three of them as a bundle', async () => {
    const world = await startWorld()
    const folder = temporaryFolder()
    await putBehind(world.ana, 'notes', { command: [process.execPath, notesServer] })
    await putBehind(world.ana, 'everything', { command: peerCommands.everything })
    await putBehind(world.ana, 'memory', { command: peerCommands.memory })
    await putBehind(world.ana, 'files', { command: peerCommands.filesystem(folder) })
    const bundled = await world.ana.api('POST', '/bundles', { name: 'work', upstreams: ['memory', 'files', 'notes'] })
    expect(bundled.status).toBe(201)

    const all = await connect(new URL(`${world.gatewayUrl}/mcp`), await world.ana.mint('/mcp'), [])
    const { tools } = await all.listTools()
    const servers = [...new Set(tools.map(({ name }) => name.split('__')[0]))]
    expect(servers).toEqual(['books', 'everything', 'files', 'memory', 'notes'])
    const summed = await all.callTool({ name: 'everything__get-sum', arguments: { a: 2, b: 3 } })
    expect(JSON.stringify(summed)).toContain('5')
    const ref = { type: 'ref/prompt' as const, name: 'everything__completable-prompt' }
    const { completion } = await all.complete({ ref, argument: { name: 'department', value: 'Eng' } })
    expect(completion.values).toEqual(['Engineering'])
    expect(await all.callTool({ name: 'memory__read_graph' })).toMatchObject({ content: [{ type: 'text' }] })

    const path = '/bundles/work/mcp'
    const some = await connect(new URL(`${world.gatewayUrl}${path}`), await world.ana.mint(path), [])
    const ofWork = (await some.listTools()).tools.map(({ name }) => name)
    expect([...new Set(ofWork.map((name) => name.split('__')[0]))]).toEqual(['memory', 'files', 'notes'])
    expect(await some.callTool({ name: 'notes__list_notes' })).toMatchObject({ content: [{ type: 'text' }] })
    await expect(some.callTool({ name: 'everything__get-sum', arguments: { a: 2, b: 3 } })).rejects.toThrow(
      'there is no `tool` `everything__get-sum` that you may use on `/bundles/work/mcp`',
    )
  }, 60_000)
})

async function listener(world: World, mode: 'auto' | 'legacy'): Promise<string[]> {
  const heard: string[] = []
  const client = new ClientOfToday({ name: 'today', version: '1' }, { versionNegotiation: { mode } })
  client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'))
  client.setNotificationHandler('notifications/prompts/list_changed', () => void heard.push('prompts'))
  const requestInit = { headers: { authorization: `Bearer ${await world.ana.mint('/mcp')}` } }
  await client.connect(new TransportOfToday(new URL(`${world.gatewayUrl}/mcp`), { requestInit }))
  onTestFinished(() => client.close())
  if (mode === 'auto') {
    const subscription = await client.listen({ toolsListChanged: true })
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true })
  }
  return heard
}

test.each(['auto', 'legacy'] as const)(
  'a client on %s hears of every server, and of what an administrator changes',
  async (mode) => {
    const [world, server] = [await startWorld(), await startModernServer()]
    await putBehind(world.ana, 'modern', { url: server.url })
    const heard = await listener(world, mode)
    await vi.waitFor(
      () => {
        server.notify.toolsChanged()
        expect(heard).toContain('tools')
      },
      { timeout: 10_000, interval: 200 },
    )
    await new Promise((resolve) => setTimeout(resolve, 500))
    const before = heard.length
    await world.ana.api('POST', '/upstreams/books/tools/reject', { tools: ['echo'] })
    await vi.waitFor(() => expect(heard.length).toBeGreaterThan(before), { timeout: 10_000 })
  },
  30_000,
)

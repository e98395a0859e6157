import { mkdtempSync, writeFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Client as ClientOfToday,
  StreamableHTTPClientTransport as TransportOfToday,
} from '@modelcontextprotocol/client'
import { Client as ClientOfBefore } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportOfBefore } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, onTestFinished, test } from 'vitest'
import { startWorld, type World } from '../world/castellan.ts'
import { peerCommands, putBehind, startEverythingHttp } from '../world/peers.ts'

interface Peer {
  listTools(): Promise<{ tools: { name: string }[] }>
  callTool(request: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

function reach(world: World, upstream: string, token: string) {
  const url = new URL(`${world.gatewayUrl}/servers/${upstream}/mcp`)
  return { url, options: { requestInit: { headers: { authorization: `Bearer ${token}` } } } }
}

async function connectBefore(world: World, upstream: string, token: string): Promise<ClientOfBefore> {
  const { url, options } = reach(world, upstream, token)
  const client = new ClientOfBefore(
    { name: 'before', version: '1' },
    { capabilities: { sampling: {}, elicitation: {} } },
  )
  // WHY: the 1.x library's own transport does not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(new TransportOfBefore(url, options) as Parameters<ClientOfBefore['connect']>[0])
  onTestFinished(() => client.close())
  return client
}

async function connectToday(world: World, upstream: string, token: string, mode: 'legacy' | 'auto') {
  const { url, options } = reach(world, upstream, token)
  const client = new ClientOfToday({ name: 'today', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new TransportOfToday(url, options))
  onTestFinished(() => client.close())
  return client
}

const clients: [string, (world: World, upstream: string, token: string) => Promise<Peer>][] = [
  ['1.x', connectBefore],
  ['2.x legacy', (world, upstream, token) => connectToday(world, upstream, token, 'legacy')],
  ['2.x auto', (world, upstream, token) => connectToday(world, upstream, token, 'auto')],
]

test.each(clients)(
  'the official client %s calls server-everything over HTTP through the gateway',
  async (_, connect) => {
    const world = await startWorld()
    const { token, tools } = await putBehind(world.ana, 'everything', { url: await startEverythingHttp() })
    const client = await connect(world, 'everything', token)
    expect((await client.listTools()).tools.map((tool) => tool.name).toSorted()).toEqual(tools.toSorted())
    const answer = await client.callTool({ name: 'echo', arguments: { message: 'through the gate' } })
    expect(JSON.stringify(answer)).toContain('through the gate')
  },
)

test.each(clients)(
  'the official client %s calls server-everything over stdio through the gateway',
  async (_, connect) => {
    const world = await startWorld()
    const { token, tools } = await putBehind(world.ana, 'everything', { command: peerCommands.everything })
    const client = await connect(world, 'everything', token)
    expect((await client.listTools()).tools.map((tool) => tool.name).toSorted()).toEqual(tools.toSorted())
    const answer = await client.callTool({ name: 'echo', arguments: { message: 'through the gate' } })
    expect(JSON.stringify(answer)).toContain('through the gate')
  },
)

test('server-filesystem reads a file, and refuses one outside its folder, through the gateway', async () => {
  const world = await startWorld()
  const folder = mkdtempSync(join(tmpdir(), 'castellan-files-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'note.txt'), 'kept in the castle')
  const { token } = await putBehind(world.ana, 'files', { command: peerCommands.filesystem(folder) })
  const client = await connectBefore(world, 'files', token)
  const read = await client.callTool({ name: 'read_text_file', arguments: { path: join(folder, 'note.txt') } })
  expect(JSON.stringify(read)).toContain('kept in the castle')
  const outside = await client.callTool({ name: 'read_text_file', arguments: { path: '/etc/hostname' } })
  expect(outside).toMatchObject({ isError: true })
  const completed = await world.ledger('&event=call.completed')
  expect(completed.at(-1)).toMatchObject({ outcome: 'failed', details: { isToolError: true } })
})

test('server-memory remembers within a session through the gateway', async () => {
  const world = await startWorld()
  const folder = mkdtempSync(join(tmpdir(), 'castellan-memory-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const environment = { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') }
  const { token } = await putBehind(world.ana, 'memory', { command: peerCommands.memory, environment })
  const client = await connectToday(world, 'memory', token, 'auto')
  const entities = [{ name: 'castle', entityType: 'place', observations: ['has a gate'] }]
  await client.callTool({ name: 'create_entities', arguments: { entities } })
  expect(JSON.stringify(await client.callTool({ name: 'read_graph' }))).toContain('has a gate')
})

for (const transport of ['http', 'stdio'] as const) {
  test(`sampling, elicitation and progress travel both ways over ${transport}`, async () => {
    const world = await startWorld()
    const upstream = transport === 'http' ? { url: await startEverythingHttp() } : { command: peerCommands.everything }
    await putBehind(world.ana, 'everything', upstream)
    const token = await world.ana.mint('everything')
    const client = await connectBefore(world, 'everything', token)
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({
      model: 'none',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: 'sampled answer' },
    }))
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'decline' as const }))
    await world.ana.api('POST', '/upstreams/everything/review', {})
    const progress: number[] = []
    await client.callTool({ name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 } }, undefined, {
      onprogress: (note) => progress.push(note.progress),
    })
    expect(progress).toEqual([1, 2, 3, 4])
    const names = (await client.listTools()).tools.map((tool) => tool.name)
    const { body } = await world.ana.api('GET', '/upstreams/everything/tools')
    const waiting = (body['items'] as { tool: string; status: string }[]).filter((pin) => pin.status !== 'approved')
    // WHY: this server offers more tools to a client that can sample; an admin approves them when they show up.
    for (const pin of waiting) await world.ana.api('POST', '/upstreams/everything/tools/approve', { tools: [pin.tool] })
    expect(names.length).toBeGreaterThan(5)
    const sampled = await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'say', maxTokens: 10 },
    })
    expect(JSON.stringify(sampled)).toContain('sampled answer')
  })
}

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
import { describe, expect, onTestFinished, test } from 'vitest'
import { startWorld, type World } from '../world/castellan.ts'
import { peerCommands, putBehind, startEverythingHttp } from '../world/servers/peers.ts'

interface Peer {
  listTools(): Promise<{ tools: { name: string }[] }>
  callTool(request: { name: string; arguments?: Record<string, unknown> }): Promise<unknown>
  close(): Promise<void>
}

interface Place {
  readonly url: URL
  readonly options: { requestInit?: { headers: Record<string, string> } }
}

function through(world: World, upstream: string, token: string): Place {
  const url = new URL(`${world.gatewayUrl}/servers/${upstream}/mcp`)
  return { url, options: { requestInit: { headers: { authorization: `Bearer ${token}` } } } }
}

async function connectBefore({ url, options }: Place): Promise<ClientOfBefore> {
  const client = new ClientOfBefore(
    { name: 'before', version: '1' },
    { capabilities: { sampling: {}, elicitation: {} } },
  )
  // WHY: the 1.x library's own transport does not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(new TransportOfBefore(url, options) as Parameters<ClientOfBefore['connect']>[0])
  onTestFinished(() => client.close())
  return client
}

async function connectToday({ url, options }: Place, mode: 'legacy' | 'auto') {
  const client = new ClientOfToday({ name: 'today', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new TransportOfToday(url, options))
  onTestFinished(() => client.close())
  return client
}

const clients: [string, (place: Place) => Promise<Peer>][] = [
  ['1.x', connectBefore],
  ['2.x legacy', (place) => connectToday(place, 'legacy')],
  ['2.x auto', (place) => connectToday(place, 'auto')],
]

async function toolsSeenBy(client: Peer): Promise<string[]> {
  return (await client.listTools()).tools.map((tool) => tool.name)
}

describe.each(clients)('the official client %s', (_, connect) => {
  for (const transport of ['HTTP', 'stdio'] as const) {
    test(`sees the tools of server-everything over ${transport} as on a direct connection, and calls one`, async () => {
      const world = await startWorld()
      const url = await startEverythingHttp()
      const upstream = transport === 'HTTP' ? { url } : { command: peerCommands.everything }
      const { token } = await putBehind(world.ana, 'everything', upstream)
      const direct = await connect({ url: new URL(url), options: {} })
      const client = await connect(through(world, 'everything', token))
      const seen = await toolsSeenBy(client)
      expect(seen).toContain('echo')
      // WHY: this server offers some tools only to clients that can sample; who did not see them could not approve them.
      expect(seen).toEqual((await toolsSeenBy(direct)).filter((name) => name !== 'get-roots-list'))
      const answer = await client.callTool({ name: 'echo', arguments: { message: 'through the gate' } })
      expect(JSON.stringify(answer)).toContain('through the gate')
    })
  }
})

test('server-filesystem reads a file, and refuses one outside its folder, through the gateway', async () => {
  const world = await startWorld()
  const folder = mkdtempSync(join(tmpdir(), 'castellan-files-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'note.txt'), 'kept in the castle')
  const { token } = await putBehind(world.ana, 'files', { command: peerCommands.filesystem(folder) })
  const client = await connectBefore(through(world, 'files', token))
  const read = await client.callTool({ name: 'read_text_file', arguments: { path: join(folder, 'note.txt') } })
  expect(JSON.stringify(read)).toContain('kept in the castle')
  const outside = await client.callTool({ name: 'read_text_file', arguments: { path: '/etc/hostname' } })
  expect(outside).toMatchObject({ isError: true })
  // WHY: the answer is sent before its end is on record.
  const last = async () => (await world.ledger('&event=call.completed')).at(-1)
  await expect.poll(last).toMatchObject({ outcome: 'failed', details: { isToolError: true } })
})

test('server-memory remembers within a session through the gateway', async () => {
  const world = await startWorld()
  const folder = mkdtempSync(join(tmpdir(), 'castellan-memory-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const environment = { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') }
  const { token } = await putBehind(world.ana, 'memory', { command: peerCommands.memory, environment })
  const client = await connectToday(through(world, 'memory', token), 'auto')
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
    const client = await connectBefore(through(world, 'everything', token))
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({
      model: 'none',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: 'sampled answer' },
    }))
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'decline' as const }))
    const progress: number[] = []
    await client.callTool({ name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 } }, undefined, {
      onprogress: (note) => progress.push(note.progress),
    })
    expect(progress).toEqual([1, 2, 3, 4])
    const sampled = await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'say', maxTokens: 10 },
    })
    expect(JSON.stringify(sampled)).toContain('sampled answer')
  })
}

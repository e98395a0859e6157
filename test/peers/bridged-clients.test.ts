import { join } from 'node:path'
import { Client as ClientOfToday } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioOfToday } from '@modelcontextprotocol/client/stdio'
import { Client as ClientOfBefore } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioOfBefore } from '@modelcontextprotocol/sdk/client/stdio.js'
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, onTestFinished, test, vi } from 'vitest'
import { forAllTests } from '../ending.ts'
import { startWorld, type World } from '../world/castellan.ts'
import { startModernServer } from '../world/servers/modern-server.ts'
import { peerCommands, putBehind, startEverythingHttp } from '../world/servers/peers.ts'

const launcher = join(import.meta.dirname, '../../bin/castellan.js')
const theWorld = forAllTests(() => startWorld())

/** How a client of stdio starts the bridge; the token is in its environment only. */
function bridgeTo(world: World, upstream: string, token: string) {
  return {
    command: process.execPath,
    args: [launcher, 'bridge', `${world.gatewayUrl}/servers/${upstream}/mcp`],
    env: { PATH: process.env['PATH'] ?? '', HOME: world.dataDir, CASTELLAN_TOKEN: token },
    stderr: 'pipe' as const,
  }
}

async function connectBefore(world: World, upstream: string, token: string): Promise<ClientOfBefore> {
  const client = new ClientOfBefore(
    { name: 'before', version: '1' },
    { capabilities: { sampling: {}, elicitation: {} } },
  )
  await client.connect(new StdioOfBefore(bridgeTo(world, upstream, token)))
  onTestFinished(() => client.close())
  return client
}

interface Heard {
  readonly method?: string
  readonly params?: { readonly progress?: unknown }
}

/** What arrives, before the client makes something of it: it drops progress that it reads together with the answer. */
function overhear(client: ClientOfBefore | ClientOfToday): { progress(): unknown[] } {
  const heard: Heard[] = []
  const transport = client.transport as { onmessage?: (message: Heard) => void } | undefined
  const pass = transport?.onmessage
  if (transport === undefined || pass === undefined) throw new Error('the client is not connected')
  transport.onmessage = (message) => {
    heard.push(message)
    pass(message)
  }
  return {
    progress: () =>
      heard.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params?.progress),
  }
}

async function connectToday(world: World, upstream: string, token: string): Promise<ClientOfToday> {
  const client = new ClientOfToday(
    { name: 'today', version: '1' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } }, capabilities: { elicitation: { form: {} } } },
  )
  await client.connect(new StdioOfToday(bridgeTo(world, upstream, token)))
  onTestFinished(() => client.close())
  return client
}

for (const transport of ['http', 'stdio'] as const) {
  test(`the 1.x client reaches server-everything (${transport}) over the bridge: sampling, elicitation, progress`, async () => {
    const world = theWorld()
    const upstream = transport === 'http' ? { url: await startEverythingHttp() } : { command: peerCommands.everything }
    const name = `talking-${transport}`
    const { token } = await putBehind(world.ana, name, upstream)
    const client = await connectBefore(world, name, token)
    client.setRequestHandler(CreateMessageRequestSchema, async () => ({
      model: 'none',
      role: 'assistant' as const,
      content: { type: 'text' as const, text: 'sampled answer' },
    }))
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'decline' as const }))
    expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('echo')
    const heard = overhear(client)
    const slow = { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 } }
    await client.callTool(slow, undefined, { onprogress: () => undefined })
    expect(heard.progress()).toEqual([1, 2, 3, 4])
    const sampled = await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'say', maxTokens: 10 },
    })
    expect(JSON.stringify(sampled)).toContain('sampled answer')
    const elicited = await client.callTool({ name: 'trigger-elicitation-request', arguments: {} })
    expect(JSON.stringify(elicited)).toContain('declined')
  })
}

test('a call that a 1.x client cancels ends at the server, and the session goes on', async () => {
  const world = theWorld()
  const { token } = await putBehind(world.ana, 'slow', { command: peerCommands.everything })
  const client = await connectBefore(world, 'slow', token)
  const ended = new AbortController()
  const call = client.callTool(
    { name: 'trigger-long-running-operation', arguments: { duration: 20, steps: 40 } },
    undefined,
    {
      signal: ended.signal,
      onprogress: () => ended.abort('enough'),
    },
  )
  await expect(call).rejects.toThrow()
  const answer = await client.callTool({ name: 'echo', arguments: { message: 'still here' } })
  expect(JSON.stringify(answer)).toContain('still here')
  const ends = async () =>
    (await world.ledger('&event=call.completed')).filter(
      ({ target }) => target?.upstream === 'slow' && target.name !== undefined,
    )
  await expect
    .poll(async () => (await ends()).map(({ outcome }) => outcome).toSorted())
    .toEqual(['failed', 'succeeded'])
})

test('a client that closes its side ends its session at the server before the bridge ends', async () => {
  const world = theWorld()
  const client = await connectBefore(world, 'books', await world.ana.mint('books'))
  await client.listTools()
  expect(world.books.arrived.map(({ httpMethod }) => httpMethod)).toContain('GET')
  await client.close()
  expect(world.books.arrived.map(({ httpMethod }) => httpMethod)).toContain('DELETE')
})

test('the 2.x client of 2026-07-28 asks, is asked, cancels and subscribes over the bridge', async () => {
  const [world, server] = [theWorld(), await startModernServer()]
  const { token } = await putBehind(world.ana, 'modern', { url: server.url })
  const client = await connectToday(world, 'modern', token)
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  const heardOf = overhear(client)
  await client.callTool({ name: 'count' }, { onprogress: () => undefined })
  expect(heardOf.progress()).toEqual([1, 2, 3])
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept' as const, content: { sure: true } }))
  const answer = await client.callTool({ name: 'deploy' })
  expect(answer.content).toEqual([{ type: 'text', text: 'sure: true, state: round "one" é \u2028' }])
  const ended = new AbortController()
  const call = client.callTool({ name: 'wait' }, { signal: ended.signal, onprogress: () => ended.abort('enough') })
  await expect(call).rejects.toThrow()
  await vi.waitFor(() => expect(server.cancelled()).toBe(1))
  const heard: string[] = []
  client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'))
  const subscription = await client.listen({ toolsListChanged: true })
  server.notify.toolsChanged()
  await vi.waitFor(() => expect(heard).toEqual(['tools']))
  await subscription.close()
})

test('arguments that a tool wants in headers get there, also for a tool that was never listed', async () => {
  const [world, server] = [theWorld(), await startModernServer()]
  const { token } = await putBehind(world.ana, 'mirrored', { url: server.url })
  const client = await connectToday(world, 'mirrored', token)
  const called = await client.callTool({ name: 'query', arguments: { region: ' Köln', query: 'select 1' } })
  expect(called.isError ?? false).toBe(false)
  expect(server.calls.at(-1)?.['mcp-param-region']).toMatch(/^=\?base64\?/)
})

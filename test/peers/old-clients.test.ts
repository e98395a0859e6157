import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import {
  Client as ClientOfToday,
  StreamableHTTPClientTransport as TransportOfToday,
} from '@modelcontextprotocol/client'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { ElicitRequestSchema, PromptListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startWorld, type World } from '../world/castellan.ts'
import { startSessionServer } from '../world/servers/session-server.ts'
import { startSseServer } from '../world/servers/sse-server.ts'
import { startModernServer } from '../world/servers/modern-server.ts'
import { peerCommands, putBehind, startEverythingHttp, startEverythingSse } from '../world/servers/peers.ts'

async function connect(world: World, server: string, token: string): Promise<Client> {
  const client = new Client({ name: 'old', version: '1' }, { capabilities: { elicitation: {}, sampling: {} } })
  const headers = { authorization: `Bearer ${token}` }
  const url = new URL(`${world.gatewayUrl}/servers/${server}/sse`)
  const transport = new SSEClientTransport(url, {
    requestInit: { headers },
    eventSourceInit: { fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }) },
  })
  // WHY: the 1.x library's own transport does not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0])
  onTestFinished(() => client.close())
  return client
}

const textOf = (result: unknown): string => JSON.stringify((result as { content: unknown }).content)

test('the two ends of the protocol meet: a server of 2024-11-05 and a client of today', async () => {
  const world = await startWorld()
  const { token } = await putBehind(world.ana, 'old', { url: (await startSseServer()).url })
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  for (const mode of ['legacy', 'auto'] as const) {
    const client = new ClientOfToday({ name: 'today', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new TransportOfToday(new URL(`${world.gatewayUrl}/servers/old/mcp`), { requestInit }))
    onTestFinished(() => client.close())
    expect(textOf(await client.callTool({ name: 'echo', arguments: {} })), mode).toContain('hello')
  }
}, 30_000)

describe('the official client of 2024-11-05', () => {
  test.each([
    ['stdio', async () => ({ command: peerCommands.everything })],
    ['Streamable HTTP', async () => ({ url: await startEverythingHttp() })],
    ['HTTP with SSE', async () => ({ url: await startEverythingSse() })],
  ])(
    'uses server-everything over %s',
    async (_, start) => {
      const world = await startWorld()
      const { token, tools } = await putBehind(world.ana, 'everything', await start())
      const client = await connect(world, 'everything', token)
      const seen = (await client.listTools()).tools.map(({ name }) => name)
      expect(seen.length).toBeGreaterThan(5)
      expect(tools).toEqual(expect.arrayContaining(seen))
      expect(textOf(await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 40 } }))).toContain('42')
      const progress: number[] = []
      await client.callTool(
        { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } },
        undefined,
        { onprogress: (each) => progress.push(each.progress) },
      )
      expect(progress.length).toBeGreaterThan(1)
    },
    60_000,
  )

  test('uses a server of 2026-07-28, which asks it through the face of a session', async () => {
    const world = await startWorld()
    const { token } = await putBehind(world.ana, 'modern', { url: (await startModernServer()).url })
    const client = await connect(world, 'modern', token)
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: { sure: true } }))
    expect(textOf(await client.callTool({ name: 'count', arguments: {} }))).toContain('counted')
    expect(textOf(await client.callTool({ name: 'deploy', arguments: {} }))).toContain('sure: true')
  }, 30_000)

  test('is asked back, and hears news that belongs to no request', async () => {
    const world = await startWorld()
    const { token } = await putBehind(world.ana, 'old', { url: (await startSseServer()).url })
    const client = await connect(world, 'old', token)
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'decline' }))
    let news = 0
    client.setNotificationHandler(PromptListChangedNotificationSchema, () => void (news += 1))
    expect(textOf(await client.callTool({ name: 'ask_back', arguments: {} }))).toContain('decline')
    await client.callTool({ name: 'grow', arguments: {} })
    await vi.waitFor(() => expect(news).toBe(1))
  }, 30_000)

  test('gets the answer of a server that breaks off the stream of a call and goes on with it on another', async () => {
    const world = await startWorld()
    const { token } = await putBehind(world.ana, 'sessions', { url: (await startSessionServer()).url })
    const client = await connect(world, 'sessions', token)
    expect(textOf(await client.callTool({ name: 'hang_up', arguments: {} }))).toContain('answered after all')
  }, 30_000)

  test('gets the answer that it waits for when Castellan is stopped', async () => {
    const world = await startWorld()
    const { token } = await putBehind(world.ana, 'everything', { command: peerCommands.everything })
    const client = await connect(world, 'everything', token)
    const slow = { name: 'trigger-long-running-operation', arguments: { duration: 1.5, steps: 3 } }
    const called = client.callTool(slow)
    await vi.waitFor(async () => {
      const { body } = await world.ana.api('GET', '/audit?event=call.intended&limit=500')
      expect(JSON.stringify(body)).toContain('trigger-long-running-operation')
    })
    const stopped = world.stop()
    expect(textOf(await called)).toContain('completed')
    await stopped
  }, 60_000)

  test('its session ends with its stream, at the server, too', async () => {
    const world = await startWorld()
    const old = await startSseServer()
    const { token } = await putBehind(world.ana, 'old', { url: old.url })
    const before = old.openStreams()
    const client = await connect(world, 'old', token)
    await client.listTools()
    expect(old.openStreams()).toBe(before + 1)
    await client.close()
    await vi.waitFor(() => expect(old.openStreams()).toBe(before), { timeout: 5_000 })
  }, 30_000)
})

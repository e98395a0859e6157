import { setTimeout as sleep } from 'node:timers/promises'
import {
  Client as ClientOfToday,
  StreamableHTTPClientTransport as TransportOfToday,
} from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { expect, onTestFinished, test, vi } from 'vitest'
import { modernOnlyStdioCommand } from '../conformance/upstreams.ts'
import { startWorld } from '../world/castellan.ts'
import { startAskingServer } from '../world/servers/asking-server.ts'
import { putBehind } from '../world/servers/peers.ts'

const capabilities = {
  sampling: {},
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
}

/** A client of the first line of the official library, which knows nothing of 2026-07-28. */
async function connect(url: string, token: string): Promise<Client> {
  const client = new Client({ name: 'before', version: '1' }, { capabilities })
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
    action: 'accept',
    ...(params.mode === 'url' ? {} : { content: { name: 'Ada', sure: 'yes', topic: 'tea' } }),
  }))
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    model: 'm',
    role: 'assistant',
    content: { type: 'text', text: 'Paris' },
  }))
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///home' }] }))
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit })
  // WHY: the 1.x library's own transport does not satisfy its interface under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client['connect']>[0])
  onTestFinished(async () => {
    await transport.terminateSession().catch(() => undefined)
    await client.close()
  })
  return client
}

async function behindOne() {
  const world = await startWorld()
  const server = await startAskingServer()
  const { token } = await putBehind(world.ana, 'asking', { url: server.url })
  const url = `${world.gatewayUrl}/servers/asking/mcp`
  return { world, server, client: await connect(url, token) }
}

test('a client of before uses a server of 2026-07-28 as one of its own time', async () => {
  const { client, server } = await behindOne()
  expect(client.getServerVersion()).toEqual({ name: 'asking', version: '1' })
  expect(client.getInstructions()).toBe('Ask "me".')
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toContain('numbers')
  await client.ping()
  expect((await client.readResource({ uri: 'test://readme' })).contents).toEqual([
    { uri: 'test://readme', text: 'read me' },
  ])
  const region = 'Zürich'
  const queried = await client.callTool({ name: 'query', arguments: { region } })
  expect(JSON.stringify(queried)).toContain(`in ${region}`)
  const spoken = server.reached('tools/call').concat(server.reached('resources/read'))
  expect(spoken.map(({ headers }) => headers.get('mcp-protocol-version'))).toEqual(['2026-07-28', '2026-07-28'])
  expect(server.reached('ping')).toEqual([])
})

test('content that is no object comes with a schema that fits it', async () => {
  const { client } = await behindOne()
  const { tools } = await client.listTools()
  expect(tools.find(({ name }) => name === 'numbers')?.outputSchema).toMatchObject({
    type: 'object',
    required: ['result'],
    properties: { result: { type: 'array' } },
  })
  // WHY: the library checks what is structured against the schema that was listed.
  const { structuredContent } = await client.callTool({ name: 'numbers', arguments: {} })
  expect(structuredContent).toEqual({ result: [1, 2, 3] })
})

test('what the server asks is asked of the client’s person, model and machine', async () => {
  const { client, world } = await behindOne()
  const completed = vi.fn()
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, completed)
  const text = async (name: string) => JSON.stringify(await client.callTool({ name, arguments: {} }))
  expect(await text('everything')).toContain('Ada; {\\"type\\":\\"text\\",\\"text\\":\\"Paris\\"}; file:///home')
  expect(await text('deploy')).toContain('yes')
  expect(await text('login')).toContain('login: accept')
  expect(completed).toHaveBeenCalledOnce()
  expect(await text('phish')).toContain('neither https')
  // WHY: the call does not wait for this entry.
  await vi.waitFor(async () => {
    const [refused] = await world.ledger('&event=upstream.question-refused')
    expect(refused?.details).toMatchObject({ method: 'elicitation/create' })
  })
  expect(JSON.stringify(await client.getPrompt({ name: 'ask' }))).toContain('tea')
})

test('progress, logs and news arrive', async () => {
  const { client, server } = await behindOne()
  const [progress, logged, changed, updated] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()]
  client.setNotificationHandler(LoggingMessageNotificationSchema, logged)
  client.setNotificationHandler(ToolListChangedNotificationSchema, changed)
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, updated)
  await client.callTool({ name: 'count', arguments: {} }, undefined, { onprogress: progress })
  expect(progress.mock.calls.map(([{ progress: done }]) => done as number)).toEqual([1, 2])
  await client.setLoggingLevel('debug')
  await client.callTool({ name: 'log', arguments: {} })
  expect(logged).toHaveBeenCalledTimes(2)
  await vi.waitFor(() => expect(server.listeners()).toBe(1))
  await client.subscribeResource({ uri: 'test://readme' })
  server.notify.resourceUpdated('test://readme')
  server.notify.toolsChanged()
  await vi.waitFor(() => expect([updated, changed].map(({ mock }) => mock.calls.length)).toEqual([1, 1]))
  await client.unsubscribeResource({ uri: 'test://readme' })
  server.notify.resourceUpdated('test://readme')
  server.notify.toolsChanged()
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2))
  expect(updated).toHaveBeenCalledOnce()
})

test('a call that the client gives up ends at the server', async () => {
  const { client, server, world } = await behindOne()
  const given = new AbortController()
  const onprogress = (): void => given.abort(new Error('changed my mind'))
  const called = client.callTool({ name: 'wait', arguments: {} }, undefined, { signal: given.signal, onprogress })
  await expect(called).rejects.toThrow('changed my mind')
  await vi.waitFor(() => expect(server.cancelled()).toBe(1))
  await vi.waitFor(async () => {
    const [last] = (await world.ledger('&event=call.completed')).filter(({ target }) => target?.name === 'wait')
    expect(last).toBeDefined()
  })
})

test('a call goes on when its client hangs up, and ends with the session', async () => {
  const world = await startWorld()
  const server = await startAskingServer()
  const { token } = await putBehind(world.ana, 'asking', { url: server.url })
  const send = (method: string, session: string, message?: unknown, signal?: AbortSignal) =>
    fetch(`${world.gatewayUrl}/servers/asking/mcp`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...(session === '' ? {} : { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' }),
      },
      ...(message === undefined ? {} : { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
      ...(signal === undefined ? {} : { signal }),
    })
  const clientInfo = { name: 'by hand', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const opened = await send('POST', '', { id: 0, method: 'initialize', params })
  await opened.text()
  const session = opened.headers.get('mcp-session-id') ?? ''
  const left = new AbortController()
  const wait = { name: 'wait', arguments: {}, _meta: { progressToken: 1 } }
  const call = await send('POST', session, { id: 1, method: 'tools/call', params: wait }, left.signal)
  await call.body?.getReader().read()
  left.abort()
  await sleep(300)
  expect(server.cancelled()).toBe(0)
  expect((await send('DELETE', session)).status).toBeLessThan(300)
  await vi.waitFor(() => expect(server.cancelled()).toBe(1))
  expect((await send('POST', session, { id: 2, method: 'ping' })).status).toBe(404)
})

test('the second line of the library gets the same in either era', async () => {
  const world = await startWorld()
  const server = await startAskingServer()
  const { token } = await putBehind(world.ana, 'asking', { url: server.url })
  const requestInit = { headers: { authorization: `Bearer ${token}` } }
  const answers = []
  for (const mode of ['legacy', 'auto'] as const) {
    const options = { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } }
    const client = new ClientOfToday({ name: 'today', version: '1' }, options)
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { sure: 'yes' } }))
    await client.connect(new TransportOfToday(new URL(`${world.gatewayUrl}/servers/asking/mcp`), { requestInit }))
    onTestFinished(() => client.close())
    const { tools } = await client.listTools()
    const { content } = await client.callTool({ name: 'deploy', arguments: {} })
    answers.push({ names: tools.map(({ name }) => name), content })
  }
  expect(answers[0]).toEqual(answers[1])
  expect(JSON.stringify(answers[0])).toContain('yes')
})

test('a server of 2026-07-28 that is a process is used just so', async () => {
  const world = await startWorld()
  const { token } = await putBehind(world.ana, 'local', { command: modernOnlyStdioCommand })
  const client = await connect(`${world.gatewayUrl}/servers/local/mcp`, token)
  const answer = await client.callTool({ name: 'test_elicitation', arguments: { message: 'Who?' } })
  expect(JSON.stringify(answer)).toContain('action=accept')
  expect((await client.listPrompts()).prompts.length).toBeGreaterThan(2)
})

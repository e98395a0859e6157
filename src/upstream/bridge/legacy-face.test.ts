import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '#kernel'
import { modernOnlyStdioCommand } from '../../../test/conformance/upstreams.ts'
import { temporaryFolder } from '../../../test/world/folder.ts'
import { type AskingServer, startAskingServer } from '../../../test/world/servers/asking-server.ts'
import { UpstreamCaller } from '../../../test/world/servers/upstream-caller.ts'
import { defaultBalance } from '../balance/settings.ts'
import { createStdio } from '../transports/stdio/stdio.ts'
import { createStreamableHttp } from '../transports/streamable-http/streamable-http.ts'
import { defaultLimits, type Exchange, type UpstreamAnswer, type UpstreamRecord } from '../transports/transport.ts'
import type { FaceLimits } from '../legacy-face/face.ts'
import { createLegacyFace, type LegacyFaceNeeds } from './legacy-face.ts'

const record = { name: 'asking', environment: {}, isDemo: false }

interface World {
  readonly exchange: Exchange
  /** What clients were not asked. */
  readonly refused: readonly string[]
  caller(options?: { ownerId?: string; upstream?: UpstreamRecord }): UpstreamCaller
}

function worldOver(below: Exchange, upstream: UpstreamRecord, limits: Partial<FaceLimits> = {}): World {
  const refused: string[] = []
  const onRefused: LegacyFaceNeeds['onRefused'] = ({ method, problem }) => refused.push(`${method}: ${problem}`)
  const face = createLegacyFace({ exchange: below, clock: systemClock, node: 'n', limits, onRefused })
  onTestFinished(() => face.close())
  const exchange: Exchange = (request) => face.exchange(request)
  return { exchange, refused, caller: (options) => new UpstreamCaller({ exchange, upstream, ...options }) }
}

async function overHttp(limits?: Partial<FaceLimits>): Promise<World & { server: AskingServer }> {
  const server = await startAskingServer()
  const upstream: UpstreamRecord = { ...record, transport: 'http', url: server.url }
  const http = createStreamableHttp({ limits: defaultLimits, settings: { current: defaultBalance } })
  const place = http.open(server.url)
  onTestFinished(async () => {
    await place.destroy()
    http.close()
  })
  return { ...worldOver((request) => place.exchange(request), upstream, limits), server }
}

interface Json extends Record<string, unknown> {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
}

/** Reads frames one by one. */
function reading({ frames }: UpstreamAnswer): () => Promise<Json | undefined> {
  const all = frames[Symbol.asyncIterator]()
  return async () => {
    const next = await all.next()
    return next.done === true ? undefined : (JSON.parse(next.value.body) as Json)
  }
}

test('initialize is answered from what the server says of itself, and opens a session', async () => {
  const { caller } = await overHttp()
  const ada = caller()
  const { result, sessionId } = await ada.open()
  expect(result).toEqual({
    protocolVersion: '2025-11-25',
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      logging: {},
    },
    serverInfo: { name: 'asking', version: '1' },
    instructions: 'Ask "me".',
  })
  expect(Buffer.from(sessionId ?? '', 'base64url')).toHaveLength(32)
  expect((await ada.ask('ping')).result).toEqual({})
  expect((await ada.ask('tools/call', { name: 'query', arguments: { region: 'eu' } })).result).toEqual({
    content: [{ type: 'text', text: 'in eu' }],
  })
})

test('each request carries the envelope, the progress token and the mirrored headers', async () => {
  const { caller, server } = await overHttp()
  const ada = caller()
  await ada.open()
  const args = { region: 'Zürich', big: 9007199254740991 }
  await ada.ask('tools/call', { name: 'query', arguments: args, _meta: { progressToken: 7, own: 1 } })
  const [call] = server.reached('tools/call')
  expect(call?.message.params).toEqual({
    name: 'query',
    arguments: args,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': { sampling: {}, elicitation: { form: {} }, roots: {} },
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/logLevel': 'info',
      progressToken: 7,
      own: 1,
    },
  })
  expect(call?.headers.get('mcp-method')).toBe('tools/call')
  expect(call?.headers.get('mcp-name')).toBe('query')
  expect(call?.headers.get('mcp-param-region')).toBe(`=?base64?${Buffer.from('Zürich').toString('base64')}?=`)
  expect(call?.headers.get('mcp-param-big')).toBe('9007199254740991')
  expect(call?.headers.get('mcp-session-id')).toBeNull()
  expect(server.reached('tools/list')).toHaveLength(1)
  await ada.ask('tools/call', { name: 'query', arguments: { region: 'eu' } })
  expect(server.reached('tools/list')).toHaveLength(1)
})

test('what a list of tools said is not asked for again', async () => {
  const { caller, server } = await overHttp()
  const ada = caller()
  await ada.open()
  const { result } = await ada.ask('tools/list')
  expect(result).not.toHaveProperty('ttlMs')
  expect(result).not.toHaveProperty('cacheScope')
  expect(result).not.toHaveProperty('resultType')
  await ada.ask('tools/call', { name: 'query', arguments: { region: 'eu' } })
  expect(server.reached('tools/list')).toHaveLength(1)
})

test('questions are asked together on the stream of the call, and the answers go back to the letter', async () => {
  const { caller, server } = await overHttp()
  const ada = caller()
  await ada.open()
  const answer = await ada.start('tools/call', { name: 'everything', arguments: {} })
  expect(answer.kind).toBe('stream')
  const next = reading(answer)
  const asked = [await next(), await next(), await next()]
  expect(asked.map((each) => each?.method)).toEqual(['elicitation/create', 'sampling/createMessage', 'roots/list'])
  const [name, sampled, roots] = asked.map((each) => each?.id ?? '')
  await ada.reply(roots ?? '', { roots: [{ uri: 'file:///home' }] })
  await ada.reply(name ?? '', { action: 'accept', content: { name: 'Ada' } })
  await ada.reply(sampled ?? '', { role: 'assistant', model: 'm', content: { type: 'text', text: 'Paris' } })
  expect(await next()).toEqual({
    jsonrpc: '2.0',
    id: 't-2',
    result: { content: [{ type: 'text', text: 'Ada; {"type":"text","text":"Paris"}; file:///home' }] },
  })
  expect(await next()).toBeUndefined()
  const [first, second] = server.reached('tools/call')
  expect(second?.message.id).not.toBe(first?.message.id)
  expect(second?.message.params?.['requestState']).toBe('state "1" \u2028 é')
  expect(second?.message.params?.['name']).toBe('everything')
})

test('in a crowd of sessions whose requests have the same names, everybody gets their own', async () => {
  const { caller } = await overHttp()
  const people = Array.from({ length: 40 }, (_, index) => `person-${index}`)
  const names = await Promise.all(
    people.map(async (name, index) => {
      const one = caller({ ownerId: `owner-${index % 10}` })
      await one.open()
      const params = { name: 'deploy', arguments: {}, _meta: { progressToken: 1 } }
      const next = reading(await one.start('tools/call', params))
      const asked = await next()
      await one.reply(asked?.id ?? '', { action: 'accept', content: { sure: name } })
      const told = await next()
      return [told?.id, told?.result?.['content']]
    }),
  )
  expect(names).toEqual(people.map((text) => ['t-2', [{ type: 'text', text }]]))
})

test('a prompt can ask, too', async () => {
  const { caller } = await overHttp()
  const ada = caller()
  await ada.open()
  const next = reading(await ada.start('prompts/get', { name: 'ask' }))
  const asked = await next()
  await ada.reply(asked?.id ?? '', { action: 'accept', content: { topic: 'tea' } })
  expect((await next())?.result?.['messages']).toEqual([{ role: 'user', content: { type: 'text', text: 'tea' } }])
})

test('an error instead of an answer ends the call in words', async () => {
  const { caller, exchange } = await overHttp()
  const ada = caller()
  await ada.open()
  const next = reading(await ada.start('tools/call', { name: 'deploy', arguments: {} }))
  const asked = await next()
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: asked?.id, error: { code: -1, message: 'no screen' } }))
  const upstream: UpstreamRecord = { ...record, transport: 'http' }
  const { signal } = new AbortController()
  const posted = { upstream, ownerId: 'ada', era: 'legacy' as const, httpMethod: 'POST' as const, body, headers: {} }
  await exchange({ ...posted, sessionId: ada.sessionId, signal, deadlineMs: 1_000 })
  const ended = await next()
  expect(ended?.result?.['isError']).toBe(true)
  expect(JSON.stringify(ended?.result)).toContain('no screen')
})

test('a client is never asked for what it did not declare, nor sent to an unsafe address', async () => {
  const { caller, refused } = await overHttp()
  const [plain, able] = [caller(), caller()]
  const handshake = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  plain.sessionId = (await plain.ask('initialize', handshake)).sessionId
  able.sessionId = (
    await able.ask('initialize', { ...handshake, capabilities: { elicitation: { url: {} } } })
  ).sessionId
  const undeclared = await plain.ask('tools/call', { name: 'deploy', arguments: {} })
  expect(undeclared.messages).toHaveLength(1)
  expect(JSON.stringify(undeclared)).toContain('declare')
  const unsafe = await able.ask('tools/call', { name: 'phish', arguments: {} })
  expect(unsafe.messages).toHaveLength(1)
  expect(unsafe.result).toMatchObject({ isError: true })
  expect(refused).toEqual(['elicitation/create: the address is not one that a person is sent to'])
  const next = reading(await able.start('tools/call', { name: 'login', arguments: {} }))
  const asked = await next()
  expect(asked?.params).toMatchObject({ mode: 'url', url: 'https://idp.example/login' })
  await able.reply(asked?.id ?? '', { action: 'accept' })
  expect(await next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/elicitation/complete',
    params: { elicitationId: asked?.params?.['elicitationId'] },
  })
  expect(JSON.stringify(await next())).toContain('login: accept')
})

test('a call that asks without end is ended after ten rounds', async () => {
  const { caller, server } = await overHttp({ pauseMs: 1 })
  const ada = caller()
  await ada.open()
  const { result } = await ada.ask('tools/call', { name: 'endless', arguments: {} })
  expect(result).toMatchObject({ isError: true })
  expect(server.reached('tools/call')).toHaveLength(11)
})

test('questions that nobody answers are withdrawn', async () => {
  const { caller } = await overHttp({ roundTimeoutMs: 50 })
  const ada = caller()
  await ada.open()
  const { messages, result } = await ada.ask('tools/call', { name: 'deploy', arguments: {} })
  const [asked, withdrawn] = messages
  expect(withdrawn).toMatchObject({ method: 'notifications/cancelled', params: { requestId: asked?.['id'] } })
  expect(result).toMatchObject({ isError: true })
})

test('progress and log messages come before the response, logs from the level on that the session set', async () => {
  const { caller } = await overHttp()
  const ada = caller()
  await ada.open()
  const counted = await ada.ask('tools/call', { name: 'count', arguments: {}, _meta: { progressToken: 'p' } })
  expect(counted.messages.map(({ method }) => method)).toEqual([
    'notifications/progress',
    'notifications/progress',
    undefined,
  ])
  expect(counted.messages[0]?.['params']).toEqual({ progressToken: 'p', progress: 1, total: 2 })
  const logged = async () => (await ada.ask('tools/call', { name: 'log', arguments: {} })).messages.length - 1
  expect(await logged()).toBe(1)
  expect((await ada.ask('logging/setLevel', { level: 'debug' })).result).toEqual({})
  expect(await logged()).toBe(2)
  expect((await ada.ask('logging/setLevel', { level: 'error' })).result).toEqual({})
  expect(await logged()).toBe(0)
  expect((await ada.ask('logging/setLevel', { level: 'loud' })).error).toMatchObject({ code: -32602 })
})

test('a withdrawn request ends the one at the server, and no other', async () => {
  const { caller, server } = await overHttp()
  const ada = caller()
  await ada.open()
  const next = reading(await ada.start('tools/call', { name: 'wait', arguments: {}, _meta: { progressToken: 1 } }))
  await next()
  await ada.tell('notifications/cancelled', { requestId: 't-9' })
  await sleep(50)
  expect(server.cancelled()).toBe(0)
  await ada.tell('notifications/cancelled', { requestId: 't-2' })
  expect(await next()).toBeUndefined()
  await vi.waitFor(() => expect(server.cancelled()).toBe(1))
})

test('structured content that is no object becomes one, and can be read as text', async () => {
  const { caller } = await overHttp()
  const ada = caller()
  await ada.open()
  expect((await ada.ask('tools/call', { name: 'numbers', arguments: {} })).result).toEqual({
    content: [{ type: 'text', text: '[1,2,3]' }],
    structuredContent: { result: [1, 2, 3] },
  })
})

test('unknown methods are errors in band, not ended sessions', async () => {
  const { caller } = await overHttp()
  const ada = caller()
  await ada.open()
  for (const method of ['tasks/list', 'server/discover', 'subscriptions/listen', 'nonsense']) {
    const { status, error } = await ada.ask(method)
    expect([status, error?.['code']], method).toEqual([200, -32601])
  }
  const gone = await ada.ask('resources/read', { uri: 'test://none' })
  expect([gone.status, gone.error?.['code']]).toEqual([200, -32602])
})

test('a stream of news follows the lists and the resources that the session subscribes to', async () => {
  const { caller, server } = await overHttp()
  const ada = caller()
  await ada.open()
  const news = await ada.listen()
  expect(news.kind).toBe('stream')
  expect((await ada.listen()).status).toBe(409)
  const next = reading(news)
  server.notify.toolsChanged()
  expect(await next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: {} })
  server.notify.resourceUpdated('test://readme')
  expect((await ada.ask('resources/subscribe', { uri: 'test://readme' })).result).toEqual({})
  server.notify.resourceUpdated('test://readme')
  expect(await next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/resources/updated',
    params: { uri: 'test://readme' },
  })
  expect((await ada.ask('resources/unsubscribe', { uri: 'test://readme' })).result).toEqual({})
  server.notify.resourceUpdated('test://readme')
  server.notify.promptsChanged()
  expect((await next())?.method).toBe('notifications/prompts/list_changed')
  await vi.waitFor(() => expect(server.listeners()).toBe(1))
})

test('subscriptions made before anybody listens count, and changes made at once are made together', async () => {
  const { caller, server } = await overHttp()
  const ada = caller()
  await ada.open()
  await ada.ask('resources/subscribe', { uri: 'test://0' })
  const next = reading(await ada.listen())
  const uris = Array.from({ length: 20 }, (_, index) => `test://${index}`)
  await Promise.all(uris.map((uri) => ada.ask('resources/subscribe', { uri })))
  for (const uri of uris) server.notify.resourceUpdated(uri)
  const told = new Set<unknown>()
  while (told.size < uris.length) told.add((await next())?.params?.['uri'])
  expect(server.reached('subscriptions/listen').length).toBeLessThan(10)
})

test('ending the session ends its streams and its calls at the server', async () => {
  const { caller, server } = await overHttp()
  const ada = caller()
  await ada.open()
  const next = reading(await ada.listen())
  const call = reading(await ada.start('tools/call', { name: 'wait', arguments: {}, _meta: { progressToken: 1 } }))
  await call()
  expect((await ada.end()).status).toBe(204)
  expect(await next()).toBeUndefined()
  await expect(call()).rejects.toMatchObject({ code: 'upstream.cancelled' })
  await vi.waitFor(() => expect([server.cancelled(), server.listeners()]).toEqual([1, 0]))
  expect((await ada.ask('ping')).status).toBe(404)
})

test('a session is its owner’s and its upstream’s alone', async () => {
  const { caller } = await overHttp()
  const [ada, mallory] = [caller(), caller({ ownerId: 'mallory' })]
  await ada.open()
  mallory.sessionId = ada.sessionId
  expect((await mallory.ask('ping')).status).toBe(404)
  expect((await mallory.listen()).status).toBe(404)
  expect((await mallory.end()).status).toBe(404)
  const elsewhere = caller({ upstream: { ...record, name: 'other', transport: 'http' } })
  elsewhere.sessionId = ada.sessionId
  expect((await elsewhere.ask('ping')).status).toBe(404)
  expect((await caller().ask('ping')).status).toBe(400)
  expect((await ada.ask('ping')).result).toEqual({})
})

test('a server on standard input and output is reached just so', async () => {
  const stdio = createStdio({
    clock: systemClock,
    limits: defaultLimits,
    settings: { current: defaultBalance },
    workFolder: temporaryFolder(),
    onNews: () => undefined,
  })
  onTestFinished(() => stdio.close())
  const upstream: UpstreamRecord = { ...record, transport: 'stdio', command: modernOnlyStdioCommand }
  const { caller } = worldOver((request) => stdio.exchange(request), upstream)
  const ada = caller()
  expect((await ada.open()).result).toMatchObject({ serverInfo: { name: 'castellan-reference' } })
  const next = reading(await ada.start('tools/call', { name: 'test_elicitation', arguments: { message: 'Who?' } }))
  const asked = await next()
  expect(asked?.method).toBe('elicitation/create')
  await ada.reply(asked?.id ?? '', { action: 'decline' })
  expect(JSON.stringify(await next())).toContain('action=decline')
  const news = reading(await ada.listen())
  await ada.ask('tools/call', { name: 'test_trigger_tool_change', arguments: {} })
  expect((await news())?.method).toBe('notifications/tools/list_changed')
  const logged = await ada.ask('tools/call', { name: 'test_tool_with_logging', arguments: {} })
  expect(logged.messages.slice(0, -1).map(({ method }) => method)).toEqual(Array(3).fill('notifications/message'))
  const progress = { name: 'test_tool_with_progress', arguments: {}, _meta: { progressToken: 3 } }
  const { messages } = await ada.ask('tools/call', progress)
  expect(messages.map(({ params }) => (params as Json | undefined)?.['progressToken'])).toEqual([3, 3, 3, undefined])
})

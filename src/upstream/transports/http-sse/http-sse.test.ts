import { setTimeout as sleep } from 'node:timers/promises'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '#kernel'
import { createTestClock } from '../../../../test/world/clock.ts'
import { startSseServer } from '../../../../test/world/servers/sse-server.ts'
import { startEverythingSse } from '../../../../test/world/servers/peers.ts'
import { UpstreamCaller } from '../../../../test/world/servers/upstream-caller.ts'
import { createStreamableHttp } from '../streamable-http/streamable-http.ts'
import { defaultLimits, type UpstreamLimits, type UpstreamRecord } from '../transport.ts'
import { createHttpSse } from './http-sse.ts'

function recordFor(url: string): UpstreamRecord {
  return { name: 'old', transport: 'http', url, environment: {}, isDemo: false }
}

function world(url: string, given: Partial<UpstreamLimits> = {}, clock = systemClock) {
  const limits = { ...defaultLimits, ...given }
  const settings = { current: { connections: 128, eventsPerSecond: 1_000, answerMs: 60_000 } }
  const place = createStreamableHttp({ limits, settings }).open(url)
  const streamable = { exchange: place.exchange, forget: () => place.close(), close: () => place.destroy() }
  const transport = createHttpSse({ streamable, clock, limits, settings })
  onTestFinished(() => transport.close())
  const upstream = recordFor(url)
  const caller = (ownerId = 'ada', deadlineMs = 15_000) =>
    new UpstreamCaller({ exchange: (request) => transport.exchange(request), upstream, ownerId, deadlineMs })
  return { transport, caller }
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/sse`
}

/** Begins an event stream as these events tell, and lets whoever asks have it. */
function streams(...events: string[]): RequestListener {
  return (req, res) => {
    if (req.method !== 'GET') return void res.writeHead(405).end()
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of events) res.write(event)
  }
}

test('a server of 2024-11-05 answers like one with sessions', async () => {
  const old = await startSseServer()
  const { caller } = world(old.url)
  const ada = caller()
  const opened = await ada.open()
  expect(opened.result?.['serverInfo']).toEqual({ name: 'old', version: '1' })
  expect(ada.sessionId).toMatch(/^castellan-event-channel-[\w-]{43}$/)
  expect((await ada.ask('tools/call', { name: 'echo', arguments: {} })).result?.['content']).toEqual([
    { type: 'text', text: 'hello' },
  ])
  expect((await ada.end()).status).toBe(204)
  await vi.waitFor(() => expect(old.openStreams()).toBe(0))
  expect((await ada.ask('tools/list')).status).toBe(404)
})

test('server-everything in its SSE mode is reached by the URL of its stream', async () => {
  const ada = world(await startEverythingSse()).caller()
  await ada.open()
  const sum = await ada.ask('tools/call', { name: 'get-sum', arguments: { a: 2, b: 40 } })
  expect(JSON.stringify(sum.result?.['content'])).toContain('42')
}, 30_000)

test('what the server asks comes on the stream of the call, news on the stream for news', async () => {
  const ada = world((await startSseServer()).url).caller()
  await ada.open()
  const answer = await ada.start('tools/call', { name: 'ask_back', arguments: {} })
  const seen: Record<string, unknown>[] = []
  for await (const frame of answer.frames) {
    const message = JSON.parse(frame.body) as Record<string, unknown>
    seen.push(message)
    if (message['method'] === 'elicitation/create') await ada.reply(Number(message['id']), { action: 'accept' })
  }
  expect(seen.map((message) => message['method'])).toEqual(['elicitation/create', undefined])
  expect(JSON.stringify(seen[1])).toContain('accept')
  const news = await ada.listen()
  const first = news.frames[Symbol.asyncIterator]().next()
  const grown = await ada.ask('tools/call', { name: 'grow', arguments: {} })
  expect(grown.result).toBeDefined()
  const heard = grown.messages.map((message) => JSON.stringify(message))
  if (!heard.join().includes('list_changed')) heard.push((await first).value?.body ?? '')
  expect(heard.join()).toContain('notifications/prompts/list_changed')
})

test('the handshake is posted once as Streamable HTTP, then not again while the verdict holds', async () => {
  const old = await startSseServer()
  const clock = createTestClock(Date.now())
  const { caller } = world(old.url, {}, clock)
  for (let times = 0; times < 3; times += 1) await caller().open()
  expect(old.asked.filter((each) => each === 'POST /sse')).toHaveLength(1)
  clock.advance(10 * 60_000)
  await caller().open()
  expect(old.asked.filter((each) => each === 'POST /sse')).toHaveLength(2)
})

test('a server that is neither is asked for a stream once, and its own answer is passed on', async () => {
  const asked: (string | undefined)[] = []
  const url = await serve((req, res) => {
    asked.push(req.method)
    res.writeHead(404).end('not here')
  })
  const { caller } = world(url)
  for (let times = 0; times < 2; times += 1) expect((await caller().ask('initialize')).status).toBe(404)
  expect(asked).toEqual(['POST', 'GET', 'POST'])
})

test.each([401, 403, 429, 500, 503])('a status of %i is no evidence of an old server', async (status) => {
  const asked: (string | undefined)[] = []
  const url = await serve((req, res) => {
    asked.push(req.method)
    res.writeHead(status).end()
  })
  await world(url).caller().ask('initialize')
  expect(asked).toEqual(['POST'])
})

test.each([
  ['2025-06-18', 406, 2],
  ['2025-11-25', 406, 1],
  ['2025-11-25', 405, 2],
])('a handshake of %s answered with %i leads to %i requests', async (protocolVersion, status, requests) => {
  let asked = 0
  const url = await serve((_req, res) => {
    asked += 1
    res.writeHead(status).end()
  })
  await world(url).caller().ask('initialize', { protocolVersion })
  expect(asked).toBe(requests)
})

test('who answers the handshake with an error of its own reads JSON-RPC there, and is no old server', async () => {
  let asked = 0
  const url = await serve((_req, res: ServerResponse) => {
    asked += 1
    const body = { jsonrpc: '2.0', id: 't-1', error: { code: -32602, message: 'no' } }
    res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  expect((await world(url).caller().ask('initialize')).error).toMatchObject({ code: -32602 })
  expect(asked).toBe(1)
})

test.each([
  'http://127.0.0.2:1/messages',
  '//evil.example/messages',
  'https://127.0.0.1/messages',
  'http://user:word@127.0.0.1/x',
  'file:///etc/passwd',
  'javascript:alert(1)',
])('the endpoint %s is refused, because it is not at the origin of the stream', async (endpoint) => {
  const url = await serve(streams(`event: endpoint\ndata: ${endpoint}\n\n`))
  await expect(world(url).caller().ask('initialize')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
})

test('a stream that begins with a message, or names no endpoint in time, is none of an old server', async () => {
  const early = await serve(streams('data: {"jsonrpc":"2.0","method":"x"}\n\n'))
  expect((await world(early).caller().ask('initialize')).status).toBe(405)
  const silent = await serve(streams(':\n\n'))
  expect((await world(silent, { connectTimeoutMs: 200 }).caller().ask('initialize')).status).toBe(405)
})

test("another owner's session and one that never was get one answer", async () => {
  const { caller } = world((await startSseServer()).url)
  const ada = caller()
  await ada.open()
  const answers = []
  for (const [ownerId, sessionId] of [
    ['eve', ada.sessionId],
    ['ada', `castellan-event-channel-${'A'.repeat(43)}`],
  ] as const) {
    const thief = caller(ownerId)
    thief.sessionId = sessionId
    const { status, hopProblem, kind } = await thief.start('tools/list')
    answers.push({ status, hopProblem, kind })
    expect((await thief.end()).status).toBe(404)
  }
  expect(answers[0]).toEqual({ status: 404, hopProblem: 'session-ended', kind: 'empty' })
  expect(answers[1]).toEqual(answers[0])
  expect((await ada.ask('tools/list')).status).toBe(200)
})

test('a stream that the server ends takes its session with it, and open calls hear of it', async () => {
  const old = await startSseServer()
  const ada = world(old.url).caller()
  await ada.open()
  const call = await ada.start('tools/call', { name: 'ask_back', arguments: {} })
  old.hangUp()
  await expect(
    (async () => {
      for await (const _frame of call.frames);
    })(),
  ).rejects.toMatchObject({ code: 'upstream.unreachable' })
  await vi.waitFor(async () => expect((await ada.ask('tools/list')).status).toBe(404))
})

test('a server that has forgotten the session ends it', async () => {
  let stream: ServerResponse | undefined
  let isForgotten = false
  const url = await serve((req, res) => {
    if (req.method === 'GET') {
      stream = res.writeHead(200, { 'content-type': 'text/event-stream' })
      return void stream.write('event: endpoint\ndata: /messages\n\n')
    }
    if (req.url !== '/messages') return void res.writeHead(405).end()
    if (isForgotten) return void res.writeHead(404).end()
    res.writeHead(202).end()
    req.on('data', (text: Buffer) => {
      const { id } = JSON.parse(text.toString()) as { id?: string }
      if (id !== undefined) stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n\n`)
    })
  })
  const ada = world(url).caller()
  await ada.open()
  isForgotten = true
  await expect(ada.ask('tools/list')).rejects.toMatchObject({ code: 'upstream.session-ended' })
  expect((await ada.ask('tools/list')).status).toBe(404)
})

test('as many streams as an owner may have are open at once; one more ends the longest unused', async () => {
  const old = await startSseServer()
  const { caller } = world(old.url, { maxEventChannelsPerOwner: 2 })
  const [first, second, third] = [caller(), caller(), caller()]
  await first.open()
  await second.open()
  // WHY: what was used in one millisecond was used equally long ago.
  await sleep(5)
  expect((await first.ask('tools/list')).status).toBe(200)
  await third.open()
  expect((await second.ask('tools/list')).status).toBe(404)
  expect((await first.ask('tools/list')).status).toBe(200)
  await vi.waitFor(() => expect(old.openStreams()).toBe(2))
})

test('an event is read at the limit; one byte past it ends the session', async () => {
  const maxMessageBytes = 500
  for (const [bytes, isRead] of [
    [maxMessageBytes, true],
    [maxMessageBytes + 1, false],
  ] as const) {
    let stream: ServerResponse | undefined
    const url = await serve((req, res) => {
      if (req.method === 'GET') {
        stream = res.writeHead(200, { 'content-type': 'text/event-stream' })
        return void stream.write('event: endpoint\ndata: /messages\n\n')
      }
      if (req.url !== '/messages') return void res.writeHead(405).end()
      res.writeHead(202).end()
      const around = `data: ${JSON.stringify({ jsonrpc: '2.0', id: 't-1', result: { t: '' } })}\n\n`.length
      const result = { t: 'a'.repeat(bytes - around) }
      stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id: 't-1', result })}\n\n`)
    })
    const asked = world(url, { maxMessageBytes }).caller().ask('initialize')
    if (isRead) expect((await asked).status).toBe(200)
    else await expect(asked).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  }
})

test('a session that nobody uses ends', async () => {
  const old = await startSseServer()
  const clock = createTestClock(Date.now())
  const { caller } = world(old.url, { eventChannelIdleMs: 200 }, clock)
  await caller().open()
  clock.advance(250)
  await vi.waitFor(() => expect(old.openStreams()).toBe(0))
})

test('an upstream that is removed ends its streams', async () => {
  const old = await startSseServer()
  const { transport, caller } = world(old.url)
  await caller().open()
  await transport.forget('old')
  await vi.waitFor(() => expect(old.openStreams()).toBe(0))
})

test.each(['message', 'noise'])(
  'a server that sends more events of type %s than are taken is held back',
  async (type) => {
    const flood = `event: ${type}\ndata: {"jsonrpc":"2.0","method":"notifications/x"}\n\n`.repeat(1_000)
    const total = 1_000
    let sent = 0
    const url = await serve((req, res) => {
      if (req.method !== 'GET') return void res.writeHead(req.url === '/messages' ? 202 : 405).end()
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: endpoint\ndata: /messages\n\n')
      const answer = { jsonrpc: '2.0', id: 't-1', result: { protocolVersion: '2024-11-05', capabilities: {} } }
      setTimeout(() => res.write(`data: ${JSON.stringify(answer)}\n\n`), 100)
      const pour = (): void => {
        while (sent < total && !res.destroyed) {
          sent += 1
          if (!res.write(flood)) return void res.once('drain', pour)
        }
      }
      setTimeout(pour, 300)
    })
    const ada = world(url).caller()
    await ada.open()
    expect(ada.sessionId).toBeDefined()
    await expect.poll(() => sent).toBeGreaterThan(0)
    await sleep(1_000)
    const before = sent
    await sleep(300)
    expect([before < total, sent - before < 10]).toEqual([true, true])
  },
)

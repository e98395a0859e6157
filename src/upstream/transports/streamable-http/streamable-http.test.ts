import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { UpstreamCaller } from '../../../../test/world/servers/upstream-caller.ts'
import { defaultLimits, type UpstreamLimits, type UpstreamRecord, type UpstreamRequest } from '../transport.ts'
import { createStreamableHttp } from './streamable-http.ts'

async function serve(listener: RequestListener): Promise<UpstreamRecord> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    name: 'remote',
    transport: 'http',
    url: `http://127.0.0.1:${port}/mcp?tenant=1`,
    environment: {},
    isDemo: false,
  }
}

const settings = { current: { eventsPerSecond: 1_000, answerMs: 60_000, connections: 128 } }

function world(upstream: UpstreamRecord, limits: Partial<UpstreamLimits> = {}, deadlineMs = 5_000) {
  const http = createStreamableHttp({
    limits: { ...defaultLimits, ...limits },
    settings,
  })
  const place = http.open(upstream.url ?? '')
  onTestFinished(async () => {
    await place.destroy()
    http.close()
  })
  const caller = new UpstreamCaller({ exchange: (request) => place.exchange(request), upstream, deadlineMs })
  return { transport: place, caller }
}

function json(res: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

const ok = { jsonrpc: '2.0', id: 't-1', result: { ok: true } }

/** One event of exactly this many bytes, its blank line included. */
function eventOf(bytes: number): string {
  const around = `data: ${JSON.stringify({ ...ok, result: { t: '' } })}\n\n`.length
  return `data: ${JSON.stringify({ ...ok, result: { t: 'a'.repeat(bytes - around) } })}\n\n`
}

test('only MCP headers travel, and the session as the upstream gave it', async () => {
  const seen: IncomingMessage['headers'][] = []
  const upstream = await serve((req, res) => {
    seen.push(req.headers)
    json(res, ok, 200, { 'mcp-session-id': 's-1' })
  })
  const { transport } = world(upstream)
  const request: UpstreamRequest = {
    upstream,
    ownerId: 'ada',
    era: 'legacy',
    httpMethod: 'POST',
    sessionId: 's-0',
    message: { kind: 'request', id: 't-1', method: 'tools/call' },
    body: Buffer.from('{}'),
    headers: {
      accept: '*/*',
      authorization: 'Bearer cst_caller',
      cookie: 'a=b',
      'x-forwarded-for': '10.0.0.1',
      'mcp-protocol-version': '2025-11-25',
      'mcp-method': 'tools/call',
      'mcp-param-region': 'eu',
    },
    signal: new AbortController().signal,
    deadlineMs: 5_000,
  }
  expect(await transport.exchange(request)).toMatchObject({ status: 200, kind: 'json', sessionId: 's-1' })
  const { host, connection, 'content-length': length, ...sent } = seen[0] ?? {}
  expect({ host, connection, length }).toMatchObject({ length: '2' })
  expect(sent).toEqual({
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'user-agent': 'castellan',
    'mcp-session-id': 's-0',
    'mcp-protocol-version': '2025-11-25',
    'mcp-method': 'tools/call',
    'mcp-param-region': 'eu',
  })
})

test.each([301, 302, 303, 307, 308])('a %i is not followed', async (status) => {
  const paths: (string | undefined)[] = []
  const upstream = await serve((req, res) => {
    paths.push(req.url)
    res.writeHead(status, { location: '/elsewhere' }).end()
  })
  await expect(world(upstream).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  expect(paths).toEqual(['/mcp?tenant=1'])
})

test('a challenge of the upstream becomes a typed status without its body', async () => {
  for (const status of [401, 403]) {
    const challenge = { 'www-authenticate': 'Bearer resource_metadata="https://evil.example"' }
    const upstream = await serve((_req, res) => json(res, { error: 'go to evil.example' }, status, challenge))
    const answer = await world(upstream).caller.start('x')
    expect(answer).toMatchObject({ status, kind: 'empty', hopProblem: 'credentials-refused' })
    expect(Object.keys(answer).sort()).toEqual(['frames', 'hopProblem', 'kind', 'status'])
  }
})

test('a session that the upstream no longer knows is told apart from a method it does not know', async () => {
  const unknown = { jsonrpc: '2.0', id: 't-1', error: { code: -32601, message: 'method not found' } }
  const upstream = await serve((_req, res) => json(res, unknown, 404))
  const { caller } = world(upstream)
  expect((await caller.start('x')).hopProblem).toBeUndefined()
  caller.sessionId = 'gone'
  expect(await caller.start('x')).toMatchObject({ status: 404, hopProblem: 'session-ended' })
})

test.each([
  [503, 'overloaded'],
  [429, 'overloaded'],
  [500, 'failed'],
])('a %i is reported as %s', async (status, hopProblem) => {
  const upstream = await serve((_req, res) => res.writeHead(status).end('<html>stack trace</html>'))
  expect(await world(upstream).caller.start('x')).toMatchObject({ status, hopProblem, kind: 'empty' })
})

test('an answer is read at the limit and refused one byte past it', async () => {
  const maxMessageBytes = 200_000
  let extra = 0
  const upstream = await serve((_req, res) => {
    const around = JSON.stringify({ ...ok, result: { t: '' } }).length
    json(res, { ...ok, result: { t: 'a'.repeat(maxMessageBytes - around + extra) } })
  })
  const { caller } = world(upstream, { maxMessageBytes })
  expect((await caller.ask('x')).status).toBe(200)
  extra = 1
  await expect(caller.ask('x')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
})

test('an event is read at the limit; one byte past it ends the stream with a fault after what came before', async () => {
  const maxMessageBytes = 200_000
  let bytes = maxMessageBytes
  const upstream = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.end(`data: {"jsonrpc":"2.0","method":"first"}\n\n${eventOf(bytes)}`)
  })
  const { caller } = world(upstream, { maxMessageBytes })
  expect((await caller.ask('x')).messages).toHaveLength(2)
  bytes += 1
  const { frames } = await caller.start('x')
  const read: string[] = []
  const reading = (async () => {
    for await (const frame of frames) read.push(frame.body)
  })()
  await expect(reading).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  expect(read).toEqual(['{"jsonrpc":"2.0","method":"first"}'])
})

test('a compressed answer nobody asked for is refused', async () => {
  const upstream = await serve((_req, res) => json(res, ok, 200, { 'content-encoding': 'gzip' }))
  await expect(world(upstream).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
})

test('no first byte, and no further frame, within the deadline is a timeout', async () => {
  const silent = await serve(() => {})
  await expect(world(silent, {}, 100).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.timeout' })
  const stalled = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"jsonrpc":"2.0","method":"n"}\n\n')
  })
  const { frames } = await world(stalled, {}, 100).caller.start('x')
  const reading = (async () => {
    for await (const frame of frames) expect(frame.body).toContain('"n"')
  })()
  await expect(reading).rejects.toMatchObject({ code: 'upstream.timeout' })
})

test('frames that keep coming keep the stream alive beyond the deadline, and a stream of news has none', async () => {
  const upstream = await serve((req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
    if (req.method === 'GET') return void setTimeout(() => res.end('data: {"late":true}\n\n'), 400)
    let left = 8
    const timer = setInterval(() => {
      left -= 1
      res.write(':\n\n')
      if (left > 0) return
      clearInterval(timer)
      res.end(`data: ${JSON.stringify(ok)}\n\n`)
    }, 60)
  })
  const { caller } = world(upstream, {}, 200)
  expect((await caller.ask('x')).result).toEqual({ ok: true })
  const bodies: string[] = []
  for await (const frame of (await caller.listen()).frames) bodies.push(frame.body)
  expect(bodies).toEqual(['', '{"late":true}'])
})

test('an upstream that is not there, or goes away in the middle, is unreachable', async () => {
  const upstream = await serve((_req, res) => res.destroy())
  await expect(world(upstream).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  const nowhere = { ...upstream, url: 'http://127.0.0.1:1/mcp' }
  await expect(world(nowhere).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.unreachable' })
  const cut = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
    setTimeout(() => res.destroy(), 50)
  })
  await expect(world(cut).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.unreachable' })
})

test('a request is sent once, also when the connection breaks', async () => {
  let arrived = 0
  const upstream = await serve((_req, res) => {
    arrived += 1
    res.destroy()
  })
  await expect(world(upstream).caller.ask('x')).rejects.toThrow()
  await sleep(100)
  expect(arrived).toBe(1)
})

test('leaving the frames, or aborting, closes the stream at the upstream', async () => {
  let closed = 0
  const upstream = await serve((_req, res) => {
    res.once('close', () => (closed += 1))
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })
  const { caller } = world(upstream)
  for await (const frame of (await caller.start('x')).frames) if (frame.body !== '') break
  await vi.waitFor(() => expect(closed).toBe(1))
  const stop = new AbortController()
  const { frames } = await caller.start('x', {}, stop.signal)
  stop.abort()
  await vi.waitFor(() => expect(closed).toBe(2))
  const reading = (async () => {
    for await (const frame of frames) expect(frame.body).toBe('1')
  })()
  await expect(reading).rejects.toMatchObject({ code: 'upstream.cancelled' })
})

test('an upstream that floods is held back while the caller reads slowly', async () => {
  let written = 0
  const event = `data: ${JSON.stringify({ t: 'a'.repeat(64 * 1024) })}\n\n`
  const upstream = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    const pour = () => {
      while (written < 64 * 1024 * 1024) {
        written += event.length
        if (!res.write(event)) return void res.once('drain', pour)
      }
      res.end()
    }
    pour()
  })
  const { frames } = await world(
    upstream,
    { maxQueuedBytes: 256 * 1024, maxAnswerBytes: 128 * 1024 * 1024 },
    200,
  ).caller.start('x')
  await sleep(500)
  const before = written
  expect(before).toBeLessThan(32 * 1024 * 1024)
  let read = 0
  for await (const frame of frames) read += frame.body.length
  expect(read).toBeGreaterThan(60 * 1024 * 1024)
})

test('a session id that is not visible ASCII is refused', async () => {
  const upstream = await serve((_req, res) => json(res, ok, 200, { 'mcp-session-id': 'a b' }))
  await expect(world(upstream).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
})

test('a header that cannot be sent is a fault of this exchange alone', async () => {
  const upstream = await serve((_req, res) => json(res, ok))
  const { transport, caller } = world(upstream)
  const headers = { 'mcp-param-x': 'a\u0000\nb' }
  const signal = new AbortController().signal
  const request = {
    upstream,
    ownerId: 'ada',
    era: 'legacy',
    httpMethod: 'GET',
    headers,
    signal,
    deadlineMs: 50,
  } as const
  await expect(transport.exchange(request)).rejects.toMatchObject({ code: expect.stringMatching(/^upstream\./) })
  await sleep(100)
  expect((await caller.ask('x')).status).toBe(200)
})

test.each([205, 206, 226, 299])(
  'a %i with an answer is a 200: the difference concerns this hop alone',
  async (status) => {
    const upstream = await serve((_req, res) => json(res, ok, status))
    expect(await world(upstream).caller.start('x')).toMatchObject({ status: 200, kind: 'json' })
  },
)

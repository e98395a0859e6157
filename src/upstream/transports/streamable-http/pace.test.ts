import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { UpstreamCaller } from '../../../../test/world/servers/upstream-caller.ts'
import { defaultLimits, type UpstreamLimits, type UpstreamRecord } from '../transport.ts'
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
    url: `http://127.0.0.1:${port}/mcp`,
    environment: {},
    isDemo: false,
  }
}

const preset = { eventsPerSecond: 1_000, answerMs: 60_000, connections: 128 }

interface Given extends Partial<UpstreamLimits> {
  readonly settings?: Partial<typeof preset>
}

function world(upstream: UpstreamRecord, { settings, ...limits }: Given = {}, deadlineMs = 5_000) {
  const http = createStreamableHttp({
    limits: { ...defaultLimits, ...limits },
    settings: { current: { ...preset, ...settings } },
  })
  const place = http.open(upstream.url ?? '')
  onTestFinished(async () => {
    await place.destroy()
    http.close()
  })
  const caller = new UpstreamCaller({ exchange: (request) => place.exchange(request), upstream, deadlineMs })
  return { caller }
}

const ok = { jsonrpc: '2.0', id: 't-1', result: { ok: true } }

test('a JSON answer that comes byte by byte is cut at the deadline: bytes are no answer', async () => {
  const upstream = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' })
    const dribble = setInterval(() => res.write(' '), 20)
    res.once('close', () => clearInterval(dribble))
  })
  const startedAt = performance.now()
  await expect(world(upstream, {}, 300).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.timeout' })
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('an event that comes byte by byte is cut at the deadline, events that come in time are not', async () => {
  const upstream = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"jsonrpc":"2.0","method":"n"}\n\ndata: ')
    const dribble = setInterval(() => res.write('x'), 20)
    res.once('close', () => clearInterval(dribble))
  })
  await expect(world(upstream, {}, 300).caller.ask('x')).rejects.toMatchObject({ code: 'upstream.timeout' })
})

test('an answer may take its time in all and no longer, however many events come; a stream of news has no such time', async () => {
  const upstream = await serve((req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    const beat = setInterval(() => res.write(':\n\n'), 20)
    res.once('close', () => clearInterval(beat))
    if (req.method === 'GET') setTimeout(() => res.end('data: {"late":true}\n\n'), 1_200)
  })
  const { caller } = world(upstream, { settings: { answerMs: 500 } })
  const startedAt = performance.now()
  await expect(caller.ask('x')).rejects.toMatchObject({ code: 'upstream.timeout' })
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(500)
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  const bodies: string[] = []
  for await (const frame of (await caller.listen()).frames) if (frame.body !== '') bodies.push(frame.body)
  expect(bodies).toEqual(['{"late":true}'])
})

/** Sends as many events as fit, for ever; bare comments unless told. */
function pour(res: ServerResponse, sent: (events: number) => void, event = ':\n\n'): void {
  const text = event.repeat(1_000)
  const go = (): void => {
    while (!res.destroyed) {
      sent(1_000)
      if (!res.write(text)) return void res.once('drain', go)
    }
  }
  go()
}

test('a stream of the smallest events is held back while the caller reads nothing', async () => {
  let sent = 0
  const upstream = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    pour(res, (events) => (sent += events), 'data: 1\n\n')
  })
  const { frames } = await world(upstream, { settings: { eventsPerSecond: 1_000_000 } }).caller.start('x')
  await sleep(700)
  const before = sent
  await sleep(300)
  expect(sent).toBe(before)
  expect(before).toBeLessThan(5_000_000)
  for await (const frame of frames) if (frame.body === '1') break
})

test('events beyond the rate are held back first, then the upstream is cut; those within it are not', async () => {
  let isFlooding = false
  let sent = 0
  const upstream = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    if (isFlooding) return pour(res, (events) => (sent += events))
    res.end(`${'data: {}\n\n'.repeat(1_999)}data: ${JSON.stringify(ok)}\n\n`)
  })
  const { caller } = world(upstream, { maxAnswerBytes: Number.MAX_SAFE_INTEGER }, 60_000)
  const quick = performance.now()
  expect((await caller.ask('x')).result).toEqual({ ok: true })
  expect(performance.now() - quick).toBeLessThan(2_000)
  isFlooding = true
  const startedAt = performance.now()
  await expect(caller.ask('x')).rejects.toMatchObject({ code: 'upstream.misbehaved' })
  expect(performance.now() - startedAt).toBeGreaterThan(5_000)
  // WHY: what lies in the buffers of both ends was sent, and is not taken.
  expect(sent).toBeLessThan(5_000_000)
}, 60_000)

test('streams of one place share what is read of it in a second, and none is cut for what the others take', async () => {
  const eventBytes = 200_000
  const event = `data: ${JSON.stringify({ t: 'a'.repeat(eventBytes) })}\n\n`
  const upstream = await serve((_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let count = 0; count < 10; count += 1) res.write(event)
    res.end(`data: ${JSON.stringify(ok)}\n\n`)
  })
  // WHY: 400 events a second allow 3.2 MB; half of that may come at once, and 8 MB come.
  const { caller } = world(upstream, { settings: { eventsPerSecond: 400 } })
  const startedAt = performance.now()
  const heard = await Promise.all([1, 2, 3, 4].map(() => caller.ask('x')))
  expect(heard.every(({ messages }) => messages.length === 11)).toBe(true)
  expect(performance.now() - startedAt).toBeGreaterThan(1_500)
  expect(performance.now() - startedAt).toBeLessThan(15_000)
})

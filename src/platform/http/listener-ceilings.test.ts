import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { headOf, openRaw, type RawClient } from '../../../test/world/wire/raw-client.ts'
import { createListener, type ListenerOptions, type TurnedAway } from './listener.ts'
import { ceilingsOf } from './listener-ceilings.ts'
import type { Handler } from './listener-traffic.ts'

const ok: Handler = (_request, response) => void response.end('ok')

async function listening(options: Partial<ListenerOptions> = {}) {
  const turnedAway: TurnedAway['reason'][] = []
  const listener = createListener({
    name: 'gateway',
    port: 0,
    handler: ok,
    onTurnedAway: ({ reason }) => turnedAway.push(reason),
    ...options,
  })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  return { listener, port, turnedAway }
}

/** The status that one request on a connection of its own is answered with. */
async function statusOf(port: number, text: string): Promise<number | undefined> {
  const client = await openRaw({ port })
  client.socket.write(text)
  await expect.poll(() => client.statuses().length > 0 || client.answer.isClosed).toBe(true)
  client.socket.destroy()
  return client.statuses()[0]
}

async function answered(client: RawClient): Promise<void> {
  const before = client.statuses().length
  client.socket.write(headOf())
  await expect.poll(() => client.statuses().length).toBe(before + 1)
}

const named = ['/', 'Host', 'localhost', 'X-Big'].join('').length

test('headers up to the ceiling are read, one byte more is answered 431', async () => {
  const { port, listener } = await listening()
  const big = (bytes: number) => headOf(`X-Big: ${'a'.repeat(bytes - named)}`)
  expect(await statusOf(port, big(16_383))).toBe(200)
  expect(await statusOf(port, big(16_384))).toBe(431)
  listener.setCeilings({ maxHeaderBytes: 4_096 })
  expect(await statusOf(port, big(4_095))).toBe(200)
  expect(await statusOf(port, big(4_096))).toBe(431)
})

test('a client that sends far more headers than are read still gets its answer', async () => {
  const { port, turnedAway } = await listening()
  expect(await statusOf(port, headOf(`X-Big: ${'a'.repeat(5_000_000)}`))).toBe(431)
  expect(turnedAway).toEqual(['malformed'])
})

test('as many headers as allowed are read, one more is answered 431 and none is lost', async () => {
  let seen = 0
  const { port, listener } = await listening({
    handler: (request, response) => {
      seen = request.rawHeaders.length / 2
      response.end()
    },
  })
  const many = (count: number) => headOf(...Array.from({ length: count - 1 }, (_, at) => `X-${at}: a`))
  expect([await statusOf(port, many(100)), seen]).toEqual([200, 100])
  expect([await statusOf(port, many(101)), seen]).toEqual([431, 100])
  listener.setCeilings({ maxHeaders: 10 })
  expect([await statusOf(port, many(10)), seen]).toEqual([200, 10])
  expect([await statusOf(port, many(11)), seen]).toEqual([431, 10])
})

test('a target as long as allowed is read, one character more is answered 414', async () => {
  const { port } = await listening()
  const long = (chars: number) => `GET /${'a'.repeat(chars - 1)} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  expect([await statusOf(port, long(8_192)), await statusOf(port, long(8_193))]).toEqual([200, 414])
})

const hurried = { headersTimeoutMs: 300, requestTimeoutMs: 600, keepAliveTimeoutMs: 300 }

/** Sends something every 40 ms until the server closes. */
async function dribble(client: RawClient, text: string): Promise<number> {
  const startedAt = performance.now()
  const timer = setInterval(() => client.socket.write(text), 40)
  await client.closed
  clearInterval(timer)
  return performance.now() - startedAt
}

test('a client that dribbles its headers is cut off', async () => {
  const { port, turnedAway } = await listening({ ceilings: hurried })
  const client = await openRaw({ port })
  client.socket.write('GET / HTTP/1.1\r\n')
  const tookMs = await dribble(client, 'X-A: b\r\n')
  expect(tookMs).toBeGreaterThan(250)
  expect(tookMs).toBeLessThan(2_500)
  expect(client.statuses()).toEqual([408])
  expect(turnedAway).toEqual(['too-slow'])
})

test('a client that connects and says nothing is cut off, one that dribbles empty lines too', async () => {
  const { port } = await listening({ ceilings: hurried })
  const startedAt = performance.now()
  await (
    await openRaw({ port })
  ).closed
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  expect(await dribble(await openRaw({ port }), '\r\n')).toBeLessThan(3_000)
})

test('empty lines after an answer do not keep a connection open', async () => {
  const { port, turnedAway } = await listening({ ceilings: hurried })
  const client = await openRaw({ port })
  await answered(client)
  const tookMs = await dribble(client, '\r\n')
  expect(tookMs).toBeGreaterThan(1_000)
  expect(tookMs).toBeLessThan(4_000)
  expect(turnedAway).toEqual(['too-slow'])
})

test('a client that dribbles its body is cut off, one that is in time is not', async () => {
  let reached = 0
  const handler: Handler = (request, response) => {
    reached++
    request.resume().once('end', () => response.end('whole'))
  }
  const { port } = await listening({ ceilings: hurried, handler })
  const intime = await openRaw({ port })
  intime.socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n')
  await sleep(100)
  intime.socket.write('ab')
  await intime.closed
  expect(intime.answer.text).toContain('whole')
  const slow = await openRaw({ port })
  slow.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
  await dribble(slow, 'a')
  expect(reached).toBe(2)
  expect(slow.statuses()).toEqual([408])
})

test('a connection without a next request is closed, a busy one is not', async () => {
  const { port } = await listening({ ceilings: hurried })
  const idle = await openRaw({ port })
  const busy = await openRaw({ port })
  await answered(idle)
  while (!idle.answer.isClosed) {
    await answered(busy)
    await sleep(50)
  }
  await answered(busy)
})

test('a response may take longer than the ceilings of requests', async () => {
  const handler: Handler = (_request, response) => {
    response.write('a')
    setTimeout(() => response.end('z'), 1_200)
  }
  const { port } = await listening({ ceilings: hurried, handler })
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('az')
})

const large = Buffer.alloc(40_000_000, 'x')

test('a client that takes nothing of its answer is cut off, and what waited for it is let go of', async () => {
  const open = { count: 0 }
  const handler: Handler = (_request, response) => {
    open.count++
    response.once('close', () => open.count--)
    response.end(large)
  }
  const { port, turnedAway } = await listening({
    handler,
    ceilings: { stallTimeoutMs: 300, minBytesPerSecond: 1_000_000_000 },
  })
  const client = await openRaw({ port })
  client.socket.pause()
  client.socket.write(headOf())
  await expect.poll(() => open.count).toBe(1)
  await expect.poll(() => open.count, { timeout: 3_000 }).toBe(0)
  expect(turnedAway).toEqual(['too-slow'])
})

test('a client that takes its answer slowly, but at the least rate, gets all of it', async () => {
  const { port } = await listening({
    handler: (_request, response) => void response.end(large),
    ceilings: { stallTimeoutMs: 100, minBytesPerSecond: 10_000_000 },
  })
  const client = await openRaw({ port })
  let bytes = 0
  client.socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    client.socket.pause()
    setTimeout(() => client.socket.resume(), 1)
  })
  client.socket.write(headOf('Connection: close'))
  await client.closed
  expect(bytes).toBeGreaterThan(large.length)
})

test('as many connections as allowed are served at once, on all addresses together, one more is closed', async () => {
  const open: (() => void)[] = []
  const { port, listener, turnedAway } = await listening({
    ceilings: { maxConnections: 3 },
    handler: (_request, response) => void open.push(() => response.end('ok')),
  })
  const served = [await openRaw({ port }), await openRaw({ port, host: '::1' }), await openRaw({ port })]
  for (const { socket } of served) socket.write(headOf())
  await expect.poll(() => open.length).toBe(3)
  const refused = await openRaw({ port, host: '::1' })
  await refused.closed
  expect(refused.answer.text).toBe('')
  expect(turnedAway).toEqual(['too-many-connections'])
  served[0]?.socket.destroy()
  await expect.poll(listener.connectionCount).toBe(2)
  const next = await openRaw({ port })
  next.socket.write(headOf())
  await expect.poll(() => open.length).toBe(4)
  for (const answer of open) answer()
  for (const client of [served[1], served[2], next]) await expect.poll(() => client?.statuses()).toEqual([200])
  listener.setCeilings({ maxConnections: 4 })
  const fourth = await openRaw({ port })
  fourth.socket.write(headOf())
  await expect.poll(() => open.length).toBe(5)
})

test('where all places are taken, the connection that has been idle longest makes room', async () => {
  const { port, turnedAway } = await listening({ ceilings: { maxConnections: 3 } })
  const clients = [await openRaw({ port }), await openRaw({ port }), await openRaw({ port })]
  for (const client of clients) await answered(client)
  const [first, second, third] = clients as [RawClient, RawClient, RawClient]
  await answered(first)
  const next = await openRaw({ port })
  await answered(next)
  await second.closed
  expect([first.answer.isClosed, third.answer.isClosed]).toEqual([false, false])
  expect(turnedAway).toEqual([])
})

test('connections that have said nothing for a second make room before those that were of use', async () => {
  const { port } = await listening({ ceilings: { maxConnections: 3 } })
  const useful = await openRaw({ port })
  await answered(useful)
  const silent = [await openRaw({ port }), await openRaw({ port })]
  await sleep(1_100)
  const next = await openRaw({ port })
  await answered(next)
  await silent[0]?.closed
  expect([useful.answer.isClosed, silent[1]?.answer.isClosed]).toEqual([false, false])
})

test('one address has as many connections as allowed, loopback of both families counts as one', async () => {
  const addresses = ['127.0.0.1', '127.9.9.9', '::1']
  const { port, listener, turnedAway } = await listening({ addresses, ceilings: { maxConnectionsPerAddress: 3 } })
  const served = await Promise.all(addresses.map((host) => openRaw({ port, host })))
  for (const client of served) await answered(client)
  const refused = await openRaw({ port })
  await refused.closed
  expect(turnedAway).toEqual(['too-many-connections'])
  served[2]?.socket.destroy()
  await expect.poll(listener.connectionCount).toBe(2)
  await answered(await openRaw({ port, host: '::1' }))
})

test('an address that stands for many clients is bound by the ceiling for all only', async () => {
  const { port } = await listening({
    ceilings: { maxConnectionsPerAddress: 1, maxConnections: 3 },
    isShared: (address) => address === '127.0.0.1',
  })
  for (const client of [await openRaw({ port }), await openRaw({ port }), await openRaw({ port })]) {
    await answered(client)
  }
})

test('the configuration reaches the ceilings', () => {
  expect(
    ceilingsOf({
      headerBytes: 1,
      headersSeconds: 2,
      requestSeconds: 3,
      keepAliveSeconds: 4,
      connections: 5,
      connectionsPerAddress: 6,
    }),
  ).toEqual({
    maxHeaderBytes: 1,
    headersTimeoutMs: 2_000,
    requestTimeoutMs: 3_000,
    stallTimeoutMs: 3_000,
    keepAliveTimeoutMs: 4_000,
    maxConnections: 5,
    maxConnectionsPerAddress: 6,
  })
})

const script = `
  const { createListener } = await import(${JSON.stringify(fileURLToPath(new URL('listener.ts', import.meta.url)))})
  const handler = (_request, response) => response.end('ok')
  const listener = createListener({ name: 'gateway', port: 0, addresses: ['127.0.0.1'], handler })
  console.log((await listener.listen()).port)
  process.stdin.resume().once('end', () => process.exit(0))
`

test('without file descriptors left, clients are turned away and those inside are served', async () => {
  const command = 'ulimit -n 64 && exec "$0" --input-type=module -e "$1"'
  const child = spawn('sh', ['-c', command, process.execPath, script], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.stdin.end())
  const port = Number(
    await new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(String(text)))),
  )
  const inside = await openRaw({ port })
  await answered(inside)
  const flood = await Promise.all(Array.from({ length: 200 }, () => openRaw({ port })))
  await expect.poll(() => flood.filter(({ answer }) => answer.isClosed).length).toBeGreaterThan(100)
  await answered(inside)
  for (const { socket } of flood) socket.destroy()
  await expect.poll(async () => statusOf(port, headOf())).toBe(200)
  expect(child.exitCode).toBeNull()
})

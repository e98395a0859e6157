import { request as sendRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { makeAuthority } from '../../../test/world/wire/tls.ts'
import { headOf, openRaw, type RawClient } from '../../../test/world/wire/raw-client.ts'
import { createListener, type ListenerOptions } from './listener.ts'
import type { Handler } from './listener-traffic.ts'

const ok: Handler = (_request, response) => void response.end('ok')

async function listening(options: Partial<ListenerOptions> = {}) {
  const listener = createListener({ name: 'gateway', port: 0, handler: ok, ...options })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  return { listener, port }
}

/** Answers when told to. */
function patient() {
  const waiting: (() => void)[] = []
  const handler: Handler = (request, response) => void waiting.push(() => response.end(`done ${request.url}`))
  const answerAll = () => waiting.splice(0).forEach((answer) => answer())
  return { handler, waiting, answerAll }
}

const closes = (client: RawClient) => client.answer.text.match(/connection: close/gi)?.length ?? 0

test('closing lets a request in flight finish and takes no other', async () => {
  const { handler, waiting, answerAll } = patient()
  const { listener, port } = await listening({ handler })
  const silent = await openRaw({ port })
  const answer = fetch(`http://127.0.0.1:${port}/`)
  await expect.poll(() => waiting.length).toBe(1)
  const closing = listener.close(5_000)
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  await silent.closed
  answerAll()
  const response = await answer
  expect(await response.text()).toBe('done /')
  expect(response.headers.get('connection')).toBe('close')
  await closing
})

test('closing ends connections that are kept alive between requests', async () => {
  const { listener, port } = await listening()
  const client = await openRaw({ port })
  client.socket.write(headOf())
  await expect.poll(() => client.statuses()).toEqual([200])
  const startedAt = performance.now()
  await listener.close(5_000)
  await client.closed
  expect(performance.now() - startedAt).toBeLessThan(1_000)
})

test('closing cuts off what takes longer than the grace, and sooner when told again', async () => {
  const { handler, waiting } = patient()
  const { listener, port } = await listening({ handler })
  const request = sendRequest({ port, host: '127.0.0.1' })
  const cut = new Promise((resolve) => request.once('error', resolve))
  request.end()
  await expect.poll(() => waiting.length).toBe(1)
  const startedAt = performance.now()
  const patiently = listener.close(60_000)
  await sleep(300)
  expect(listener.connectionCount()).toBe(1)
  await listener.close(100)
  await Promise.all([patiently, cut])
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('closing twice, or before listening, is harmless', async () => {
  const { listener } = await listening()
  await Promise.all([listener.close(10), listener.close(10)])
  await createListener({ name: 'gateway', port: 0, handler: ok }).close(10)
})

test('a hundred calls in flight on connections that are kept alive are all answered, and end them', async () => {
  const { handler, waiting, answerAll } = patient()
  const { listener, port } = await listening({ handler })
  const clients = await Promise.all(Array.from({ length: 100 }, () => openRaw({ port })))
  for (const { socket } of clients) socket.write(headOf())
  await expect.poll(() => waiting.length).toBe(100)
  answerAll()
  for (const client of clients) await expect.poll(() => client.statuses()).toEqual([200])
  for (const { socket } of clients) socket.write(headOf())
  await expect.poll(() => waiting.length).toBe(100)
  const closing = listener.close(5_000)
  await sleep(300)
  answerAll()
  await closing
  for (const client of clients) {
    await client.closed
    expect([client.statuses(), closes(client)]).toEqual([[200, 200], 1])
  }
})

test('of requests in a row all that were taken are answered, and only the last answer ends the connection', async () => {
  const { handler, waiting, answerAll } = patient()
  const { listener, port } = await listening({ handler })
  const client = await openRaw({ port })
  client.socket.write(headOf() + headOf())
  await expect.poll(() => waiting.length).toBe(2)
  const closing = listener.close(5_000)
  client.socket.write(headOf())
  await sleep(100)
  expect(waiting).toHaveLength(2)
  answerAll()
  await closing
  await client.closed
  expect([client.statuses(), closes(client)]).toEqual([[200, 200], 1])
  expect(client.answer.text.indexOf('close')).toBeGreaterThan(client.answer.text.indexOf('done'))
})

/** Calls on one connection, one after the other, until it is closed or an answer was the last; what became of them. */
async function callOn(client: RawClient, name: string): Promise<{ sent: string[]; answered: string[] }> {
  const sent: string[] = []
  while (!client.answer.isClosed && closes(client) === 0) {
    const path = `/${name}-${sent.length}`
    sent.push(path)
    const told = new Promise<void>((resolve) => client.socket.once('data', () => resolve()))
    client.socket.write(headOf().replace('/', path))
    await Promise.race([told, client.closed])
  }
  return { sent, answered: [...client.answer.text.matchAll(/<(.+?)>/g)].map(([, path]) => String(path)) }
}

test.each(['plain', 'over TLS'])(
  'clients that race the drain are answered for all that was taken (%s)',
  { timeout: 60_000 },
  async (how) => {
    const authority = how === 'plain' ? undefined : await makeAuthority()
    const leaf = await authority?.issue()
    let missed = 0
    for (let round = 0; round < 5; round++) {
      const taken: string[] = []
      const { listener, port } = await listening({
        ...(leaf === undefined ? {} : { tls: { ...leaf, minVersion: 'TLSv1.2' } }),
        handler(request, response) {
          taken.push(request.url ?? '')
          setTimeout(() => response.end(`<${request.url}>`), Math.random() * 5)
        },
      })
      const tls = authority === undefined ? {} : { tls: { ca: authority.certificate } }
      const clients = await Promise.all(Array.from({ length: 30 }, () => openRaw({ port, ...tls })))
      const calls = clients.map((client, at) => callOn(client, `${round}-${at}`))
      await expect.poll(() => taken.length).toBeGreaterThan(100)
      await sleep(Math.random() * 20)
      await listener.close(5_000)
      const results = await Promise.all(calls)
      expect(results.flatMap(({ answered }) => answered).toSorted()).toEqual(taken.toSorted())
      missed += results.reduce((sum, { sent, answered }) => sum + (sent.length - answered.length), 0)
      for (const client of clients) expect(closes(client)).toBeLessThanOrEqual(1)
    }
    // WHY: who is busy is told by an answer before the connection ends; on a loaded machine a few are not that quick.
    expect(missed).toBeLessThan(15)
  },
)

test('before it closes, a draining listener still takes new clients, and every answer is the last', async () => {
  const { listener, port } = await listening()
  const before = await openRaw({ port })
  before.socket.write(headOf())
  await expect.poll(() => before.statuses()).toEqual([200])
  listener.drain()
  const after = await openRaw({ port })
  for (const client of [before, after]) {
    client.socket.write(headOf())
    await client.closed
    expect([client.statuses().at(-1), closes(client)]).toEqual([200, 1])
  }
})

test('streams are told of the end of the grace, and end in good order', async () => {
  const streams: (() => void)[] = []
  const handler: Handler = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: first\n\n')
    streams.push(() => response.end('data: last\n\n'))
  }
  const { listener, port } = await listening({ handler })
  const client = await openRaw({ port })
  client.socket.write(headOf())
  await expect.poll(() => streams.length).toBe(1)
  const startedAt = performance.now()
  await listener.close(300, () => streams.forEach((end) => end()))
  await client.closed
  expect(client.answer.text).toMatch(/data: last\n\n\r\n0\r\n\r\n$/)
  expect(performance.now() - startedAt).toBeLessThan(1_000)
})

test('streams that do not end when told to are cut off', async () => {
  const { handler, waiting } = patient()
  const { listener, port } = await listening({ handler })
  const client = await openRaw({ port })
  client.socket.write(headOf())
  await expect.poll(() => waiting.length).toBe(1)
  const startedAt = performance.now()
  await listener.close(100, () => undefined)
  await client.closed
  expect(performance.now() - startedAt).toBeGreaterThan(1_000)
  expect(client.answer.text).toBe('')
})

test('a client that dribbles its request does not hold up the end', async () => {
  const { listener, port } = await listening({ ceilings: { headersTimeoutMs: 300, requestTimeoutMs: 600 } })
  const client = await openRaw({ port })
  client.socket.write('GET / HTTP/1.1\r\n')
  const timer = setInterval(() => client.socket.write('X-A: b\r\n'), 40)
  await sleep(100)
  const startedAt = performance.now()
  await listener.close(10_000)
  clearInterval(timer)
  expect(performance.now() - startedAt).toBeLessThan(2_500)
})

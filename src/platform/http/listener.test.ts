import { createServer, request as sendRequest } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createListener, type Handler, type ListenerOptions } from './listener.ts'

const ok: Handler = (_request, response) => void response.end('ok')

async function listening(options: Partial<ListenerOptions> = {}) {
  const listener = createListener({ name: 'gateway', port: 0, handler: ok, ...options })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  return { listener, port }
}

/** A bare connection and all that the server said on it. */
async function bare(port: number, host = '127.0.0.1') {
  const socket: Socket = connect({ port, host })
  onTestFinished(() => void socket.destroy())
  const answer = { text: '', isClosed: false }
  socket.on('data', (chunk: Buffer) => (answer.text += chunk.toString()))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      answer.isClosed = true
      resolve()
    })
  })
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('error', () => resolve()))
  return { socket, answer, closed }
}

const head = (lines: readonly string[]) => `${['GET / HTTP/1.1', 'Host: localhost', ...lines].join('\r\n')}\r\n\r\n`

test('answers on both loopback addresses, on one port', async () => {
  const { port } = await listening()
  for (const host of ['127.0.0.1', '[::1]']) {
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('ok')
  }
})

test.each([
  ['two hosts', `GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n`],
  ['another host in the target', `GET http://other/ HTTP/1.1\r\nHost: localhost\r\n\r\n`],
])('a request that names %s is answered 400, unread by the handler', async (_, text) => {
  let handled = 0
  const { port } = await listening({ handler: (_request, response) => void response.end(String((handled += 1))) })
  const { socket, answer, closed } = await bare(port)
  socket.write(text)
  await closed
  expect(answer.text).toMatch(/^HTTP\/1\.1 400 /)
  expect(handled).toBe(0)
})

test('an address that the machine does not have is passed over, none at all is refused', async () => {
  const { port } = await listening({ addresses: ['192.0.2.1', '127.0.0.1'] })
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  const lost = createListener({ name: 'gateway', port: 0, handler: ok, addresses: ['192.0.2.1'] })
  await expect(lost.listen()).rejects.toMatchObject({ code: 'http.no-address' })
})

test.each(['127.0.0.1', '::1'])('a port in use on %s is refused, with the key to change', async (host) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen({ host, port: 0 }, resolve))
  onTestFinished(() => void other.close())
  const { port } = other.address() as AddressInfo
  const listener = createListener({ name: 'admin', port, handler: ok })
  await expect(listener.listen()).rejects.toMatchObject({
    name: 'Misuse',
    code: 'http.port-in-use',
    hint: expect.stringContaining('CASTELLAN_ADMIN__PORT'),
  })
  const elsewhere = host === '::1' ? '127.0.0.1' : '::1'
  const { answer, closed } = await bare(port, elsewhere)
  await closed
  expect(answer.text).toBe('')
})

const bigHeader = (bytes: number) => `X-Big: ${'a'.repeat(bytes)}`

test('headers up to the ceiling are read, more are answered 431', async () => {
  const { port } = await listening()
  const fits = await bare(port)
  fits.socket.write(head(['Connection: close', bigHeader(16_384 - 100)]))
  await fits.closed
  expect(fits.answer.text).toMatch(/^HTTP\/1.1 200/)
  const tooBig = await bare(port)
  tooBig.socket.write(head(['Connection: close', bigHeader(16_384)]))
  await tooBig.closed
  expect(tooBig.answer.text).toMatch(/^HTTP\/1.1 431/)
})

const hurried = { headersTimeoutMs: 300, requestTimeoutMs: 600, keepAliveTimeoutMs: 300 }

test('a client that dribbles its headers is cut off', async () => {
  const { port } = await listening({ ceilings: hurried })
  const { socket, answer, closed } = await bare(port)
  const startedAt = performance.now()
  socket.write('GET / HTTP/1.1\r\n')
  const dribble = setInterval(() => socket.write('X-A: b\r\n'), 40)
  await closed
  clearInterval(dribble)
  const tookMs = performance.now() - startedAt
  expect(tookMs).toBeGreaterThan(250)
  expect(tookMs).toBeLessThan(2_000)
  expect(answer.text).toMatch(/^HTTP\/1.1 408/)
})

test('a client that connects and says nothing is cut off', async () => {
  const { port } = await listening({ ceilings: hurried })
  const startedAt = performance.now()
  await (
    await bare(port)
  ).closed
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('a client that dribbles its body is cut off, one that is in time is not', async () => {
  let reached = 0
  const handler: Handler = (request, response) => {
    reached++
    request.resume().once('end', () => response.end('whole'))
  }
  const { port } = await listening({ ceilings: hurried, handler })
  const intime = await bare(port)
  intime.socket.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n')
  await sleep(100)
  intime.socket.write('ab')
  await intime.closed
  expect(intime.answer.text).toContain('whole')
  const slow = await bare(port)
  slow.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
  const dribble = setInterval(() => slow.socket.write('a'), 40)
  await slow.closed
  clearInterval(dribble)
  expect(reached).toBe(2)
  expect(slow.answer.text).not.toContain('whole')
})

test('a connection without a next request is closed', async () => {
  const { port } = await listening({ ceilings: hurried })
  const { socket, answer, closed } = await bare(port)
  socket.write(head([]))
  await closed
  expect(answer.text).toMatch(/^HTTP\/1.1 200/)
})

test('a response may take longer than the ceilings of requests', async () => {
  const handler: Handler = (_request, response) => {
    response.write('a')
    setTimeout(() => response.end('z'), 1_200)
  }
  const { port } = await listening({ ceilings: hurried, handler })
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('az')
})

test('as many connections as allowed are served on all addresses together, one more is closed', async () => {
  const { port } = await listening({ ceilings: { maxConnections: 3 } })
  const served = [await bare(port), await bare(port, '::1'), await bare(port)]
  for (const { socket } of served) socket.write(head([]))
  await expect.poll(() => served.every(({ answer }) => answer.text.includes('200'))).toBe(true)
  const refused = await bare(port, '::1')
  refused.socket.write(head([]))
  await refused.closed
  expect(refused.answer.text).toBe('')
  served[0]?.socket.destroy()
  await sleep(50)
  const next = await bare(port)
  next.socket.write(head(['Connection: close']))
  await next.closed
  expect(next.answer.text).toContain('200')
})

test.each([
  ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ['a bare line feed', 'GET / HTTP/1.1\nHost: x\n\n'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [
    'length and chunks',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n',
  ],
  ['a space in a name', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n'],
])('a request with %s is answered 400 and reaches nobody', async (_what, text) => {
  let reached = 0
  const handler: Handler = (_request, response) => {
    reached++
    response.end()
  }
  const { port } = await listening({ handler })
  const { socket, answer, closed } = await bare(port)
  socket.write(text)
  await closed
  expect(answer.text).toMatch(/^HTTP\/1.1 400/)
  expect(reached).toBe(0)
})

test.each([
  [
    'throws',
    () => {
      throw new Error('secret detail')
    },
  ],
  ['rejects', async () => Promise.reject(new Error('secret detail'))],
])('a handler that %s is answered 500 without its reason, and the listener lives on', async (_how, handler) => {
  const { port } = await listening({ handler })
  for (let round = 0; round < 2; round++) {
    const response = await fetch(`http://127.0.0.1:${port}/`)
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n'])
  }
})

test('a handler that fails in the middle of its answer cuts it off', async () => {
  const handler: Handler = (_request, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('half')
    throw new Error('late')
  }
  const { port } = await listening({ handler })
  await expect(fetch(`http://127.0.0.1:${port}/`).then((response) => response.text())).rejects.toThrow()
})

test('a client that leaves while it is answered harms nobody', async () => {
  const handler: Handler = (_request, response) => {
    const writing = setInterval(() => response.write('x'.repeat(10_000)), 5)
    response.once('close', () => clearInterval(writing))
  }
  const { port } = await listening({ handler })
  const { socket } = await bare(port)
  socket.write(head([]))
  await sleep(50)
  socket.resetAndDestroy()
  await sleep(50)
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
})

test('a client that keeps sending after its answer is cut off', async () => {
  const handler: Handler = (_request, response) => void response.writeHead(413).end()
  const { port } = await listening({ handler })
  const { socket, answer, closed } = await bare(port)
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n')
  const sending = setInterval(() => socket.write('a'.repeat(1_000)), 20)
  const startedAt = performance.now()
  await closed
  clearInterval(sending)
  expect(answer.text).toMatch(/^HTTP\/1.1 413/)
  expect(performance.now() - startedAt).toBeLessThan(3_000)
})

function slowHandler(answerAfterMs: number) {
  const seen = { requests: 0 }
  const handler: Handler = (_request, response) => {
    seen.requests++
    setTimeout(() => response.end('done'), answerAfterMs)
  }
  return { handler, seen }
}

test('closing lets a request in flight finish and takes no other', async () => {
  const { handler, seen } = slowHandler(200)
  const { listener, port } = await listening({ handler })
  const idle = await bare(port)
  const answer = fetch(`http://127.0.0.1:${port}/`)
  await expect.poll(() => seen.requests).toBe(1)
  const startedAt = performance.now()
  const closing = listener.close(5_000)
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  const response = await answer
  expect(await response.text()).toBe('done')
  expect(response.headers.get('connection')).toBe('close')
  await closing
  await idle.closed
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})

test('closing ends connections that are kept alive between requests', async () => {
  const { listener, port } = await listening()
  const { socket, answer, closed } = await bare(port)
  socket.write(head([]))
  await expect.poll(() => answer.text).toContain('200')
  const startedAt = performance.now()
  await listener.close(5_000)
  await closed
  expect(performance.now() - startedAt).toBeLessThan(1_000)
})

test('closing cuts off what takes longer than the grace', async () => {
  const { handler, seen } = slowHandler(60_000)
  const { listener, port } = await listening({ handler })
  const request = sendRequest({ port, host: '127.0.0.1' })
  const cut = new Promise((resolve) => request.once('error', resolve))
  request.end()
  await expect.poll(() => seen.requests).toBe(1)
  const startedAt = performance.now()
  await listener.close(200)
  const tookMs = performance.now() - startedAt
  expect(tookMs).toBeGreaterThan(150)
  expect(tookMs).toBeLessThan(2_000)
  await cut
})

test('closing twice, or before listening, is harmless', async () => {
  const { listener } = await listening()
  await Promise.all([listener.close(10), listener.close(10)])
  await createListener({ name: 'gateway', port: 0, handler: ok }).close(10)
})

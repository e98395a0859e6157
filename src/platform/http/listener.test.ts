import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { headOf, openRaw } from '../../../test/world/wire/raw-client.ts'
import { createListener, type ListenerOptions } from './listener.ts'
import type { Handler } from './listener-traffic.ts'

const ok: Handler = (_request, response) => void response.end('ok')

async function listening(options: Partial<ListenerOptions> = {}) {
  const listener = createListener({ name: 'gateway', port: 0, handler: ok, ...options })
  const { port } = await listener.listen()
  onTestFinished(() => listener.close(0))
  return { listener, port }
}

test('answers on both loopback addresses, on one port', async () => {
  const { port } = await listening()
  for (const host of ['127.0.0.1', '[::1]']) {
    expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('ok')
  }
})

test('a family that the machine does not have is passed over, an address that was meant is not', async () => {
  const meant = { addresses: ['127.0.0.1', '192.0.2.1'], dangerouslyAllowPlainHttp: true }
  const lost = createListener({ name: 'gateway', port: 0, handler: ok, ...meant })
  await expect(lost.listen()).rejects.toMatchObject({
    code: 'http.no-address',
    message: expect.stringContaining('192.0.2.1'),
    hint: expect.stringContaining('CASTELLAN_GATEWAY__ADDRESSES'),
  })
  const { port } = await listening({ addresses: ['127.0.0.1'] })
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
  await expect(fetch(`http://[::1]:${port}/`)).rejects.toThrow()
})

test('every address of the machine, of either family, is listened on when asked for', async () => {
  const { port } = await listening({ addresses: ['0.0.0.0', '::'], dangerouslyAllowPlainHttp: true })
  for (const host of ['127.0.0.1', '127.8.8.8', '[::1]']) {
    expect((await fetch(`http://${host}:${port}/`)).status).toBe(200)
  }
})

test.each(['0.0.0.0', '::', '192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1', 'localhost'])(
  'plain HTTP on %s is refused unless the danger is spelled out',
  (address) => {
    const options = { name: 'admin', port: 0, handler: ok, addresses: ['127.0.0.1', address] }
    expect(() => createListener(options)).toThrow(
      expect.objectContaining({
        name: 'Misuse',
        code: 'http.plain-beyond-loopback',
        message: expect.stringContaining(`\`${address}\``),
        hint: expect.stringContaining('admin.dangerouslyAllowPlainHttp'),
      }),
    )
    expect(() => createListener({ ...options, dangerouslyAllowPlainHttp: true })).not.toThrow()
  },
)

test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('plain HTTP on %s is fine', (address) => {
  expect(() => createListener({ name: 'admin', port: 0, handler: ok, addresses: [address] })).not.toThrow()
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
  const { answer, closed } = await openRaw({ port, host: elsewhere })
  await closed
  expect(answer.text).toBe('')
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
  const open = { writing: false }
  const handler: Handler = (request, response) => {
    if (request.url !== '/long') return void response.end('ok')
    open.writing = true
    const writing = setInterval(() => response.write('x'.repeat(10_000)), 5)
    response.once('close', () => {
      clearInterval(writing)
      open.writing = false
    })
  }
  const { port } = await listening({ handler })
  const { socket, answer } = await openRaw({ port })
  socket.write(headOf().replace('/', '/long'))
  await expect.poll(() => answer.text.length).toBeGreaterThan(10_000)
  socket.resetAndDestroy()
  await expect.poll(() => open.writing).toBe(false)
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
})

test('a client that keeps sending after its answer is cut off', async () => {
  const handler: Handler = (_request, response) => void response.writeHead(413).end()
  const { port } = await listening({ handler })
  const { socket, answer, closed } = await openRaw({ port })
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n')
  const sending = setInterval(() => socket.write('a'.repeat(1_000)), 20)
  const startedAt = performance.now()
  await closed
  clearInterval(sending)
  expect(answer.text).toMatch(/^HTTP\/1.1 413/)
  expect(performance.now() - startedAt).toBeLessThan(3_000)
})
